import type { WorkerId } from "../domain/ids.ts";
import {
  ASK_MS_MAX,
  PREVIEW_ASKS_UNDER_WAY_MAX,
  PREVIEW_LABELS_KEPT_MAX,
  PREVIEW_PLACE_POLL_MS,
  PREVIEW_PLACE_WAIT_MS_MAX,
  PREVIEW_REQUESTS_WAITING_MAX,
  SHARED_ASK_MS_MAX,
} from "../domain/limits.ts";
import { ask } from "./ask.ts";
import type { ControlPlane } from "./control-plane.ts";
import { Crowd } from "./crowd.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";
import type { Wait } from "./holder-clock.ts";
import { LATE, within } from "./within.ts";

/** What a preview label names; null when it names nothing. */
export type Preview = Awaited<ReturnType<ControlPlane["previewVersion"]>>;

type Outcome =
  | { readonly ok: true; readonly preview: Preview }
  | { readonly ok: false; readonly cause: unknown };

/** A question about one label that was sent. */
interface Asked {
  /** Questions are numbered in the order in which they are sent. */
  readonly number: number;
  /** Never rejects, but may never end either: it dies with the request that asked. */
  readonly answer: Promise<Outcome>;
  outcome: Outcome | null;
}

interface PreviewAsksOptions {
  readonly controlPlane: Pick<ControlPlane, "previewVersion">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly wait: Wait;
}

/**
 * Anybody can ask for any preview host, and each such request asks the control plane: aliases move, and an upload's
 * preview has to answer at once, so no answer may be kept. Few ask at a time, whatever the labels; requests for one
 * label share an answer, but only one whose question was sent after they came; and who finds no place is turned away.
 */
export class PreviewAsks {
  readonly #options: PreviewAsksOptions;
  readonly #underWay = new Crowd(PREVIEW_ASKS_UNDER_WAY_MAX);
  readonly #waiting = new Crowd(PREVIEW_REQUESTS_WAITING_MAX);
  /** The newest question about a label; an answered one stays for those who came before it was sent. */
  readonly #newest = new Map<string, Asked>();
  #sent = 0;

  constructor(options: PreviewAsksOptions) {
    this.#options = options;
  }

  /** Throws `ControlPlaneUnavailable` when there is no answer, or no place to ask for `PREVIEW_PLACE_WAIT_MS_MAX`. */
  async find(
    defer: (work: Promise<unknown>) => void,
    workerId: WorkerId,
    label: string,
  ): Promise<Preview> {
    const key = `${workerId} ${label}`;
    const outcome = await this.#hear(defer, key, () =>
      this.#options.controlPlane.previewVersion(workerId, label),
    );
    if (outcome.ok) return outcome.preview;
    const { cause } = outcome;
    throw cause instanceof ControlPlaneUnavailable
      ? cause
      : new ControlPlaneUnavailable("a preview", cause);
  }

  async #hear(
    defer: (work: Promise<unknown>) => void,
    key: string,
    call: () => Promise<Preview>,
  ): Promise<Outcome> {
    const sentBefore = this.#sent;
    /** The question that this request has waited for long enough: its asker may be gone. */
    let late: Asked | null = null;
    let leave: (() => void) | null = null;
    try {
      for (let waitedMs = 0; waitedMs <= PREVIEW_PLACE_WAIT_MS_MAX;) {
        const newest = this.#newest.get(key);
        if (newest?.outcome && newest.number > sentBefore) return newest.outcome;
        if (newest !== undefined && newest.outcome === null && newest !== late) {
          waitedMs += SHARED_ASK_MS_MAX;
          const outcome = await within(this.#options, SHARED_ASK_MS_MAX, newest.answer);
          if (outcome === LATE) late = newest;
          continue;
        }
        const now = this.#options.now();
        if (!this.#underWay.isFull(now)) {
          const answer = this.#ask(key, call);
          // Others may wait for it, so it should outlive a visitor who leaves.
          defer(answer);
          return await answer;
        }
        if (leave === null && this.#waiting.isFull(now)) break;
        leave ??= this.#waiting.enter(now);
        waitedMs += PREVIEW_PLACE_POLL_MS;
        await this.#options.wait(PREVIEW_PLACE_POLL_MS);
      }
      return { ok: false, cause: new Error("there were too many questions about previews") };
    } finally {
      leave?.();
    }
  }

  #ask(key: string, call: () => Promise<Preview>): Promise<Outcome> {
    const number = ++this.#sent;
    const leave = this.#underWay.enter(this.#options.now());
    const answered = ask("a preview", call).then(
      (preview): Outcome => ({ ok: true, preview }),
      (cause: unknown): Outcome => ({ ok: false, cause }),
    );
    const hear = async (): Promise<Outcome> => {
      const heard = await within(this.#options, ASK_MS_MAX, answered);
      const outcome: Outcome =
        heard === LATE ? { ok: false, cause: new Error(`no answer in ${ASK_MS_MAX} ms`) } : heard;
      leave();
      asked.outcome = outcome;
      return outcome;
    };
    const asked: Asked = { number, answer: hear(), outcome: null };
    this.#keep(key, asked);
    return asked.answer;
  }

  #keep(key: string, asked: Asked): void {
    this.#newest.delete(key);
    this.#newest.set(key, asked);
    // In the order in which they were sent, so the first is the oldest.
    for (const oldest of this.#newest.keys()) {
      if (this.#newest.size <= PREVIEW_LABELS_KEPT_MAX) break;
      this.#newest.delete(oldest);
    }
  }
}
