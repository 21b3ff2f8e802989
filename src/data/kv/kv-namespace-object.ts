import { DurableObject } from "cloudflare:workers";
import {
  checkBulkGet,
  checkGet,
  checkKey,
  checkList,
  cursorAfter,
  decidePut,
  KV_NAMESPACE_GONE,
  keyOfCursor,
  type KvAttributes,
  type KvListOptions,
  type KvPutOptions,
  type KvRefusal,
  valueTooLarge,
} from "../../domain/kv.ts";
import {
  KV_BULK_GET_BYTES_MAX,
  KV_INLINE_BYTES_MAX,
  KV_LIST_KEYS_MAX,
  KV_SWEEP_INTERVAL_MS,
  KV_SWEEP_KEYS_MAX,
  KV_VALUE_BYTES_MAX,
} from "../../domain/limits-kv.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { KvValues } from "./kv-values.ts";

/** Small values come as bytes, others as a stream: see KV_INLINE_BYTES_MAX. */
export type KvValue = Uint8Array | ReadableStream<Uint8Array>;

export interface KvFound extends KvAttributes {
  readonly value: KvValue;
}

/** Several keys at once. */
export interface KvFoundMany {
  /** In the order in which they were asked for, with the bytes of each; null for what is not there. */
  readonly entries: readonly ((KvAttributes & { readonly size: number }) | null)[];
  /** The values one after the other. */
  readonly values: KvValue;
}

export interface KvPair extends KvPutOptions {
  readonly key: string;
  readonly value: Uint8Array;
}

interface KvKeyEntry extends KvAttributes {
  readonly name: string;
}

export interface KvKeyPage {
  readonly keys: readonly KvKeyEntry[];
  /** Null: the list ends here. */
  readonly cursor: string | null;
}

interface Row extends Record<string, SqlStorageValue> {
  readonly value_id: number;
  readonly size: number;
  readonly expires_on: number | null;
  readonly metadata: string | null;
}

/** Key of the mark that stays when the namespace is deleted, so that nothing is made in it again. */
const GONE = "gone";

/** One namespace: its keys, in order of their UTF-8 bytes, and their values. Reads see every write that was acknowledged. */
export class KvNamespaceObject extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  /** Null once the namespace is deleted. */
  #values: KvValues | null;
  /** Milliseconds since 1970, as set; undefined while it is not known. */
  #alarmAt: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#values = ctx.storage.kv.get(GONE) === true ? null : this.#open();
  }

  get(key: string, cacheTtl?: number): Result<KvFound | null, KvRefusal> {
    const allowed = checkGet(key, cacheTtl);
    if (!allowed.ok) return allowed;
    const values = this.#values;
    if (values === null) return err(KV_NAMESPACE_GONE);
    const row = this.#find(key);
    if (row === null) return ok(null);
    return ok({ value: valueOf(values, [row]), ...attributesOf(row) });
  }

  getMany(keys: readonly string[], cacheTtl?: number): Result<KvFoundMany, KvRefusal> {
    const allowed = checkBulkGet(keys, cacheTtl);
    if (!allowed.ok) return allowed;
    const values = this.#values;
    if (values === null) return err(KV_NAMESPACE_GONE);
    const rows = keys.map((key) => this.#find(key));
    const found = rows.filter((row) => row !== null);
    if (bytesOf(found) > KV_BULK_GET_BYTES_MAX) {
      const message = `Total size of request exceeds the limit of ${KV_BULK_GET_BYTES_MAX / 1024 / 1024}MB`;
      return err({ status: 413, message });
    }
    const entries = rows.map((row) => row && { size: row.size, ...attributesOf(row) });
    return ok({ entries, values: valueOf(values, found) });
  }

  /** A stream is read to its end first; the key has its old value until then. Rejects when the stream does. */
  async put(key: string, value: KvValue, options: KvPutOptions): Promise<Result<void, KvRefusal>> {
    const decided = decidePut(key, options, nowSeconds());
    if (!decided.ok) return decided;
    if (this.#values === null) return err(KV_NAMESPACE_GONE);
    if (!(value instanceof ReadableStream)) {
      if (value.byteLength > KV_VALUE_BYTES_MAX) return err(valueTooLarge(value.byteLength));
      this.#store([{ key, value, attributes: decided.value }]);
    } else {
      const received = await this.#values.receive(value).catch((error: unknown) => {
        if (this.#values === null) return null;
        throw error;
      });
      // Deleted while the value came in: it went with everything else.
      if (this.#values === null || received === null) return err(KV_NAMESPACE_GONE);
      if (!received.ok) return received;
      const { valueId, size } = received.value;
      const values = this.#values;
      this.ctx.storage.transactionSync(() => {
        values.hold(valueId);
        this.#point(key, valueId, size, decided.value);
      });
    }
    await this.#sweepBy(decided.value.expiresOn);
    return ok(undefined);
  }

  /** All of them, or none when one is refused. */
  async putMany(pairs: readonly KvPair[]): Promise<Result<void, KvRefusal>> {
    if (this.#values === null) return err(KV_NAMESPACE_GONE);
    const now = nowSeconds();
    const writes = [];
    for (const { key, value, ...options } of pairs) {
      const decided = decidePut(key, options, now);
      if (!decided.ok) return decided;
      if (value.byteLength > KV_VALUE_BYTES_MAX) return err(valueTooLarge(value.byteLength));
      writes.push({ key, value, attributes: decided.value });
    }
    this.#store(writes);
    for (const { attributes } of writes) await this.#sweepBy(attributes.expiresOn);
    return ok(undefined);
  }

  delete(key: string): Result<void, KvRefusal> {
    return this.deleteMany([key]);
  }

  /** Deleting what is not there is no error. */
  deleteMany(keys: readonly string[]): Result<void, KvRefusal> {
    for (const key of keys) {
      const allowed = checkKey(key);
      if (!allowed.ok) return allowed;
    }
    if (this.#values === null) return err(KV_NAMESPACE_GONE);
    this.ctx.storage.transactionSync(() => {
      for (const key of keys) this.#remove(key);
    });
    return ok(undefined);
  }

  list(options: KvListOptions): Result<KvKeyPage, KvRefusal> {
    const allowed = checkList(options);
    if (!allowed.ok) return allowed;
    if (this.#values === null) return err(KV_NAMESPACE_GONE);
    const { prefix = "", limit = KV_LIST_KEYS_MAX, cursor } = options;
    const after = cursor === undefined || cursor === "" ? "" : keyOfCursor(cursor);
    if (after === null) return err({ status: 400, message: "Invalid cursor." });
    const rows = this.#sql.exec<Row & { key: string }>(
      `SELECT key, expires_on, metadata FROM entries
        WHERE key >= ? AND key > ? AND (expires_on IS NULL OR expires_on > ?) ORDER BY key`,
      prefix,
      after,
      nowSeconds(),
    );
    const keys: KvKeyEntry[] = [];
    for (const row of rows) {
      // Keys that begin alike lie side by side.
      if (!row.key.startsWith(prefix)) break;
      if (keys.length === limit) return ok({ keys, cursor: cursorAfter(keys.at(-1)?.name ?? "") });
      keys.push({ name: row.key, ...attributesOf(row) });
    }
    return ok({ keys, cursor: null });
  }

  /** Deletes everything, for ever: a deleted namespace's id is never used again. */
  async destroy(): Promise<void> {
    this.#values = null;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.ctx.storage.kv.put(GONE, true);
    await this.ctx.storage.sync();
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    if (this.#values === null) return;
    const expired = this.#sql
      .exec<{ key: string }>(
        "SELECT key FROM entries WHERE expires_on <= ? ORDER BY expires_on LIMIT ?",
        nowSeconds(),
        KV_SWEEP_KEYS_MAX,
      )
      .toArray();
    this.ctx.storage.transactionSync(() => {
      for (const { key } of expired) this.#remove(key);
    });
    const { next } = this.#sql
      .exec<{ next: number | null }>("SELECT min(expires_on) AS next FROM entries")
      .one();
    await this.#sweepBy(next, expired.length === KV_SWEEP_KEYS_MAX ? 0 : KV_SWEEP_INTERVAL_MS);
  }

  #open(): KvValues {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS entries (
        key TEXT PRIMARY KEY, value_id INTEGER NOT NULL, size INTEGER NOT NULL,
        expires_on INTEGER, metadata TEXT) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS entries_expiry ON entries (expires_on) WHERE expires_on IS NOT NULL`);
    return new KvValues(this.#sql);
  }

  #find(key: string): Row | null {
    const [row] = this.#sql
      .exec<Row>(
        `SELECT value_id, size, expires_on, metadata FROM entries
          WHERE key = ? AND (expires_on IS NULL OR expires_on > ?)`,
        key,
        nowSeconds(),
      )
      .toArray();
    return row ?? null;
  }

  #store(writes: readonly { key: string; value: Uint8Array; attributes: KvAttributes }[]): void {
    this.ctx.storage.transactionSync(() => {
      for (const { key, value, attributes } of writes) {
        const valueId = this.#values?.insert(value) ?? 0;
        this.#point(key, valueId, value.byteLength, attributes);
      }
    });
  }

  #point(key: string, valueId: number, size: number, attributes: KvAttributes): void {
    this.#remove(key);
    this.#sql.exec(
      "INSERT INTO entries (key, value_id, size, expires_on, metadata) VALUES (?, ?, ?, ?, ?)",
      key,
      valueId,
      size,
      attributes.expiresOn,
      attributes.metadata,
    );
  }

  #remove(key: string): void {
    const [row] = this.#sql
      .exec<{ value_id: number }>("DELETE FROM entries WHERE key = ? RETURNING value_id", key)
      .toArray();
    if (row !== undefined) this.#values?.drop(row.value_id);
  }

  /** Sets the alarm that sweeps a key which expires then; one that is set for earlier sets the next. */
  async #sweepBy(expiresOn: number | null, pauseMs = KV_SWEEP_INTERVAL_MS): Promise<void> {
    if (expiresOn === null) return;
    this.#alarmAt ??= await this.ctx.storage.getAlarm();
    const at = Math.max(expiresOn * 1000, Date.now() + pauseMs);
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }
}

/** One after the other. */
function valueOf(values: KvValues, rows: readonly Row[]): KvValue {
  const ids = rows.map((row) => row.value_id);
  const bytes = bytesOf(rows);
  return bytes <= KV_INLINE_BYTES_MAX ? values.read(ids, bytes) : values.open(ids);
}

const bytesOf = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + row.size, 0);

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const attributesOf = (row: Pick<Row, "expires_on" | "metadata">): KvAttributes => ({
  expiresOn: row.expires_on,
  metadata: row.metadata,
});
