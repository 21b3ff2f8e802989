import type { VirtualTime } from "./virtual-time.ts";

/** A Durable Object, or a database, does one thing at a time; what it takes for each, in milliseconds. */
export const SERVICE_MS = 1;
/** A call that would wait longer than this is turned away at once. */
const BACKLOG_MS_MAX = 400;

/** What a caller is told then: it must not ask again. */
export const overloaded = (): Error => Object.assign(new Error("overloaded"), { overloaded: true });

export class OneServer {
  calls = 0;
  turnedAway = 0;
  readonly #time: VirtualTime;
  #busyUntil = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** `work` runs when it is this call's turn. False: turned away. */
  enter(work: () => void): boolean {
    this.calls += 1;
    if (this.#busyUntil - this.#time.now > BACKLOG_MS_MAX) {
      this.turnedAway += 1;
      return false;
    }
    this.enterAnyway(work);
    return true;
  }

  /** For what the platform itself delivers. */
  enterAnyway(work: () => void): void {
    this.#busyUntil = Math.max(this.#time.now, this.#busyUntil) + SERVICE_MS;
    this.#time.at(this.#busyUntil, work);
  }
}
