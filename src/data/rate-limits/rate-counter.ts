import {
  RATE_LIMIT_KEYS_MAX,
  RATE_LIMIT_NAMESPACE_KEYS_MAX,
} from "../../domain/limits-rate-limit.ts";

/**
 * Counts keys in periods of one length, by the wall clock: all counts end with their period. Bounded: a namespace with
 * too many keys forgets its own first.
 */
export class RateCounter {
  readonly #periodMs: number;
  /** By namespace, the one quiet longest first; in it by key, likewise. */
  readonly #namespaces = new Map<string, Map<string, number>>();
  #keys = 0;
  #period = 0;

  /** `periodS` in seconds. */
  constructor(periodS: number) {
    this.#periodMs = periodS * 1000;
  }

  /** Counts one more, unless `limit` is reached. `now` in milliseconds since 1970. */
  allows(namespace: string, key: string, limit: number, now: number): boolean {
    const period = Math.floor(now / this.#periodMs);
    if (period !== this.#period) {
      this.#period = period;
      this.#namespaces.clear();
      this.#keys = 0;
    }
    const counts = this.#namespaces.get(namespace) ?? new Map<string, number>();
    this.#namespaces.delete(namespace);
    this.#namespaces.set(namespace, counts);
    const count = counts.get(key) ?? 0;
    if (counts.delete(key)) this.#keys--;
    counts.set(key, count < limit ? count + 1 : count);
    this.#keys++;
    if (counts.size > RATE_LIMIT_NAMESPACE_KEYS_MAX) this.#forgetFirst(namespace, counts);
    if (this.#keys > RATE_LIMIT_KEYS_MAX) {
      const quietest = this.#namespaces.entries().next().value;
      if (quietest !== undefined) this.#forgetFirst(...quietest);
    }
    return count < limit;
  }

  #forgetFirst(namespace: string, counts: Map<string, number>): void {
    const first = counts.keys().next().value;
    if (first !== undefined && counts.delete(first)) this.#keys--;
    if (counts.size === 0) this.#namespaces.delete(namespace);
  }
}
