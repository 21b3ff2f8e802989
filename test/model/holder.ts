/** The model of a gateway isolate: what it holds, and the rules that the product's gateway follows. */
import type { Grant, Lease } from "../../src/domain/lease.ts";
import { HolderClock, type Draw } from "./clock.ts";
import type { Core, Faults } from "./core.ts";

export class Holder {
  readonly #core: Core;
  readonly #faults: Faults;
  readonly #clock: HolderClock;
  readonly #fail: (why: string) => void;
  #lease: Lease | null = null;
  #lastRead = -Infinity;
  /** Counts the times the clock went back: an ask from before is no basis for a lease. */
  #life = 0;

  constructor(core: Core, faults: Faults, draw: Draw, fail: (why: string) => void) {
    this.#core = core;
    this.#faults = faults;
    this.#clock = new HolderClock(draw);
    this.#fail = fail;
  }

  get life(): number {
    return this.#life;
  }

  now(t: number): number {
    const now = this.#clock.read(t);
    if (now < this.#lastRead && this.#faults.leaseSurvivesStep !== true) {
      this.#lease = null;
      this.#life += 1;
    }
    this.#lastRead = now;
    return now;
  }

  /** The sequence number to serve unasked; null when it has to ask. */
  serve(t: number): number | null {
    const now = this.now(t);
    return this.#lease !== null && this.#core.lease.isAlive(this.#lease, now)
      ? this.#lease.seq
      : null;
  }

  hear(askedAt: number, life: number, grant: Grant, t: number): void {
    const heardAt = this.now(t);
    if (life !== this.#life) return;
    const from = this.#faults.leaseFromReceipt === true ? heardAt : askedAt;
    const before = this.#lease?.seq ?? 0;
    this.#lease = this.#core.lease.hold(this.#lease, from, grant);
    // No visitor sees it while old leases are over in time; whoever serves the last known one would.
    if ((this.#lease?.seq ?? 0) < before) this.#fail(`a holder that knew ${before} went back`);
  }

  /** The clock is set back, far enough to be seen, and is seen at once. */
  stepBack(ms: number, t: number): void {
    this.now(t);
    this.#clock.setBack(ms);
    this.now(t);
  }
}
