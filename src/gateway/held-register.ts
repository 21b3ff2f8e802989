/**
 * One register as a gateway isolate holds it. While its lease lives it is served from memory, with no call at
 * all; else its lock is asked; if the lock cannot be reached, the ledger, which can prove the same; and if that
 * cannot either, the operator's policy says whether the last known value may be served for a while.
 */
import { hold, isAlive, type Grant, type Lease } from "../domain/lease.ts";
import type { IsolationPolicy } from "../domain/lease-settings.ts";
import {
  ASK_MS_MAX,
  ASKS_UNDER_WAY_MAX,
  CONTROL_PLANE_RETRY_MS,
  CONTROL_PLANE_TRIES_MAX,
  LEDGER_READS_UNDER_WAY_MAX,
  SHARED_ASK_MS_MAX,
  SHARED_ASKS_MAX,
} from "../domain/limits.ts";
import { logSampled } from "../observability/log-sampler.ts";
import { isOverloaded, mayAskAgain } from "./ask.ts";
import { Crowd } from "./crowd.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";
import type { HolderClock } from "./holder-clock.ts";
import { LATE, within } from "./within.ts";

/** How a value is known to be current; `last-known` is not. */
export type ReadPath = "lease" | "ask" | "ledger" | "last-known";

export interface Reading<V> {
  readonly value: V;
  readonly via: ReadPath;
  /** For `last-known`: how long ago it was known to be current, in milliseconds; else 0. */
  readonly staleMs: number;
}

/** What a lock said. Without `value`: it is the one that was known under the same sequence number. */
export interface HeardAnswer<V> {
  readonly grant: Grant;
  readonly seq: number;
  readonly value?: V;
  readonly policy?: IsolationPolicy;
}

export interface RegisterSource<V> {
  /** For messages: what is asked for. */
  readonly question: string;
  /** Holds until the lock has said something else. */
  readonly policy: IsolationPolicy;
  lease(knownSeq: number): Promise<HeardAnswer<V>>;
  ledger(): Promise<{ readonly seq: number; readonly value: V } | "undecided">;
}

type LedgerOutcome = "proven" | "undecided" | "unreachable";

/** Keeps work going after the answer that caused it. */
type Defer = (work: Promise<unknown>) => void;

const NOTHING_KNOWN = -1;
/** How often a request waits for others when it may not ask itself: as long as an answer of its own may take. */
const WAITS_MAX = Math.ceil(ASK_MS_MAX / SHARED_ASK_MS_MAX);

/** A question to the lock that is under way. */
interface Question {
  /** Questions are numbered in the order in which they are sent. */
  readonly number: number;
  readonly askedAt: number;
  /** What went wrong, or null. Never rejects, but may never end either: it dies with the request that asked. */
  readonly failure: Promise<unknown>;
}

export class HeldRegister<V> {
  readonly #source: RegisterSource<V>;
  readonly #clock: HolderClock;
  #known: { readonly seq: number; readonly value: V } | null = null;
  /** On what is known. */
  #lease: Lease | null = null;
  #leaseMs = 0;
  #era = 0;
  /** When what is known was last known to be current. */
  #currentAt = -Infinity;
  #policy: IsolationPolicy;
  /** The newest question under way, whoever asked it. */
  #asking: Question | null = null;
  #sent = 0;
  /** The newest question that was answered. */
  #answered = 0;
  readonly #asks = new Crowd(ASKS_UNDER_WAY_MAX);
  readonly #ledgerReads = new Crowd(LEDGER_READS_UNDER_WAY_MAX);
  /** The newest reading of the ledger; its promise never rejects, but may never end either. */
  #ledgerRead: Promise<unknown> = Promise.resolve();
  #ledgerReadsBegun = 0;
  /** The newest reading that proved what is current. */
  #ledgerProof = 0;

  constructor(source: RegisterSource<V>, clock: HolderClock) {
    this.#source = source;
    this.#clock = clock;
    this.#policy = source.policy;
  }

  /** The newest value seen, whatever has happened since; null before the first. Not for serving. */
  get lastSeen(): V | null {
    return this.#known?.value ?? null;
  }

  /** The sequence number of {@link lastSeen}; null before the first. */
  get lastSeenSeq(): number | null {
    return this.#known?.seq ?? null;
  }

  /** Whether the policy lets something be served that was last known to be current so many milliseconds ago. */
  mayBeStale(staleMs: number): boolean {
    const { onIsolation, staleMsMax } = this.#policy;
    return onIsolation === "last-known" && staleMs <= staleMsMax;
  }

  /** What may be served from memory, if anything. Asks ahead, behind the answer, once half of the lease is gone. */
  peek(defer: Defer): Reading<V> | null {
    const now = this.#clock.now();
    const lease = this.#lease;
    if (lease === null || this.#known === null || this.#era !== this.#clock.era) return null;
    if (!isAlive(lease, now)) return null;
    if (lease.until - now < this.#leaseMs / 2 && this.#underWay(now) === null) defer(this.#ask());
    return { value: this.#known.value, via: "lease", staleMs: 0 };
  }

  /** Throws `ControlPlaneUnavailable` when nobody can say what is current and the policy does not help. */
  async read(defer: Defer): Promise<Reading<V>> {
    const held = this.peek(defer);
    if (held !== null) return held;
    const sentBefore = this.#sent;
    let failure: unknown = null;
    for (let tries = 1; tries <= CONTROL_PLANE_TRIES_MAX; tries++) {
      if (tries > 1) await this.#clock.wait(CONTROL_PLANE_RETRY_MS * 2 ** (tries - 2));
      if (!isOverloaded(failure)) {
        const heard = await this.#hearLock(sentBefore, defer);
        if (!(heard instanceof Unheard)) return heard;
        failure = heard.reason;
      }
      const ledger = await this.#hearLedger();
      if (ledger === "proven") return this.#reading("ledger");
      if (ledger === "unreachable" && !mayAskAgain(failure)) break;
    }
    return this.#lastKnown(failure);
  }

  /**
   * By an answer to another request's question, or else its own. A question sent after this request came answers
   * it too; one sent before does so only by a lease that is alive now. Failures are shared: the next in line would
   * only press a lock that is down already. And few ask at a time: a lock that is slow must get the chance to answer.
   */
  async #hearLock(sentBefore: number, defer: Defer): Promise<Reading<V> | Unheard> {
    for (let shared = 1; ; shared++) {
      const now = this.#clock.now();
      const asking = this.#underWay(now);
      if (asking === null || (shared > SHARED_ASKS_MAX && !this.#asks.isFull(now))) break;
      if (shared > WAITS_MAX) return new Unheard(new Error(`no answer in ${ASK_MS_MAX} ms`));
      const failure = await within(this.#clock, SHARED_ASK_MS_MAX, asking.failure);
      const held = this.peek(defer);
      if (held !== null) return held;
      if (this.#answered > sentBefore) return this.#reading("ask");
      if (failure !== LATE && failure !== null) return new Unheard(failure);
      // Whoever asked may be gone. One takes the question over; the others wait for that one.
      const isNext = failure === LATE && this.#asking === asking;
      if (isNext && !this.#asks.isFull(this.#clock.now())) break;
    }
    const asking = this.#ask();
    // Others may wait for it, so it should outlive a visitor who leaves.
    defer(asking);
    const failure = await asking;
    return failure === null ? this.#reading("ask") : new Unheard(failure);
  }

  /** The question under way, unless it is so old that its asker is gone. */
  #underWay(now: number): Question | null {
    const asking = this.#asking;
    return asking !== null && now - asking.askedAt <= ASK_MS_MAX ? asking : null;
  }

  /** Resolves to what went wrong, or null. */
  #ask(): Promise<unknown> {
    const askedAt = this.#clock.now();
    const { era } = this.#clock;
    const number = ++this.#sent;
    const leave = this.#asks.enter(askedAt);
    const answer = new Promise<HeardAnswer<V>>((resolve) => {
      resolve(this.#source.lease(this.#known?.seq ?? NOTHING_KNOWN));
    });
    const hear = async (): Promise<unknown> => {
      try {
        const heard = await within(this.#clock, ASK_MS_MAX, answer);
        if (heard === LATE) throw new Error(`no answer in ${ASK_MS_MAX} ms`);
        this.#hear(askedAt, era, heard);
        this.#answered = Math.max(this.#answered, number);
        return null;
      } catch (error) {
        return error ?? new Error("no reason given");
      } finally {
        leave();
        if (this.#asking?.number === number) this.#asking = null;
      }
    };
    const failure = hear();
    this.#asking = { number, askedAt, failure };
    return failure;
  }

  #hear(askedAt: number, era: number, answer: HeardAnswer<V>): void {
    if (answer.grant.kind === "refuse") throw new LockReplaced("its lock is being replaced");
    if (answer.policy !== undefined) this.#policy = answer.policy;
    this.#learn(answer.seq, answer.value, askedAt);
    this.#clock.now();
    // Counted from before the question; a reading from before a step of the clock says nothing after it.
    if (era !== this.#clock.era || this.#known?.seq !== answer.seq) return;
    const before = this.#era === era ? this.#lease : null;
    this.#lease = hold(before, askedAt, answer.grant);
    this.#leaseMs = answer.grant.leaseMs;
    this.#era = era;
  }

  /** Answers may come in any order: what is known only ever moves to a later sequence number. */
  #learn(seq: number, value: V | undefined, at: number): void {
    const known = this.#known;
    if (known === null || seq > known.seq) {
      if (value === undefined) throw new Error("it sent no value");
      this.#known = { seq, value };
      this.#lease = null;
    }
    this.#currentAt = Math.max(this.#currentAt, at);
  }

  /** By a reading of its own, or while there are many by one that began after this request came here. */
  async #hearLedger(): Promise<LedgerOutcome> {
    const begunBefore = this.#ledgerReadsBegun;
    for (let waits = 0; waits < WAITS_MAX; waits++) {
      if (!this.#ledgerReads.isFull(this.#clock.now())) {
        const reading = this.#readLedger();
        this.#ledgerRead = reading;
        return await reading;
      }
      await within(this.#clock, SHARED_ASK_MS_MAX, this.#ledgerRead);
      if (this.#ledgerProof > begunBefore) return "proven";
    }
    return "unreachable";
  }

  async #readLedger(): Promise<LedgerOutcome> {
    const at = this.#clock.now();
    const number = ++this.#ledgerReadsBegun;
    const leave = this.#ledgerReads.enter(at);
    try {
      const read = await within(this.#clock, ASK_MS_MAX, this.#source.ledger());
      if (read === LATE) throw new Error(`no answer in ${ASK_MS_MAX} ms`);
      if (read === "undecided") return read;
      this.#learn(read.seq, read.value, at);
      this.#ledgerProof = Math.max(this.#ledgerProof, number);
      return "proven";
    } catch (error) {
      logSampled("warn", "ledger_unreachable", "", { error: String(error) });
      return "unreachable";
    } finally {
      leave();
    }
  }

  #reading(via: ReadPath): Reading<V> {
    if (this.#known === null) throw new ControlPlaneUnavailable(this.#source.question, "no value");
    return { value: this.#known.value, via, staleMs: 0 };
  }

  #lastKnown(failure: unknown): Reading<V> {
    const now = this.#clock.now();
    // After a step of the clock its age can only be counted from here.
    this.#currentAt = Math.min(this.#currentAt, now);
    const staleMs = Math.max(1, now - this.#currentAt);
    if (this.#known === null || !this.mayBeStale(staleMs)) {
      throw new ControlPlaneUnavailable(this.#source.question, failure);
    }
    return { value: this.#known.value, via: "last-known", staleMs };
  }
}

/** No answer of the lock that a request could use. */
class Unheard {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

class LockReplaced extends Error {
  readonly retryable = true;
}
