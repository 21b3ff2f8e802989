/**
 * A register in a Durable Object: one visible value, changed by one writer at a time. Each change is first an
 * intent, then a row in the ledger (D1), then waits until no lease on the old value is alive, then becomes
 * visible by one write. Whatever is killed at whatever instant, the next call or the alarm finishes what was
 * begun, or gives it up for good.
 *
 * It never waits by a timer: an overdue timer could hold an object's clock back, and what is granted by that
 * clock with it. Whoever asked for the change waits, outside, and calls again; else the alarm does.
 */
import type { DomainError } from "../domain/errors.ts";
import type { Grant, LeaseTerms } from "../domain/lease.ts";
import {
  abandon,
  begin,
  discard,
  emptyRegister,
  flip,
  isUnsettled,
  settle,
  type Intent,
  type RegisterState,
  type Stamped,
} from "../domain/register.ts";
import { logEvent } from "../observability/log.ts";
import { faultPoint, type FaultPoint } from "./fault-point.ts";
import { LeaseGranter } from "./lease-granter.ts";
import { TurnQueue } from "./turn-queue.ts";

/** How a register's changes reach the ledger. Each may be called again for the same change. */
export interface LedgerHooks<V> {
  /** S2. Write the intent down. False: its place in the history is another's, so it must be given up. */
  commit(intent: Intent<V>): Promise<boolean>;
  /** S5. Say that everything after `settledSeq`, up to this change, is visible. */
  activate(visible: Stamped<V>, settledSeq: number): Promise<void>;
  /** Say that the intent will never become visible. */
  abort(intent: Intent<V>): Promise<void>;
  /** Within the transaction that makes the change visible. Synchronous: nothing may come between. */
  flipped(
    intent: Intent<V>,
    times: { readonly drainedOn: number; readonly flippedOn: number },
  ): void;
  /** Within the transaction that gives the change up. Synchronous. */
  abandoned(intent: Intent<V>, reason: DomainError): void;
  /** The ledger has another change where this one should have been: this object's storage is behind it. */
  fenced(): Promise<void>;
  /** The ledger keeps one row, which an aborted change moves on too; see `discard`. */
  readonly restampsAborted: boolean;
}

/** An unfinished change is looked at again this long after it could have ended. */
const RECOVERY_ALARM_MS = 500;
/** Attempts at S2 before a change is given up: the ledger is down, and the caller has been kept waiting. */
const COMMIT_ATTEMPTS_MAX = 3;

export class DurableRegister<V> {
  readonly turns = new TurnQueue();
  readonly #storage: DurableObjectStorage;
  readonly #hooks: LedgerHooks<V>;
  readonly #granter: LeaseGranter;
  readonly #fault: string | undefined;
  #state: RegisterState<V>;
  /** The intent whose ledger row is known to be there; another life of this object may have written it too. */
  #committed: string | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #working = 0;

  constructor(
    storage: DurableObjectStorage,
    hooks: LedgerHooks<V>,
    leases: {
      readonly terms: (isWaitedFor: boolean) => LeaseTerms;
      readonly skewMs: number;
    },
    fault: string | undefined,
  ) {
    this.#storage = storage;
    this.#hooks = hooks;
    this.#fault = fault;
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS register (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)",
    );
    const row = storage.sql.exec<{ state: string }>("SELECT state FROM register").toArray()[0];
    this.#state = row === undefined ? emptyRegister() : (JSON.parse(row.state) as RegisterState<V>);
    this.#granter = new LeaseGranter(
      storage.sql,
      () => leases.terms(this.turns.isWaitedFor),
      leases.skewMs,
      Date.now(),
    );
    if (this.#state.pending !== null) {
      this.turns.hold();
      // Whoever drove the change may be gone, and so may the alarm, if it was never confirmed.
      void storage.setAlarm(Date.now() + this.drainMs(Date.now()));
    }
  }

  /** True before the first change: then the ledger may know more than this object's storage. */
  get isNew(): boolean {
    const { visible, pending, nextSeq } = this.#state;
    return visible === null && pending === null && nextSeq === 1;
  }

  get visible(): Stamped<V> | null {
    return this.#state.visible;
  }

  /** What is on its way and may still become visible. */
  get pending(): Intent<V> | null {
    return this.#state.pending?.aborting === false ? this.#state.pending : null;
  }

  /** True while a change that was given up waits for the ledger to hear of it. Nothing new can begin. */
  get isAborting(): boolean {
    return this.#state.pending?.aborting === true;
  }

  get nextSeq(): number {
    return this.#state.nextSeq;
  }

  /** True while the ledger still has to hear something. */
  get isUnsettled(): boolean {
    return isUnsettled(this.#state);
  }

  /** Milliseconds from `now` until no lease on the visible value is alive. */
  drainMs(now: number): number {
    return Math.max(0, this.#granter.drainedAt - now);
  }

  /**
   * Take over what the ledger has, for an object that knows nothing. `unused`: nor does the ledger, so no lease was
   * ever given. `decided`: what is adopted as visible surely was. `undecided`: nobody may be answered yet.
   */
  adopt(state: RegisterState<V>, ledger: "unused" | "decided" | "undecided"): void {
    this.#save(state);
    if (ledger !== "unused") this.#granter.distrust(Date.now(), ledger === "undecided");
    if (state.pending !== null) this.turns.hold();
  }

  /** A lease on what is visible. Synchronous. */
  lease(): Grant {
    const register = { seq: this.#state.visible?.seq ?? 0, pending: this.pending !== null };
    return this.#granter.grant(register, Date.now());
  }

  /** One piece of work at a time: a method that awaits the ledger is not atomic by itself. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    const done = this.#tail.then(work, work).finally(() => {
      this.#working -= 1;
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** True while something is being worked on: a reader need not wait for it. */
  get isWorking(): boolean {
    return this.#working > 0;
  }

  /**
   * T1 and S2 of a change; T4 too if nothing has to drain. To be called exclusively, by whoever has the turn, which
   * ends with the change. `recordIntent` runs in the transaction of the intent.
   */
  async start(intentId: string, value: V, recordIntent: () => void): Promise<void> {
    try {
      this.#transaction(begin(this.#state, intentId, value), recordIntent);
    } catch (error) {
      this.turns.release(Date.now());
      throw error;
    }
    await this.#storage.setAlarm(Date.now() + this.drainMs(Date.now()) + RECOVERY_ALARM_MS);
    await this.#reached("T1");
    await this.push();
  }

  /** Carry on with whatever is unfinished, as far as it can go now. To be called exclusively, by anybody. */
  async push(): Promise<void> {
    const { pending } = this.#state;
    if (pending?.aborting === true) await this.#finishAbort(pending);
    else if (pending !== null) await this.#carryOn(pending);
    await this.#settle();
  }

  /** Give up what is pending, because of `reason`. False when it is too late: it is visible. */
  async giveUp(reason: DomainError): Promise<boolean> {
    const { pending } = this;
    if (pending === null) return false;
    this.#transaction(abandon(this.#state), () => this.#hooks.abandoned(pending, reason));
    await this.#finishAbort({ ...pending, aborting: true }).catch((error: unknown) =>
      unreachable(error),
    );
    return true;
  }

  /** For the object's alarm: never throws, and comes again while something is unfinished. */
  async onAlarm(): Promise<void> {
    await this.exclusively(() => this.push()).catch(unreachable);
    if (this.isUnsettled) {
      await this.#storage.setAlarm(Date.now() + this.drainMs(Date.now()) + RECOVERY_ALARM_MS);
    }
  }

  async #carryOn(intent: Intent<V>): Promise<void> {
    if (this.#committed !== intent.intentId) {
      const outcome = await this.#commit(intent);
      if (outcome !== "written") {
        await this.giveUp({ kind: "ledger_unavailable" });
        if (outcome === "fenced") await this.#hooks.fenced();
        return;
      }
      this.#committed = intent.intentId;
      await this.#reached("S2");
    }
    await this.#reached("S3");
    const now = Date.now();
    if (!this.#granter.isDrained(now)) return;
    const drainedOn = Math.min(now, this.#granter.drainedAt);
    this.#transaction(flip(this.#state), () =>
      this.#hooks.flipped(intent, { drainedOn, flippedOn: now }),
    );
    await this.#reached("T4");
    this.turns.release(now);
  }

  async #commit(intent: Intent<V>): Promise<"written" | "fenced" | "failed"> {
    for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
      try {
        return (await this.#hooks.commit(intent)) ? "written" : "fenced";
      } catch (error) {
        logEvent("warn", "ledger_write_failed", { attempt, error: String(error) });
      }
    }
    return "failed";
  }

  async #finishAbort(intent: Intent<V>): Promise<void> {
    await this.#hooks.abort(intent);
    this.#save(discard(this.#state, this.#hooks.restampsAborted));
    this.turns.release(Date.now());
  }

  async #settle(): Promise<void> {
    const { visible, settledSeq } = this.#state;
    if (visible !== null && settledSeq < visible.seq) {
      // Visible and durable: the answer is owed now. What the ledger still has to hear, the alarm can tell it.
      try {
        await this.#hooks.activate(visible, settledSeq);
        this.#save(settle(this.#state, visible.seq));
        await this.#reached("S5");
      } catch (error) {
        unreachable(error);
      }
    }
    if (!this.isUnsettled) await this.#storage.deleteAlarm();
  }

  /** All of it or nothing, in memory as in storage. */
  #transaction(next: RegisterState<V>, also: () => void): void {
    const before = this.#state;
    try {
      this.#storage.transactionSync(() => {
        this.#save(next);
        also();
      });
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  #save(state: RegisterState<V>): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO register (id, state) VALUES (1, ?)",
      JSON.stringify(state),
    );
    this.#state = state;
  }

  async #reached(point: FaultPoint): Promise<void> {
    if (this.#fault === undefined) return;
    await this.#storage.sync();
    await faultPoint(this.#fault, point);
  }
}

function unreachable(error: unknown): void {
  logEvent("warn", "ledger_unreachable", { error: String(error) });
}
