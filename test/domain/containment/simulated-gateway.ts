import { Admission } from "../../../src/domain/containment/admission.ts";
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
  loopsSince = Number.POSITIVE_INFINITY;
  readonly #time: SimulatedTime;
  #busyUntil = 0;

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
    this.#busyUntil = Number.POSITIVE_INFINITY;
  }

  /** CPU time since then: an idle process has none to speak of. */
  cpuMsSince(since: number): number {
    return Math.max(0, this.#time.now - Math.max(since, this.loopsSince));
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
  | { readonly kind: "loops after its response"; readonly afterMs: number };
