import { ASK_MS_MAX } from "../domain/limits.ts";

/**
 * How many questions of one kind are under way: a control plane that is slow to answer would only get slower by one
 * more from each request that waits. A question dies unseen with the request that asked it, so one that is too old to
 * be answered does not count.
 */
export class Crowd {
  readonly #max: number;
  readonly #inside = new Set<{ readonly since: number }>();

  constructor(max: number) {
    this.#max = max;
  }

  /** `now`: milliseconds, of the clock that `enter` is told. */
  isFull(now: number): boolean {
    if (this.#inside.size < this.#max) return false;
    for (const one of this.#inside) {
      if (Math.abs(now - one.since) > ASK_MS_MAX) this.#inside.delete(one);
    }
    return this.#inside.size >= this.#max;
  }

  /** Returns what leaves it. */
  enter(now: number): () => void {
    const one = { since: now };
    this.#inside.add(one);
    return () => void this.#inside.delete(one);
  }
}
