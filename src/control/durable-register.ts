/**
 * A register in a Durable Object: one visible value, changed by one writer at a time, each change written
 * to the ledger (D1) before it becomes visible. Whatever is killed at whatever instant, the next call or the
 * alarm finishes what was begun, or gives it up for good.
 *
 * It never waits by a timer: an overdue timer could hold an object's clock back, and what is granted by
 * that clock with it.
 */
import type { DomainError } from "../domain/errors.ts";
import { LOCK_QUEUE_MAX, LOCK_WAIT_MS_MAX } from "../domain/limits.ts";
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
import { err, ok, type Result } from "../domain/result.ts";
import { faultPoint, type FaultPoint } from "./fault-point.ts";

/** How a register's changes reach the ledger. Each may be called again for the same change. */
export interface LedgerHooks<V> {
  /** S2. Write the intent down. False: its place in the history is another's, so it must be given up. */
  commit(intent: Intent<V>): Promise<boolean>;
  /** S5. Say that everything up to `seq` is visible. */
  activate(seq: number): Promise<void>;
  /** Say that the intent will never become visible. */
  abort(intent: Intent<V>): Promise<void>;
  /** Within the transaction that makes the change visible. Synchronous: nothing may come between. */
  flipped(value: V): void;
  /** Within the transaction that gives the change up. Synchronous. */
  abandoned(intent: Intent<V>): void;
}

/** An unfinished change is looked at again after this long: enough for a healthy one to have ended. */
const RECOVERY_ALARM_MS = 1_000;
/** Attempts at S2 before a change is given up: the ledger is down, and the caller has been kept waiting. */
const COMMIT_ATTEMPTS_MAX = 3;

export class DurableRegister<V> {
  readonly #storage: DurableObjectStorage;
  readonly #hooks: LedgerHooks<V>;
  readonly #fault: string | undefined;
  #state: RegisterState<V>;
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(storage: DurableObjectStorage, hooks: LedgerHooks<V>, fault: string | undefined) {
    this.#storage = storage;
    this.#hooks = hooks;
    this.#fault = fault;
    storage.sql.exec("CREATE TABLE IF NOT EXISTS register (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)");
    const row = storage.sql.exec<{ state: string }>("SELECT state FROM register").toArray()[0];
    this.#state = row === undefined ? emptyRegister() : (JSON.parse(row.state) as RegisterState<V>);
  }

  /** True before the first change: then the ledger may know more than this object's storage. */
  get isNew(): boolean {
    return this.#state.visible === null && this.#state.pending === null && this.#state.nextSeq === 1;
  }

  get visible(): Stamped<V> | null {
    return this.#state.visible;
  }

  /** The place in the history that the next change will take. */
  get nextSeq(): number {
    return this.#state.nextSeq;
  }

  /** Take over what the ledger has, for an object whose own storage is empty. */
  adopt(state: RegisterState<V>): void {
    this.#save(state);
  }

  /**
   * Run one change at a time. A change that cannot have its turn soon is not begun: `lock_queue_full` at
   * once, or `lock_wait_expired` when its turn comes too late.
   */
  async serialize<T>(work: () => Promise<T>): Promise<Result<T, DomainError>> {
    if (this.#queued >= LOCK_QUEUE_MAX) return err({ kind: "lock_queue_full", waiting: this.#queued });
    const askedAt = Date.now();
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    this.#queued += 1;
    try {
      await before;
      const waitedMs = Date.now() - askedAt;
      if (waitedMs > LOCK_WAIT_MS_MAX) return err({ kind: "lock_wait_expired", waitedMs });
      return ok(await work());
    } finally {
      this.#queued -= 1;
      resolve();
    }
  }

  /**
   * Finish whatever an earlier call left. To be called first in every serialized change; an error means
   * that the ledger cannot be reached and nothing new may begin.
   */
  async recover(): Promise<Result<void, DomainError>> {
    try {
      const { pending } = this.#state;
      if (pending?.aborting === true) await this.#abort(pending);
      else if (pending !== null) await this.#carryOut(pending);
      await this.#activate();
    } catch (error) {
      console.log(
        JSON.stringify({ level: "warn", event: "ledger_unreachable", error: String(error) }),
      );
    }
    return this.#state.pending === null ? ok(undefined) : err({ kind: "ledger_unavailable" });
  }

  /**
   * Make `value` the visible one. On return it is durable and every later reader has it, or the error says
   * that nothing changed. `recordIntent` runs in the transaction of the intent.
   */
  async change(
    intentId: string,
    value: V,
    recordIntent: () => void = () => {},
  ): Promise<Result<number, DomainError>> {
    const next = begin(this.#state, intentId, value);
    this.#storage.transactionSync(() => {
      this.#save(next);
      recordIntent();
    });
    const intent = next.pending as Intent<V>;
    await this.#storage.setAlarm(Date.now() + RECOVERY_ALARM_MS);
    await this.#reached("T1");
    const done = await this.#carryOut(intent);
    if (done.ok) {
      // Visible and durable: the answer is owed now. What the ledger still has to hear can wait for the alarm.
      await this.#activate().catch(() => undefined);
    }
    return done;
  }

  /** For the object's alarm: never throws, and comes again while something is unfinished. */
  async onAlarm(): Promise<void> {
    await this.serialize(() => this.recover());
    if (isUnsettled(this.#state)) {
      await this.#storage.setAlarm(Date.now() + RECOVERY_ALARM_MS);
    }
  }

  get isUnsettled(): boolean {
    return isUnsettled(this.#state);
  }

  async #carryOut(intent: Intent<V>): Promise<Result<number, DomainError>> {
    const committed = await this.#commit(intent);
    if (committed !== "written") {
      this.#storage.transactionSync(() => {
        this.#save(abandon(this.#state));
        this.#hooks.abandoned(intent);
      });
      await this.#abort(intent).catch(() => undefined);
      return err({ kind: "ledger_unavailable" });
    }
    await this.#reached("S2");
    await this.#reached("S3");
    this.#storage.transactionSync(() => {
      this.#save(flip(this.#state));
      this.#hooks.flipped(intent.value);
    });
    await this.#reached("T4");
    return ok(intent.seq);
  }

  async #commit(intent: Intent<V>): Promise<"written" | "fenced" | "failed"> {
    for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
      try {
        return (await this.#hooks.commit(intent)) ? "written" : "fenced";
      } catch (error) {
        console.log(
          JSON.stringify({ level: "warn", event: "ledger_write_failed", attempt, error: String(error) }),
        );
      }
    }
    return "failed";
  }

  async #abort(intent: Intent<V>): Promise<void> {
    await this.#hooks.abort(intent);
    this.#save(discard(this.#state));
  }

  async #activate(): Promise<void> {
    const { visible, settledSeq } = this.#state;
    if (visible !== null && settledSeq < visible.seq) {
      await this.#hooks.activate(visible.seq);
      this.#save(settle(this.#state, visible.seq));
      await this.#reached("S5");
    }
    if (!isUnsettled(this.#state)) await this.#storage.deleteAlarm();
  }

  #save(state: RegisterState<V>): void {
    this.#storage.sql.exec("INSERT OR REPLACE INTO register (id, state) VALUES (1, ?)", JSON.stringify(state));
    this.#state = state;
  }

  async #reached(point: FaultPoint): Promise<void> {
    if (this.#fault === undefined) return;
    await this.#storage.sync();
    await faultPoint(this.#fault, point);
  }
}
