/**
 * The model of the lock: its storage, the instance that owns it, replaced instances that live on, and its writes
 * to the ledger. The order of steps is the product's: intent, row, drain, flip, ack, `active`.
 */
import type { AuthorityRecord, Grant, Granter, LeaseTerms } from "../../src/domain/lease.ts";
import type { RegisterState } from "../../src/domain/register.ts";
import { LockClock, SKEW_MS, type Draw } from "./clock.ts";
import type { Core, Faults } from "./core.ts";
import type { Ledger, LedgerWrite } from "./ledger.ts";
import type { Counts } from "./world.ts";

const TWINS_MAX = 2;
const TERMS: readonly LeaseTerms[] = [
  { leaseMs: 40, authorityMs: 80, driftPermille: 100, marginMs: 3 },
  { leaseMs: 15, authorityMs: 80, driftPermille: 100, marginMs: 3 },
  { leaseMs: 40, authorityMs: 160, driftPermille: 100, marginMs: 3 },
  { leaseMs: 40, authorityMs: 40, driftPermille: 100, marginMs: 3 },
];

interface Instance {
  readonly clock: LockClock;
  granter: Granter;
  /** What it believes the storage to hold: true of the owner alone. */
  register: RegisterState<string>;
  terms: LeaseTerms;
}

export class Lock {
  readonly #core: Core;
  readonly #faults: Faults;
  readonly #ledger: Ledger;
  readonly #draw: Draw;
  readonly #counts: Counts;
  readonly #fail: (why: string) => void;
  readonly #writes: LedgerWrite[] = [];
  readonly #flipped = new Set<number>();
  readonly #acknowledged: number[] = [];
  /** Those whose deployers were told that nothing changed. */
  readonly #refused = new Set<number>();
  #authority: AuthorityRecord | null = null;
  #owner: Instance;
  #ownerId = 0;
  #twins: Instance[] = [];
  /** The owner knows that the pending change has its row. */
  #written = false;
  #intents = 0;
  #newestSeq = 0;
  #unacked: number | null = null;

  constructor(
    core: Core,
    faults: Faults,
    ledger: Ledger,
    draw: Draw,
    counts: Counts,
    fail: (why: string) => void,
  ) {
    this.#core = core;
    this.#faults = faults;
    this.#ledger = ledger;
    this.#draw = draw;
    this.#counts = counts;
    this.#fail = fail;
    this.#owner = this.#start(core.register.emptyRegister<string>(), 0);
  }

  answer(n: number, t: number): Grant {
    const twin = n === 0 ? undefined : this.#twins[n % this.#twins.length];
    const instance = twin ?? this.#owner;
    const { lease } = this.#core;
    const { terms, register } = instance;
    const now = instance.clock.read(t);
    // A replaced instance cannot write: only the owner's authority grows.
    if (twin === undefined && lease.needsAuthority(terms, instance.granter, now)) {
      instance.granter = lease.authorise(terms, instance.granter, now);
      this.#authority = this.#recordOf(instance, now);
    }
    // What is being given up will not become visible: leases need not make way for it while the ledger is down.
    const pending = register.pending !== null && !register.pending.aborting;
    const current = { seq: register.visible?.seq ?? 0, pending };
    const answer = lease.grant(terms, instance.granter, current, now);
    instance.granter = answer.granter;
    return answer.grant;
  }

  begin(): void {
    if (this.#owner.register.pending !== null) return;
    this.#intents += 1;
    this.#written = false;
    this.#owner.register = this.#core.register.begin(
      this.#owner.register,
      `i${this.#intents}`,
      `v${this.#intents}`,
    );
    const seq = this.#owner.register.pending?.seq ?? 0;
    if (seq <= this.#newestSeq) this.#fail(`sequence number ${seq} was used twice`);
    this.#newestSeq = seq;
  }

  send(max: number): void {
    if (this.#writes.length >= max) return;
    const { pending, visible, settledSeq } = this.#owner.register;
    const sender = this.#ownerId;
    if (pending !== null && (pending.aborting || !this.#written)) {
      const kind = pending.aborting ? "abort" : "commit";
      this.#writes.push({ kind, seq: pending.seq, intentId: pending.intentId, sender });
    } else if (pending !== null && this.#faults.activeEarly === true) {
      this.#writes.push({ kind: "activate", seq: pending.seq, intentId: "", sender });
    } else if (visible !== null && settledSeq < visible.seq) {
      this.#writes.push({ kind: "activate", seq: visible.seq, intentId: "", sender });
    }
  }

  writeArrives(n: number, stays: boolean, answerLost: boolean): void {
    const write = this.#writes[n % (this.#writes.length || 1)];
    if (write === undefined) return;
    if (!stays) this.#writes.splice(this.#writes.indexOf(write), 1);
    const good = this.#ledger.apply(write);
    if (!answerLost && write.sender === this.#ownerId) this.#hear(write, good);
  }

  loseWrite(n: number): void {
    if (this.#writes.length > 0) this.#writes.splice(n % this.#writes.length, 1);
  }

  flip(t: number): void {
    const { register, granter, clock } = this.#owner;
    const { pending } = register;
    if (pending === null || pending.aborting) return;
    if (!this.#written && this.#faults.rowLate !== true) return;
    if (!this.#core.lease.isDrained(granter, clock.read(t))) return;
    this.#owner.register = this.#core.register.flip(register);
    const { visible } = this.#owner.register;
    if (visible === null || visible.seq <= (register.visible?.seq ?? 0)) {
      this.#fail("the register went back");
      return;
    }
    if (this.#refused.has(visible.seq))
      this.#fail(`${visible.seq} was given up and became visible`);
    this.#flipped.add(visible.seq);
    this.#unacked = visible.seq;
  }

  giveUp(): void {
    const { pending } = this.#owner.register;
    if (pending === null || pending.aborting) return;
    this.#counts.givenUp += 1;
    this.#abandon();
  }

  acknowledge(): number | null {
    const { pending } = this.#owner.register;
    if (this.#faults.ackEarly === true && pending !== null && this.#written) return pending.seq;
    const seq = this.#unacked;
    this.#unacked = null;
    return seq;
  }

  /** For the end of the run: an acknowledged change has to be in the ledger for ever. */
  remember(seq: number): void {
    this.#acknowledged.push(seq);
  }

  boot(t: number, livesOn: boolean): void {
    this.#counts.boots += 1;
    if (livesOn) this.#twins = [...this.#twins, this.#owner].slice(-TWINS_MAX);
    this.#ownerId += 1;
    this.#written = false;
    // Whoever waited for the answer of the dead instance will not hear it.
    this.#unacked = null;
    this.#owner = this.#start(this.#owner.register, t);
  }

  changeTerms(n: number): void {
    this.#owner.terms = TERMS[n % TERMS.length] as LeaseTerms;
  }

  checkLedger(): void {
    for (const seq of this.#acknowledged) {
      const status = this.#ledger.statusOf(seq);
      if (status !== "active" && status !== "committing") {
        this.#fail(`acknowledged ${seq} is ${status} in the ledger`);
      }
    }
    for (const seq of this.#ledger.activeSeqs()) {
      if (!this.#flipped.has(seq))
        this.#fail(`${seq} is active in the ledger and was never visible`);
    }
  }

  #start(register: RegisterState<string>, t: number): Instance {
    const { lease } = this.#core;
    const clock = new LockClock(this.#draw);
    const terms = TERMS[this.#draw(TERMS.length)] as LeaseTerms;
    const now = clock.read(t);
    const earlier =
      this.#authority === null ? null : lease.earlierAuthority(this.#authority, now, SKEW_MS);
    if (earlier === null && this.#authority !== null) this.#counts.bootsWithoutWait += 1;
    const instance = { clock, terms, register, granter: lease.boot(terms, now, earlier) };
    this.#authority = this.#recordOf(instance, now);
    return instance;
  }

  #recordOf({ granter, terms }: Instance, now: number): AuthorityRecord {
    if (this.#faults.recordsCurrentTerms === true) {
      return { authorityMs: terms.authorityMs, horizon: now + terms.authorityMs };
    }
    return this.#core.lease.authorityRecord(granter, now);
  }

  #hear(write: LedgerWrite, good: boolean): void {
    const { register } = this.#core;
    const { pending } = this.#owner.register;
    if (write.kind === "activate") {
      if (this.#faults.activeEarly === true) return;
      this.#owner.register = register.settle(this.#owner.register, write.seq);
    } else if (pending === null || pending.intentId !== write.intentId) return;
    else if (write.kind === "abort") {
      if (pending.aborting) this.#owner.register = register.discard(this.#owner.register);
    } else if (good) this.#written = !pending.aborting;
    else if (!pending.aborting) this.#abandon();
  }

  #abandon(): void {
    const { register } = this.#core;
    this.#written = false;
    this.#refused.add(this.#owner.register.pending?.seq ?? 0);
    this.#owner.register = register.abandon(this.#owner.register);
    if (this.#faults.noTombstone === true) {
      this.#owner.register = register.discard(this.#owner.register);
    }
  }
}
