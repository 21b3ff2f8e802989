/**
 * The clock by which an isolate counts its leases. A clock that was set back would let a lease live longer than
 * its granter thinks, so each such step begins a new era, and what was held in an earlier one is worth nothing.
 */
export class HolderClock {
  #era = 0;
  #last = -Infinity;
  readonly #read: () => number;
  readonly #wait: Wait;

  constructor(read: () => number, wait: Wait) {
    this.#read = read;
    this.#wait = wait;
  }

  /** Whole milliseconds since 1970. */
  now(): number {
    const now = Math.floor(this.#read());
    if (now < this.#last) this.#era += 1;
    this.#last = now;
    return now;
  }

  /** Of the last reading. */
  get era(): number {
    return this.#era;
  }

  /** Rejects when it is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#wait(ms, signal);
  }
}

/** Milliseconds that pass, whatever clocks are set to. */
export type Wait = (ms: number, signal?: AbortSignal) => Promise<void>;

export const schedulerWait: Wait = (ms, signal) => scheduler.wait(ms, signal ? { signal } : {});
