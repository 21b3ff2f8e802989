import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Share of clocks that are off by exactly the most that is allowed: the edge is where a wrong rule shows. */
const AT_THE_EDGE = 0.2;

/** A machine's clock: an arbitrary reading at first, and a rate that is off by up to `driftPermille`. */
export class DriftingClock {
  readonly #time: VirtualTime;
  #readingThen: number;
  #then: number;
  #rate: number;

  constructor(time: VirtualTime, random: Random, driftPermille: number) {
    this.#time = time;
    this.#readingThen = random.between(1e12, 2e12);
    this.#then = time.now;
    this.#rate = anyRate(random, driftPermille);
  }

  /** Whole milliseconds. */
  now(): number {
    return Math.floor(this.#exact());
  }

  /** Goes on from here at another rate, as a clock does that is being corrected. */
  changeRate(random: Random, driftPermille: number): void {
    this.#readingThen = this.#exact();
    this.#then = this.#time.now;
    this.#rate = anyRate(random, driftPermille);
  }

  #exact(): number {
    return this.#readingThen + (this.#time.now - this.#then) * this.#rate;
  }
}

function anyRate(random: Random, driftPermille: number): number {
  const most = driftPermille / 1000;
  if (random.next() < AT_THE_EDGE) return random.next() < 0.5 ? 1 - most : 1 + most;
  return 1 + random.between(-most, most);
}
