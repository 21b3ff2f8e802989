import { SHARED_ASK_MS_MAX, VERSION_FETCHES_UNDER_WAY_MAX } from "../domain/limits.ts";
import { Crowd } from "./crowd.ts";
import type { Wait } from "./holder-clock.ts";
import { within } from "./within.ts";

interface Fetches {
  readonly crowd: Crowd;
  /** The newest one; it may never end, for it dies with the request that began it. */
  newest: Promise<unknown>;
}

/**
 * Many requests need one thing that nobody has yet: few fetch it, the others wait for those. A new process is asked
 * for the same version by all its visitors at once.
 */
export class SharedFetches<K> {
  readonly #now: () => number;
  readonly #clock: { readonly wait: Wait };
  readonly #underWay = new Map<K, Fetches>();

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number, wait: Wait) {
    this.#now = now;
    this.#clock = { wait };
  }

  /** What `find` gives after somebody's fetch, or else what `fetch` gives. Fails as that fetch does. */
  async get<V>(key: K, find: () => V | null, fetch: () => Promise<V>): Promise<V> {
    const fetches = this.#fetchesOf(key);
    while (fetches.crowd.isFull(this.#now())) {
      await within(this.#clock, SHARED_ASK_MS_MAX, fetches.newest);
      const found = find();
      if (found !== null) return found;
    }
    const leave = fetches.crowd.enter(this.#now());
    try {
      const fetched = fetch();
      fetches.newest = fetched;
      return await fetched;
    } finally {
      leave();
      this.#underWay.delete(key);
    }
  }

  #fetchesOf(key: K): Fetches {
    let fetches = this.#underWay.get(key);
    if (fetches === undefined) {
      const crowd = new Crowd(VERSION_FETCHES_UNDER_WAY_MAX);
      this.#underWay.set(key, (fetches = { crowd, newest: Promise.resolve() }));
    }
    return fetches;
  }
}
