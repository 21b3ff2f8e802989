/**
 * One register as a gateway isolate holds it. While its lease lives it is served from memory, with no call at
 * all; else its lock is asked; if the lock cannot be reached, the ledger, which can prove the same; and if that
 * cannot either, the operator's policy says whether the last known value may be served for a while.
 */
import { hold, isAlive, type Grant, type Lease } from "../domain/lease.ts";
import { DEFAULT_ISOLATION, type IsolationPolicy } from "../domain/lease-settings.ts";
import {
  ASK_MS_MAX,
  CONTROL_PLANE_RETRY_MS,
  CONTROL_PLANE_TRIES_MAX,
  SHARED_ASK_MS_MAX,
} from "../domain/limits.ts";
import { logEvent } from "../observability/log.ts";
import { mayAskAgain } from "./ask.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";
import type { HolderClock } from "./holder-clock.ts";

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
  lease(knownSeq: number): Promise<HeardAnswer<V>>;
  ledger(): Promise<{ readonly seq: number; readonly value: V } | "undecided">;
}

/** Keeps work going after the answer that caused it. */
type Defer = (work: Promise<unknown>) => void;

const NOTHING_KNOWN = -1;

export class HeldRegister<V> {
  readonly #source: RegisterSource<V>;
  readonly #clock: HolderClock;
  #known: { readonly seq: number; readonly value: V } | null = null;
  #lease: Lease | null = null;
  #leaseMs = 0;
  #era = 0;
  /** When what is known was last known to be current. */
  #currentAt = -Infinity;
  #policy: IsolationPolicy = DEFAULT_ISOLATION;
  /** Ends with the question that is under way, whoever asked it. Its data is shared, never its promise's value. */
  #asking: Promise<unknown> | null = null;

  constructor(source: RegisterSource<V>, clock: HolderClock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** The newest value seen, whatever has happened since; null before the first. Not for serving. */
  get lastSeen(): V | null {
    return this.#known?.value ?? null;
  }

  /** What may be served from memory, if anything. Asks ahead, behind the answer, once half of the lease is gone. */
  peek(defer: Defer): Reading<V> | null {
    const now = this.#clock.now();
    const lease = this.#lease;
    if (lease === null || this.#known === null || this.#era !== this.#clock.era) return null;
    if (!isAlive(lease, now)) return null;
    if (lease.until - now < this.#leaseMs / 2 && this.#asking === null) {
      defer(this.#ask().catch(() => undefined));
    }
    return { value: this.#known.value, via: "lease", staleMs: 0 };
  }

  /** Throws `ControlPlaneUnavailable` when nobody can say what is current and the policy does not help. */
  async read(defer: Defer): Promise<Reading<V>> {
    const held = this.peek(defer);
    if (held !== null) return held;
    let failure: unknown = "no answer";
    for (let tries = 1; tries <= CONTROL_PLANE_TRIES_MAX; tries++) {
      if (this.#asking !== null) {
        // A question that was sent before this request came can answer it only by a lease that is alive now.
        await Promise.race([this.#asking, scheduler.wait(SHARED_ASK_MS_MAX)]);
        const shared = this.peek(defer);
        if (shared !== null) return shared;
      }
      try {
        const answer = await this.#ask();
        if (answer.grant.kind === "serve") return this.#reading("ask");
        failure = "its lock is being replaced";
      } catch (error) {
        failure = error;
        if (await this.#askLedger()) return this.#reading("ledger");
        if (!mayAskAgain(error) && !(error instanceof AskTimeout)) break;
      }
      await scheduler.wait(CONTROL_PLANE_RETRY_MS * 2 ** (tries - 1));
    }
    return this.#lastKnown(failure);
  }

  async #ask(): Promise<HeardAnswer<V>> {
    const askedAt = this.#clock.now();
    const era = this.#clock.era;
    const asking = withDeadline(this.#source.lease(this.#known?.seq ?? NOTHING_KNOWN));
    const over = asking.catch(() => undefined);
    this.#asking = over;
    try {
      const answer = await asking;
      this.#hear(askedAt, era, answer);
      return answer;
    } finally {
      if (this.#asking === over) this.#asking = null;
    }
  }

  #hear(askedAt: number, era: number, answer: HeardAnswer<V>): void {
    if (answer.grant.kind === "refuse") return;
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
    }
    this.#currentAt = Math.max(this.#currentAt, at);
  }

  async #askLedger(): Promise<boolean> {
    try {
      const at = this.#clock.now();
      const read = await withDeadline(this.#source.ledger());
      if (read === "undecided") return false;
      this.#learn(read.seq, read.value, at);
      return true;
    } catch (error) {
      logEvent("warn", "ledger_unreachable", { error: String(error) });
      return false;
    }
  }

  #reading(via: ReadPath): Reading<V> {
    if (this.#known === null) throw new ControlPlaneUnavailable(this.#source.question, "no value");
    return { value: this.#known.value, via, staleMs: 0 };
  }

  #lastKnown(failure: unknown): Reading<V> {
    const staleMs = this.#clock.now() - this.#currentAt;
    const { onIsolation, staleMsMax } = this.#policy;
    const mayServe = onIsolation === "last-known" && staleMs >= 0 && staleMs <= staleMsMax;
    if (this.#known === null || !mayServe) {
      throw new ControlPlaneUnavailable(this.#source.question, failure);
    }
    return { value: this.#known.value, via: "last-known", staleMs };
  }
}

class AskTimeout extends Error {}

async function withDeadline<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AskTimeout(`no answer in ${ASK_MS_MAX} ms`)), ASK_MS_MAX);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
