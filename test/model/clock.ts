/** Clocks of the model: none shows the true time, and no two agree. */

/** Milliseconds by which wall clocks of two lock instances may be apart in the model. */
export const SKEW_MS = 100;

/** Half of a swing. Longer than any wait of the protocol, so that a clock may be at its slowest throughout. */
const SWING_MS = 400;
const DRIFT = 0.1;

/** Picks an integer in [0, n). The walk draws from a seeded generator, the replay from its command list. */
export type Draw = (n: number) => number;

export interface Clock {
  read(t: number): number;
}

/** A holder's clock: any offset, and a rate a tenth off either way. It may be set back. */
export class HolderClock implements Clock {
  readonly #rate: number;
  #offset: number;

  constructor(draw: Draw) {
    this.#rate = [1 - DRIFT, 1, 1 + DRIFT][draw(3)] ?? 1;
    this.#offset = draw(10_000) / 10;
  }

  read(t: number): number {
    return Math.floor(this.#offset + t * this.#rate);
  }

  setBack(ms: number): void {
    this.#offset -= ms;
  }
}

/**
 * A lock instance's clock is also its wall clock: it runs a tenth too fast, then a tenth too slow, and
 * never leaves a band of `SKEW_MS`, as a disciplined clock does.
 */
export class LockClock implements Clock {
  readonly #phase: number;
  readonly #drift: number;
  readonly #offset: number;

  constructor(draw: Draw) {
    this.#phase = (draw(8) * SWING_MS) / 4;
    this.#drift = draw(4) === 0 ? 0 : DRIFT;
    this.#offset = draw(600) / 10;
  }

  read(t: number): number {
    const at = (t + this.#phase) % (2 * SWING_MS);
    return Math.floor(t + this.#offset + this.#drift * (at < SWING_MS ? at : 2 * SWING_MS - at));
  }
}

/** A small seeded generator (mulberry32): the same seed walks the same way on every machine. */
export function seededDraw(seed: number): Draw {
  let a = seed | 0;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 4_294_967_296) * n);
  };
}
