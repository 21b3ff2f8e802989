/** Locations around the world, as seen from one lock in eastern North America, and what messages go through. */
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const LOCATIONS = 300;
/** Share of messages that never arrive, each way. */
export const LOSS = 0.001;

/** Share of the locations, and one-way delay to the lock in milliseconds. */
const REGIONS: readonly (readonly [share: number, low: number, high: number])[] = [
  [0.27, 3, 35],
  [0.28, 38, 65],
  [0.27, 70, 125],
  [0.09, 55, 90],
  [0.04, 95, 125],
  [0.05, 60, 140],
];
/** Rare detours: this share of messages takes up to four times as long. */
const DETOURS = 0.005;

export class Network {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #delays: readonly number[];

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.#delays = Array.from({ length: LOCATIONS }, () => {
      let drawn = random.next();
      for (const [share, low, high] of REGIONS) {
        if (drawn < share) return random.between(low, high);
        drawn -= share;
      }
      return 140;
    });
  }

  /** Location of each of `count` isolates: one everywhere first, then as crowded as cities are. */
  place(count: number): number[] {
    const cumulated: number[] = [];
    let sum = 0;
    for (let location = 0; location < LOCATIONS; location++) {
      cumulated.push((sum += (location + 1) ** -0.6));
    }
    return Array.from({ length: count }, (_, isolate) => {
      if (isolate < LOCATIONS) return isolate;
      const drawn = this.#random.next() * sum;
      return cumulated.findIndex((bound) => drawn < bound);
    });
  }

  /** To or from the lock. `arrive` may never be called. */
  far(location: number, arrive: () => void): void {
    const base = this.#delays[location] ?? 0;
    const detour = this.#random.next() < DETOURS ? base * 3 * this.#random.next() : 0;
    this.#send(
      base * (1 + 0.1 * this.#random.next()) + this.#random.exponential(1) + detour,
      arrive,
    );
  }

  /** Within one city. `arrive` may never be called. */
  near(arrive: () => void): void {
    this.#send(1 + this.#random.exponential(1.5), arrive);
  }

  #send(ms: number, arrive: () => void): void {
    if (this.#random.next() >= LOSS) this.#time.after(ms, arrive);
  }
}
