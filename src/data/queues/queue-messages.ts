/** The messages of one queue, in the storage of its object. Every method is one transaction; times are milliseconds since 1970. */
import {
  QUEUE_BACKLOG_BYTES_MAX,
  QUEUE_MESSAGE_OVERHEAD_BYTES,
} from "../../domain/limits-queue.ts";
import type { DeliveredMessage, Settlement, WaitingMessage } from "../../domain/queue.ts";
import type {
  OutgoingMessage,
  QueueContentType,
  QueueMetrics,
} from "../../domain/queue-message.ts";

/** A message as its consumer gets it. */
export interface IncomingMessage {
  readonly id: string;
  readonly timestamp: number;
  readonly contentType: QueueContentType;
  readonly body: unknown;
  readonly attempts: number;
}

/** What a dead message takes along. */
export interface DeadMessage {
  readonly id: string;
  readonly timestamp: number;
  readonly message: OutgoingMessage;
}

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  content_type: QueueContentType;
  body: string | ArrayBuffer | null;
  bytes: number;
  sent_at: number;
  attempts: number;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    body ANY,
    bytes INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    batch TEXT,
    dead INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_waiting ON messages (visible_at, seq) WHERE batch IS NULL AND dead = 0;
  CREATE INDEX IF NOT EXISTS messages_batch ON messages (batch) WHERE batch IS NOT NULL;
  CREATE INDEX IF NOT EXISTS messages_dead ON messages (seq) WHERE dead = 1;
  CREATE INDEX IF NOT EXISTS messages_expiry ON messages (expires_at);
  CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY,
    lease_until INTEGER NOT NULL,
    taken INTEGER NOT NULL
  ) STRICT;`;

/** Cloned values are kept by the storage's own serialiser, under this and the message's id. */
const VALUE = "value:";

export class QueueMessages {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #count = 0;
  #bytes = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(TABLES);
    const { count, bytes } = this.#sql
      .exec<{ count: number; bytes: number }>(
        "SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM messages",
      )
      .one();
    this.#count = count;
    this.#bytes = bytes;
  }

  /** Whether so many more would be within {@link QUEUE_BACKLOG_BYTES_MAX}. `bytes`: of their bodies. */
  hasRoomFor(messages: number, bytes: number): boolean {
    const rows = (this.#count + messages) * QUEUE_MESSAGE_OVERHEAD_BYTES;
    return rows + this.#bytes + bytes <= QUEUE_BACKLOG_BYTES_MAX;
  }

  metrics(): QueueMetrics {
    const [oldest] = this.#sql.exec<{ sent_at: number }>(
      "SELECT sent_at FROM messages ORDER BY seq LIMIT 1",
    );
    return {
      backlogCount: this.#count,
      backlogBytes: this.#bytes,
      oldestMessageTimestamp: oldest?.sent_at ?? 0,
    };
  }

  /**
   * Takes messages in; one whose id is there already is left as it is.
   * @throws DataCloneError for a value that cannot be kept; nothing is taken then
   */
  add(
    messages: readonly {
      readonly id: string;
      readonly timestamp: number;
      readonly message: OutgoingMessage;
    }[],
    delayMs: (message: OutgoingMessage) => number,
    now: number,
    retentionMs: number,
  ): void {
    let [count, bytes] = [0, 0];
    this.#storage.transactionSync(() => {
      for (const { id, timestamp, message } of messages) {
        const isValue = message.contentType === "v8";
        const added = this.#sql.exec(
          `INSERT INTO messages (id, content_type, body, bytes, sent_at, visible_at, expires_at, attempts, batch, dead)
           VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL, 0) ON CONFLICT (id) DO NOTHING RETURNING seq`,
          id,
          message.contentType,
          isValue ? null : (message.body as string | Uint8Array<ArrayBuffer>),
          message.bytes,
          timestamp,
          now + delayMs(message),
          now + retentionMs,
        );
        if (added.toArray().length === 0) continue;
        if (isValue) this.#storage.kv.put(VALUE + id, message.body);
        count++;
        bytes += message.bytes;
      }
    });
    this.#count += count;
    this.#bytes += bytes;
  }

  /** Those that come next, by the time from which they may be delivered. */
  waiting(max: number): readonly WaitingMessage[] {
    return this.#sql
      .exec<{ id: string; bytes: number; visibleAt: number }>(
        `SELECT id, bytes, visible_at AS visibleAt FROM messages
         WHERE batch IS NULL AND dead = 0 ORDER BY visible_at, seq LIMIT ?`,
        max,
      )
      .toArray();
  }

  begin(batchId: string, ids: readonly string[], leaseUntil: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT INTO batches VALUES (?, ?, 0)", batchId, leaseUntil);
      this.#sql.exec(
        "UPDATE messages SET batch = ? WHERE id IN (SELECT value FROM json_each(?))",
        batchId,
        JSON.stringify(ids),
      );
    });
  }

  /** Hands a batch over, once: from now on these messages count as delivered. null: it is not there, or was taken. */
  take(batchId: string, leaseUntil: number): readonly IncomingMessage[] | null {
    return this.#storage.transactionSync(() => {
      const taken = this.#sql.exec(
        "UPDATE batches SET taken = 1, lease_until = ? WHERE id = ? AND taken = 0 RETURNING id",
        leaseUntil,
        batchId,
      );
      if (taken.toArray().length === 0) return null;
      this.#sql.exec("UPDATE messages SET attempts = attempts + 1 WHERE batch = ?", batchId);
      return this.#sql
        .exec<Row>("SELECT * FROM messages WHERE batch = ? ORDER BY seq", batchId)
        .toArray()
        .map((row) => ({
          id: row.id,
          timestamp: row.sent_at,
          contentType: row.content_type,
          body: this.#bodyOf(row),
          attempts: row.attempts,
        }));
    });
  }

  /** null: there is no such batch (any more). */
  isTaken(batchId: string): boolean | null {
    const [batch] = this.#sql.exec<{ taken: number }>(
      "SELECT taken FROM batches WHERE id = ?",
      batchId,
    );
    return batch === undefined ? null : batch.taken === 1;
  }

  delivered(batchId: string): readonly DeliveredMessage[] {
    return this.#sql
      .exec<{ id: string; attempts: number }>(
        "SELECT id, attempts FROM messages WHERE batch = ? ORDER BY seq",
        batchId,
      )
      .toArray();
  }

  /** Ends a batch. Messages to be buried are kept as dead ones, or dropped. */
  end(batchId: string, settlements: readonly Settlement[], dropDead: boolean): void {
    this.#storage.transactionSync(() => {
      for (const settlement of settlements) {
        const { id } = settlement;
        if (settlement.act === "remove" || (settlement.act === "bury" && dropDead)) {
          this.#remove(id);
        } else if (settlement.act === "bury") {
          this.#sql.exec("UPDATE messages SET batch = NULL, dead = 1 WHERE id = ?", id);
        } else {
          this.#sql.exec(
            "UPDATE messages SET batch = NULL, visible_at = ? WHERE id = ?",
            settlement.visibleAt,
            id,
          );
        }
      }
      this.#release(batchId);
    });
  }

  /** Ends a batch as if it had never begun. */
  release(batchId: string): void {
    this.#storage.transactionSync(() => this.#release(batchId));
  }

  renew(batchIds: readonly string[], leaseUntil: number): void {
    if (batchIds.length === 0) return;
    this.#sql.exec(
      "UPDATE batches SET lease_until = ? WHERE id IN (SELECT value FROM json_each(?))",
      leaseUntil,
      JSON.stringify(batchIds),
    );
  }

  /** Batches under way, and those among them that nobody has given word of in time. */
  batches(now: number): { readonly count: number; readonly lapsed: readonly string[] } {
    const all = this.#sql
      .exec<{ id: string; lease_until: number }>("SELECT id, lease_until FROM batches")
      .toArray();
    const lapsed = all.filter((batch) => batch.lease_until <= now).map(({ id }) => id);
    return { count: all.length, lapsed };
  }

  dead(max: number): readonly DeadMessage[] {
    return this.#sql
      .exec<Row>("SELECT * FROM messages WHERE dead = 1 ORDER BY seq LIMIT ?", max)
      .toArray()
      .map((row) => {
        const { id, bytes } = row;
        const message = {
          contentType: row.content_type,
          body: this.#bodyOf(row),
          bytes,
          delaySeconds: 0,
        };
        return { id, timestamp: row.sent_at, message };
      });
  }

  remove(ids: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const id of ids) this.#remove(id);
    });
  }

  /** Drops messages whose time is over; says how many. Those under way are left to their end. */
  expire(now: number, max: number): number {
    const over = this.#sql
      .exec<{ id: string }>(
        "SELECT id FROM messages WHERE expires_at <= ? AND batch IS NULL LIMIT ?",
        now,
        max,
      )
      .toArray();
    this.remove(over.map(({ id }) => id));
    return over.length;
  }

  /** When the next message's time is over; null: there is none that waits. */
  nextExpiry(): number | null {
    const [next] = this.#sql.exec<{ at: number }>(
      "SELECT expires_at AS at FROM messages WHERE batch IS NULL ORDER BY expires_at LIMIT 1",
    );
    return next?.at ?? null;
  }

  #bodyOf(row: Row): unknown {
    if (row.content_type === "v8") return this.#storage.kv.get(VALUE + row.id);
    return row.body instanceof ArrayBuffer ? new Uint8Array(row.body) : row.body;
  }

  #release(batchId: string): void {
    this.#sql.exec("UPDATE messages SET batch = NULL WHERE batch = ?", batchId);
    this.#sql.exec("DELETE FROM batches WHERE id = ?", batchId);
  }

  #remove(id: string): void {
    const [gone] = this.#sql.exec<{ bytes: number; content_type: string }>(
      "DELETE FROM messages WHERE id = ? RETURNING bytes, content_type",
      id,
    );
    if (gone === undefined) return;
    if (gone.content_type === "v8") this.#storage.kv.delete(VALUE + id);
    this.#count--;
    this.#bytes -= gone.bytes;
  }
}
