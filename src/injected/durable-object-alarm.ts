/**
 * `setAlarm`, `getAlarm` and `deleteAlarm` of an object's storage. The platform gives none to an object that runs inside
 * another one, so the other one keeps its alarm.
 */
const LATEST_MS = 6_927_292_799_999;
const { defineProperty } = Object;

/** Of the hosting object, for this object alone. */
export interface AlarmControl {
  setAlarm(scheduledTime: number): Promise<void>;
  getAlarm(): Promise<number | null>;
  deleteAlarm(): Promise<void>;
}

/** What a transaction has asked for and will only have when it commits. */
interface Pending {
  /** undefined: it has asked for nothing. Null: that there be none. */
  scheduledTime: number | null | undefined;
}

interface Transaction {
  rollback(): void;
}

type Closure<T> = (transaction: Transaction) => Promise<T>;

interface Storage {
  transaction<T>(closure: Closure<T>): Promise<T>;
  transactionSync<T>(closure: () => T): T;
  deleteAll(options?: unknown): Promise<void>;
  sync(): Promise<void>;
}

export class ObjectAlarm {
  readonly #control: AlarmControl;
  readonly #hasHandler: () => boolean;
  /** One after the other, so that what is asked for first happens first, awaited or not. */
  #last: Promise<unknown> = Promise.resolve();
  #pending: Pending | null = null;

  constructor(control: AlarmControl, hasHandler: () => boolean) {
    this.#control = control;
    this.#hasHandler = hasHandler;
  }

  /** Everything that was asked for is kept. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Puts itself in the place of what the platform refuses. */
  install(storage: object, deleteAllDeletesAlarm: boolean): void {
    const native = storage as Storage;
    const transaction = native.transaction.bind(native);
    const transactionSync = native.transactionSync.bind(native);
    const deleteAll = native.deleteAll.bind(native);
    const sync = native.sync.bind(native);
    this.#define(storage);
    define(storage, "transaction", (closure: Closure<unknown>) =>
      this.#within(() => transaction((txn) => this.#run(closure, txn))),
    );
    define(storage, "transactionSync", (closure: () => unknown) =>
      this.#withinSync(() => transactionSync(closure)),
    );
    define(storage, "deleteAll", async (options?: unknown) => {
      await deleteAll(options);
      if (deleteAllDeletesAlarm) await this.#ask(null);
    });
    define(storage, "sync", async () => {
      await this.settled();
      await sync();
    });
  }

  #define(owner: object): void {
    define(owner, "getAlarm", async () => this.#get());
    define(owner, "setAlarm", async (...args: readonly unknown[]) => this.#set(args[0]));
    define(owner, "deleteAlarm", async () => this.#ask(null));
  }

  async #get(): Promise<number | null> {
    const asked = this.#pending?.scheduledTime;
    if (asked !== undefined) return asked;
    return this.#inTurn(() => this.#control.getAlarm());
  }

  async #set(given: unknown): Promise<void> {
    const scheduledTime = readTime(given);
    if (!this.#hasHandler()) {
      throw new TypeError(
        "Your Durable Object class must have an alarm() handler in order to call setAlarm()",
      );
    }
    await this.#ask(Math.max(scheduledTime, Date.now()));
  }

  async #ask(scheduledTime: number | null): Promise<void> {
    if (this.#pending !== null) {
      this.#pending.scheduledTime = scheduledTime;
      return;
    }
    await this.#inTurn(() =>
      scheduledTime === null ? this.#control.deleteAlarm() : this.#control.setAlarm(scheduledTime),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #run<T>(closure: Closure<T>, txn: Transaction): Promise<T> {
    this.#define(txn);
    const rollback = txn.rollback.bind(txn);
    define(txn, "rollback", () => {
      if (this.#pending !== null) this.#pending.scheduledTime = undefined;
      rollback();
    });
    return closure(txn);
  }

  async #within<T>(work: () => Promise<T>): Promise<T> {
    const outer = this.#pending;
    const own: Pending = (this.#pending = { scheduledTime: undefined });
    try {
      const result = await work();
      this.#pending = outer;
      if (own.scheduledTime !== undefined) await this.#ask(own.scheduledTime);
      return result;
    } finally {
      this.#pending = outer;
    }
  }

  #withinSync<T>(work: () => T): T {
    const outer = this.#pending;
    const own: Pending = (this.#pending = { scheduledTime: undefined });
    try {
      const result = work();
      this.#pending = outer;
      if (own.scheduledTime !== undefined) void this.#ask(own.scheduledTime);
      return result;
    } finally {
      this.#pending = outer;
    }
  }
}

/** Milliseconds since 1970, from a Date or a number, as the platform reads them. */
function readTime(given: unknown): number {
  if (typeof given !== "number" && !(given instanceof Date)) {
    throw new TypeError(
      "Failed to execute 'setAlarm' on 'DurableObjectStorage': parameter 1 is not of type 'date'.",
    );
  }
  const time = Number(given);
  if (!Number.isFinite(time))
    throw new TypeError("The value cannot be converted because it is not a valid Date.");
  if (time > LATEST_MS) throw new TypeError("This API doesn't support dates after 2189.");
  if (time <= 0) throw new TypeError("setAlarm() cannot be called with an alarm time <= 0");
  return Math.trunc(time);
}

function define(owner: object, name: string, value: unknown): void {
  defineProperty(owner, name, { value, enumerable: false, configurable: true, writable: true });
}
