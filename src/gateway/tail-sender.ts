import type { WorkerId } from "../domain/ids.ts";
import {
  TAIL_BATCH_CHARS_MAX,
  TAIL_BATCH_EVENTS_MAX,
  TAIL_SENDING_MS_MAX,
  TAIL_WAITING_CHARS_MAX,
  TAIL_WAITING_EVENTS_MAX,
} from "../domain/limits-tail.ts";
import { fitted, type TailEvent } from "../domain/tail-event.ts";
import { logSampled } from "../observability/log-sampler.ts";
import type { ControlPlane } from "./control-plane.ts";
import { messageOf } from "./gateway-errors.ts";

interface Waiting {
  readonly scriptName: string;
  readonly events: { readonly event: TailEvent; readonly chars: number }[];
  dropped: number;
}

/**
 * Brings tailed events to the control plane, in batches, one after the other. What comes faster than it can be sent is
 * dropped and counted: a tail must never cost more memory than this, nor slow down what it watches.
 */
export class TailSender {
  readonly #controlPlane: Pick<ControlPlane, "tailEvents">;
  readonly #now: () => number;
  readonly #waiting = new Map<WorkerId, Waiting>();
  #events = 0;
  #chars = 0;
  /** Since when an invocation of the collector is sending; it may have died with it. */
  #sendingSince: number | null = null;

  /** `now`: milliseconds since 1970. */
  constructor(controlPlane: Pick<ControlPlane, "tailEvents">, now: () => number) {
    this.#controlPlane = controlPlane;
    this.#now = now;
  }

  add(workerId: WorkerId, whole: TailEvent): void {
    const { event, json } = fitted(whole);
    const waiting = this.#of(workerId, event.scriptName);
    const isFull =
      this.#events >= TAIL_WAITING_EVENTS_MAX || this.#chars + json.length > TAIL_WAITING_CHARS_MAX;
    if (isFull) {
      waiting.dropped++;
      return;
    }
    waiting.events.push({ event, chars: json.length });
    this.#events++;
    this.#chars += json.length;
  }

  /** Sends what waits, and what comes meanwhile, unless another invocation does already. Never rejects. */
  async send(): Promise<void> {
    const since = this.#now();
    const other = this.#sendingSince;
    // Twice as long as any goes on: then that one is gone.
    if (other !== null && Math.abs(since - other) < 2 * TAIL_SENDING_MS_MAX) return;
    this.#sendingSince = since;
    try {
      while (this.#now() - since < TAIL_SENDING_MS_MAX) {
        const next = this.#waiting.entries().next().value;
        if (next === undefined) return;
        await this.#sendOne(...next);
      }
    } finally {
      if (this.#sendingSince === since) this.#sendingSince = null;
    }
  }

  async #sendOne(workerId: WorkerId, waiting: Waiting): Promise<void> {
    const events: TailEvent[] = [];
    let chars = 0;
    for (const next of waiting.events) {
      const isFull =
        events.length >= TAIL_BATCH_EVENTS_MAX || chars + next.chars > TAIL_BATCH_CHARS_MAX;
      if (isFull && events.length > 0) break;
      events.push(next.event);
      chars += next.chars;
    }
    const { scriptName, dropped } = waiting;
    waiting.events.splice(0, events.length);
    waiting.dropped = 0;
    // Behind the other Workers' now, if anything of it is left.
    this.#waiting.delete(workerId);
    if (waiting.events.length > 0) this.#waiting.set(workerId, waiting);
    this.#events -= events.length;
    this.#chars -= chars;
    try {
      await this.#controlPlane.tailEvents(workerId, { scriptName, events, dropped });
    } catch (error) {
      logSampled("warn", "tail_not_sent", workerId, { workerId, error: messageOf(error) });
      // The next ones say that these are missing, if there are any; if not, nobody is left to tell.
      const later = this.#waiting.get(workerId);
      if (later !== undefined) later.dropped += dropped + events.length;
    }
  }

  #of(workerId: WorkerId, scriptName: string): Waiting {
    const known = this.#waiting.get(workerId);
    if (known !== undefined) return known;
    const made: Waiting = { scriptName, events: [], dropped: 0 };
    this.#waiting.set(workerId, made);
    return made;
  }
}
