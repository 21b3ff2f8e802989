import { Admission } from "../../../src/domain/containment/admission.ts";
import { Duty } from "../../../src/domain/containment/duty.ts";
import type { SimulatedTime } from "./simulated-time.ts";

/** A gateway process of one thread: work is done in its order; an endless loop ends all of it. */
export class SimulatedGateway {
  readonly name: string;
  /** null: of the pool. */
  readonly group: number | null;
  /** null: it does not announce. */
  readonly admission: Admission | null;
  readonly inHand = new Set<Visit>();
  readonly queued = new Map<string, () => void>();
  alive = true;
  probeSentAt: number | null = null;
  stalled = false;
  draining = false;
  /** It drains, has nothing in hand, and it is seen whether it goes on. */
  onTrial = false;
  loopsSince = Number.POSITIVE_INFINITY;
  /** How much it kept everybody waiting. */
  readonly duty = new Duty();
  /** CPU time when the probe that is out was sent, in milliseconds. */
  probeCpuMs = 0;
  readonly #time: SimulatedTime;
  #busyUntil = 0;
  /** CPU time of all work it was ever given, in milliseconds. */
  #givenMs = 0;

  constructor(time: SimulatedTime, name: string, group: number | null, announces: boolean) {
    this.#time = time;
    this.name = name;
    this.group = group;
    this.admission = announces ? new Admission() : null;
  }

  /** Calls `then` when so much work has been done here, after all earlier work. */
  work(cpuMs: number, then: () => void): void {
    if (this.#busyUntil === Number.POSITIVE_INFINITY) return;
    this.#busyUntil = Math.max(this.#time.now, this.#busyUntil) + cpuMs;
    this.#givenMs += cpuMs;
    this.#time.after(this.#busyUntil - this.#time.now, () => {
      if (this.alive && this.loopsSince > this.#time.now) then();
    });
  }

  /** After some waiting that costs nothing. */
  later(ms: number, cpuMs: number, then: () => void): void {
    this.#time.after(ms, () => this.alive && this.work(cpuMs, then));
  }

  loop(): void {
    this.loopsSince = this.#time.now;
    this.#givenMs -= Math.max(0, this.#busyUntil - this.#time.now);
    this.#busyUntil = Number.POSITIVE_INFINITY;
  }

  /** CPU time since the start, in milliseconds. */
  get cpuMs(): number {
    const { now } = this.#time;
    if (now >= this.loopsSince) return this.#givenMs + now - this.loopsSince;
    return this.#givenMs - Math.max(0, this.#busyUntil - now);
  }

  /** Bursts of work for as long as the process lives, with hardly a pause. */
  hog(burstMs: number): void {
    this.work(burstMs, () => this.later(1, 0, () => this.hog(burstMs)));
  }
}

/** A request and its client's interest in it. */
export interface Visit {
  readonly id: string;
  readonly host: string;
  readonly versionId: string;
  readonly behaviour: Behaviour;
  readonly askedAt: number;
  tries: number;
  over: boolean;
  readonly whenOver: (outcome: Outcome) => void;
}

export type Outcome = "served" | "stopped" | "failed" | "left";

/** What a version does with a request. Delays in milliseconds. */
export type Behaviour =
  | { readonly kind: "good"; readonly cpuMs: number }
  | { readonly kind: "slow"; readonly waitMs: number }
  | { readonly kind: "loops"; readonly share: number; readonly afterMs: number }
  | { readonly kind: "crashes"; readonly share: number }
  /** Answers at once and loops later: the front sees a good response. */
  | { readonly kind: "loops after its response"; readonly afterMs: number }
  /** Answers at once and keeps the process busy from then on, in bursts too short to be blamed for one. */
  | { readonly kind: "hogs"; readonly burstMs: number };
