import { TAIL_DISPATCHES_KEPT_MAX } from "../domain/limits-tail.ts";

/** An event that was handed to a version as a call: to the runtime it is one, to whoever tails it is what it was. */
export interface TailDispatch {
  /** `{ cron, scheduledTime }` or `{ queue, batchSize }`. */
  readonly event: Readonly<Record<string, unknown>>;
  /** How it ended, once that is known: the call itself succeeds whatever the handler did. */
  outcome: string | null;
}

interface Noted extends TailDispatch {
  readonly at: number;
}

/**
 * What the dispatcher knows of events under way in tailed versions, until the runtime tells of them. The runtime gives
 * no id, so those of one version and kind are told apart by their times.
 */
export class TailDispatches {
  readonly #noted = new Map<string, Noted[]>();
  #size = 0;

  /** `method`: of the injected entrypoint, called at `at`, in milliseconds since 1970. */
  note(versionId: string, method: string, event: TailDispatch["event"], at: number): TailDispatch {
    const noted: Noted = { event, outcome: null, at };
    const key = `${versionId} ${method}`;
    const others = this.#noted.get(key) ?? [];
    others.push(noted);
    this.#noted.set(key, others);
    if (++this.#size > TAIL_DISPATCHES_KEPT_MAX) this.#dropOldest();
    return noted;
  }

  /** The one that began last before the invocation did; it is told of once. */
  take(versionId: string, method: string, beganAt: number | null): TailDispatch | null {
    const key = `${versionId} ${method}`;
    const noted = this.#noted.get(key);
    if (noted === undefined) return null;
    const last = noted.findLastIndex(({ at }) => beganAt === null || at <= beganAt);
    const [taken] = noted.splice(Math.max(0, last), 1);
    this.#size--;
    if (noted.length === 0) this.#noted.delete(key);
    return taken ?? null;
  }

  #dropOldest(): void {
    const [key, noted] = this.#noted.entries().next().value ?? ["", []];
    noted.shift();
    this.#size--;
    if (noted.length === 0) this.#noted.delete(key);
  }
}
