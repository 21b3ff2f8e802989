/**
 * Everything around the core that can go wrong, as moves that a walk or a replay makes in any order: clocks, lost,
 * doubled and late messages, lock instances that die or live on unseen, a ledger that hears late. After every
 * move that a visitor could notice, the promise is checked; the first breach is kept in `breach`.
 */
import type { Grant } from "../../src/domain/lease.ts";
import type { Draw } from "./clock.ts";
import type { Core, Faults } from "./core.ts";
import { Holder } from "./holder.ts";
import { Ledger } from "./ledger.ts";
import { Lock } from "./lock.ts";

const ASKS_MAX = 8;
const WRITES_MAX = 6;

interface Ask {
  readonly holder: Holder;
  readonly askedAt: number;
  readonly life: number;
  /** What was acknowledged, and what had been seen by anybody, when the asking request began. */
  readonly acked: number;
  readonly seen: number;
  grant: Grant | null;
}

export interface Counts {
  leaseServes: number;
  answers: number;
  refusals: number;
  ledgerReads: number;
  acks: number;
  givenUp: number;
  boots: number;
  bootsWithoutWait: number;
}

export const noCounts = (): Counts => ({
  leaseServes: 0,
  answers: 0,
  refusals: 0,
  ledgerReads: 0,
  acks: 0,
  givenUp: 0,
  boots: 0,
  bootsWithoutWait: 0,
});

export class World {
  readonly counts: Counts;
  breach: string | null = null;
  readonly #holders: readonly Holder[];
  readonly #ledger = new Ledger();
  readonly #lock: Lock;
  readonly #asks: Ask[] = [];
  #t = 0;
  #acked = 0;
  #seen = 0;

  constructor(core: Core, faults: Faults, holders: number, draw: Draw, counts: Counts) {
    this.counts = counts;
    const fail = (why: string) => this.#fail(why);
    this.#holders = Array.from({ length: holders }, () => new Holder(core, faults, draw, fail));
    this.#lock = new Lock(core, faults, this.#ledger, draw, counts, fail);
  }

  wait(ms: number): void {
    this.#t += ms;
  }

  /** A visitor comes: served from memory, or the lock is asked. Says whether it was served. */
  visit(n: number): boolean {
    const holder = this.#holderOf(n);
    const seq = holder.serve(this.#t);
    if (seq === null) {
      this.#ask(holder);
      return false;
    }
    this.counts.leaseServes += 1;
    this.#check("lease", seq, this.#acked, this.#seen);
    return true;
  }

  /** Ask ahead of time. */
  refresh(n: number): void {
    this.#ask(this.#holderOf(n));
  }

  /** A visitor is served from the ledger, if that proves anything. */
  visitByLedger(): void {
    const seq = this.#ledger.provenCurrent();
    if (seq === null) return;
    this.counts.ledgerReads += 1;
    this.#check("ledger", seq, this.#acked, this.#seen);
  }

  /** An ask reaches an instance of the lock, or an answer reaches the holder, whichever the picked one awaits. */
  deliver(n: number, m: number): void {
    const ask = this.#asks[n % (this.#asks.length || 1)];
    if (ask === undefined) return;
    if (ask.grant === null) {
      ask.grant = this.#lock.answer(m, this.#t);
      if (ask.grant.kind === "refuse") this.counts.refusals += 1;
      return;
    }
    this.#asks.splice(this.#asks.indexOf(ask), 1);
    ask.holder.hear(ask.askedAt, ask.life, ask.grant, this.#t);
    if (ask.grant.kind === "refuse") return;
    this.counts.answers += 1;
    this.#check("answer", ask.grant.seq, ask.acked, ask.seen);
  }

  lose(n: number): void {
    if (this.#asks.length > 0) this.#asks.splice(n % this.#asks.length, 1);
  }

  double(n: number): void {
    const ask = this.#asks[n % (this.#asks.length || 1)];
    if (ask !== undefined && this.#asks.length < ASKS_MAX) this.#asks.push({ ...ask });
  }

  stepBack(n: number, ms: number): void {
    this.#holderOf(n).stepBack(ms, this.#t);
  }

  begin(): void {
    this.#lock.begin();
  }

  /** The lock sends what the ledger has to hear next. */
  send(): void {
    this.#lock.send(WRITES_MAX);
  }

  /** One of the writes under way arrives; perhaps it will arrive again, perhaps its answer is lost. */
  writeArrives(n: number, stays: boolean, answerLost: boolean): void {
    this.#lock.writeArrives(n, stays, answerLost);
  }

  loseWrite(n: number): void {
    this.#lock.loseWrite(n);
  }

  flip(): void {
    this.#lock.flip(this.#t);
  }

  giveUp(): void {
    this.#lock.giveUp();
  }

  /** The deployer hears that the change is visible. */
  acknowledge(): void {
    const seq = this.#lock.acknowledge();
    if (seq === null) return;
    this.counts.acks += 1;
    this.#acked = Math.max(this.#acked, seq);
    this.#lock.remember(seq);
  }

  /** The lock's instance is replaced. The old one may live on, answering from memory until its authority ends. */
  boot(livesOn: boolean): void {
    this.#lock.boot(this.#t, livesOn);
  }

  changeTerms(n: number): void {
    this.#lock.changeTerms(n);
  }

  /** What can only be said when it is over: the ledger tells what happened, and nothing else. */
  finish(): void {
    this.#lock.checkLedger();
  }

  #holderOf(n: number): Holder {
    return this.#holders[n % this.#holders.length] as Holder;
  }

  #ask(holder: Holder): void {
    if (this.#asks.length >= ASKS_MAX) return;
    const askedAt = holder.now(this.#t);
    const { life } = holder;
    this.#asks.push({ holder, askedAt, life, acked: this.#acked, seen: this.#seen, grant: null });
  }

  #check(how: string, seq: number, acked: number, seen: number): void {
    if (seq < acked)
      this.#fail(`${how}: ${seq} for a request begun after ${acked} was acknowledged`);
    if (seq < seen)
      this.#fail(`${how}: ${seq} for a request begun after somebody had seen ${seen}`);
    if (seq > this.#seen) this.#seen = seq;
  }

  #fail(why: string): void {
    this.breach ??= why;
  }
}
