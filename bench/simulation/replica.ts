/**
 * PLANNED, not part of the product: an object in each location that holds a lease of the lock and gives leases to
 * the isolates around it, by the rules of domain/lease twice. A child's lease never outlives the replica's own, so
 * the lock need not know of children, and a replica that is lost takes nothing with it.
 */
import {
  grant,
  hold,
  isAlive,
  type Granter,
  type Lease,
  type LeaseTerms,
} from "../../src/domain/lease.ts";
import { ASK_MS_MAX } from "../../src/domain/limits.ts";
import type { HeardAnswer } from "../../src/gateway/held-register.ts";
import type { DriftingClock } from "./drifting-clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

type Heard = HeardAnswer<number>;
type Hear = (heard: Heard | Error) => void;

interface Waiter {
  readonly hear: Hear;
  /** The first question to the lock that was sent after this one came: from it on, answers are current for this one. */
  answeredBy: number | null;
}

/** After the lock turned it away, in milliseconds. */
const PAUSE_MS = 40;

export class Replica {
  readonly #time: VirtualTime;
  readonly #clock: DriftingClock;
  readonly #terms: LeaseTerms;
  readonly #leaseMs: number;
  readonly #askLock: (answer: Hear) => void;
  readonly #cuts: boolean;
  #lease: Lease | null = null;
  #heard: Heard | null = null;
  #asking: number | null = null;
  #questions = 0;
  #waiting: Waiter[] = [];

  /** `terms`: of the children. `leaseMs`: of the lock's leases. `cuts` false breaks it, to see that it shows. */
  constructor(options: {
    readonly time: VirtualTime;
    readonly clock: DriftingClock;
    readonly terms: LeaseTerms;
    readonly leaseMs: number;
    readonly askLock: (answer: Hear) => void;
    readonly cuts: boolean;
  }) {
    this.#time = options.time;
    this.#clock = options.clock;
    this.#terms = options.terms;
    this.#leaseMs = options.leaseMs;
    this.#askLock = options.askLock;
    this.#cuts = options.cuts;
  }

  /** An isolate's question arrives. */
  lease(hear: Hear): void {
    const now = this.#clock.now();
    const lease = this.#lease;
    if (lease !== null && isAlive(lease, now)) {
      hear(this.#give(lease, now));
      if (lease.until - now < this.#leaseMs / 2) this.#ask();
      return;
    }
    this.#waiting.push({ hear, answeredBy: null });
    this.#ask();
  }

  /** A granter that is always draining towards the end of its own lease: `grant` cuts all that it gives. */
  #give(lease: Lease, now: number): Heard {
    const granter: Granter = {
      drainedAt: this.#cuts ? lease.until : Infinity,
      authorityUntil: Infinity,
      inheritedMs: 0,
      inheritedUntil: 0,
    };
    const given = grant(this.#terms, granter, { seq: lease.seq, pending: true }, now);
    return { ...this.#heard!, seq: lease.seq, value: lease.seq, grant: given.grant };
  }

  #ask(): void {
    if (this.#asking !== null) return;
    const question = ++this.#questions;
    this.#asking = question;
    for (const waiter of this.#waiting) waiter.answeredBy ??= question;
    const askedAt = this.#clock.now();
    this.#askLock((heard) => this.#hear(question, askedAt, heard));
    this.#time.after(ASK_MS_MAX, () => this.#over(question, 0));
  }

  #hear(question: number, askedAt: number, heard: Heard | Error): void {
    if (heard instanceof Error) return this.#over(question, PAUSE_MS);
    this.#lease = hold(this.#lease, askedAt, heard.grant);
    this.#heard = heard;
    const waiting = this.#waiting;
    this.#waiting = [];
    const now = this.#clock.now();
    for (const waiter of waiting) {
      const lease = this.#lease;
      if (lease !== null && isAlive(lease, now)) waiter.hear(this.#give(lease, now));
      else if (heard.grant.kind === "serve" && (waiter.answeredBy ?? Infinity) <= question) {
        waiter.hear({ ...heard, grant: { ...heard.grant, leaseMs: 0 } });
      } else this.#waiting.push(waiter);
    }
    this.#over(question, 0);
  }

  #over(question: number, pauseMs: number): void {
    if (this.#asking !== question) return;
    // Until the pause is over, the question counts as being under way.
    this.#time.after(pauseMs, () => {
      if (this.#asking !== question) return;
      this.#asking = null;
      if (this.#waiting.length > 0) this.#ask();
    });
  }
}
