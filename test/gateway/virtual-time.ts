import type { Wait } from "../../src/gateway/holder-clock.ts";

/** Time that passes only when it is told to, in milliseconds. */
export class VirtualTime {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly at: number; readonly ring: () => void }>();

  get now(): number {
    return this.#now;
  }

  readonly wait: Wait = (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = { at: this.#now + ms, ring: resolve };
      this.#timers.add(timer);
      signal?.addEventListener("abort", () => {
        this.#timers.delete(timer);
        reject(new Error("aborted"));
      });
    });

  /** Rings what is due on the way, one instant after the other. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = Math.min(...[...this.#timers].map((timer) => timer.at));
      if (next > end) break;
      this.#now = next;
      for (const timer of this.#timers) {
        if (timer.at > next) continue;
        this.#timers.delete(timer);
        timer.ring();
      }
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}
