/**
 * Values of a namespace, in pieces. A value is never changed: a key points to one, and later to another. What no key
 * points to is loose: it is still being received, or was replaced under somebody who still reads it.
 */
import { KV_CHUNK_BYTES, KV_STREAMS_IN_MAX, KV_VALUE_BYTES_MAX } from "../../domain/limits-kv.ts";
import { KV_TOO_MANY_STREAMS, valueTooLarge, type KvRefusal } from "../../domain/kv.ts";
import { err, ok, type Result } from "../../domain/result.ts";

interface ReceivedValue {
  readonly valueId: number;
  /** Bytes. */
  readonly size: number;
}

export class KvValues {
  readonly #sql: SqlStorage;
  /** How many read it just now. */
  readonly #readers = new Map<number, number>();
  #nextId: number;
  /** How many are coming in. */
  #streamsIn = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS chunks (
        value_id INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (value_id, part));
      CREATE TABLE IF NOT EXISTS loose (value_id INTEGER PRIMARY KEY)`);
    // An earlier life of this object left these behind; nobody receives or reads them now.
    sql.exec("DELETE FROM chunks WHERE value_id IN (SELECT value_id FROM loose)");
    sql.exec("DELETE FROM loose");
    const { last } = sql
      .exec<{ last: number | null }>("SELECT max(value_id) AS last FROM chunks")
      .one();
    this.#nextId = (last ?? 0) + 1;
  }

  /** For the transaction that makes a key point to it. */
  insert(bytes: Uint8Array): number {
    const valueId = this.#nextId++;
    for (let part = 0; part * KV_CHUNK_BYTES < bytes.byteLength; part++) {
      const from = part * KV_CHUNK_BYTES;
      this.#insertChunk(valueId, part, bytes.subarray(from, from + KV_CHUNK_BYTES));
    }
    return valueId;
  }

  /** A value of unknown length, loose until {@link hold}. Rejects when the stream does. */
  async receive(stream: ReadableStream<Uint8Array>): Promise<Result<ReceivedValue, KvRefusal>> {
    if (this.#streamsIn >= KV_STREAMS_IN_MAX) {
      await stream.cancel("too many").catch(() => undefined);
      return err(KV_TOO_MANY_STREAMS);
    }
    this.#streamsIn++;
    try {
      return await this.#receive(stream);
    } finally {
      this.#streamsIn--;
    }
  }

  async #receive(stream: ReadableStream<Uint8Array>): Promise<Result<ReceivedValue, KvRefusal>> {
    const valueId = this.#nextId++;
    this.#loosen(valueId);
    const reader = stream.getReader();
    let size = 0;
    let part = 0;
    let pending = new Uint8Array(KV_CHUNK_BYTES);
    let filled = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        size += value.byteLength;
        if (size > KV_VALUE_BYTES_MAX) {
          await reader.cancel("too large").catch(() => undefined);
          this.drop(valueId);
          return err(valueTooLarge(size));
        }
        for (let at = 0; at < value.byteLength;) {
          const taken = value.subarray(at, at + KV_CHUNK_BYTES - filled);
          pending.set(taken, filled);
          filled += taken.byteLength;
          at += taken.byteLength;
          if (filled < KV_CHUNK_BYTES) continue;
          this.#insertChunk(valueId, part++, pending);
          pending = new Uint8Array(KV_CHUNK_BYTES);
          filled = 0;
        }
      }
    } catch (error) {
      this.drop(valueId);
      throw error;
    }
    if (filled > 0) this.#insertChunk(valueId, part, pending.subarray(0, filled));
    return ok({ valueId, size });
  }

  /** A key points to it from now on. */
  hold(valueId: number): void {
    this.#sql.exec("DELETE FROM loose WHERE value_id = ?", valueId);
  }

  /** No key points to it any more. It goes at once, or when its last reader has done. */
  drop(valueId: number): void {
    if (this.#readers.has(valueId)) this.#loosen(valueId);
    else this.#delete(valueId);
  }

  /** The values one after the other, `size` bytes together. */
  read(valueIds: readonly number[], size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const valueId of valueIds) {
      for (const chunk of this.#chunks(valueId, 0)) {
        bytes.set(new Uint8Array(chunk.bytes), at);
        at += chunk.bytes.byteLength;
      }
    }
    return bytes;
  }

  /** The values as they are now, one after the other, however long reading them takes. */
  open(valueIds: readonly number[]): ReadableStream<Uint8Array> {
    for (const valueId of valueIds) {
      this.#readers.set(valueId, (this.#readers.get(valueId) ?? 0) + 1);
    }
    const left = [...valueIds];
    let part = 0;
    const close = () => {
      for (const valueId of left.splice(0)) this.#closed(valueId);
    };
    const next = (): ArrayBuffer | null => {
      for (let valueId = left[0]; valueId !== undefined; valueId = left[0]) {
        const [chunk] = this.#chunks(valueId, part++, 1).toArray();
        if (chunk !== undefined) return chunk.bytes;
        left.shift();
        this.#closed(valueId);
        part = 0;
      }
      return null;
    };
    return new ReadableStream({
      type: "bytes",
      pull: (controller: ReadableByteStreamController) => {
        const bytes = next();
        if (bytes === null) {
          controller.close();
          // A reader that brought its own buffer waits for it.
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(new Uint8Array(bytes));
        }
      },
      cancel: close,
    });
  }

  #closed(valueId: number): void {
    const left = (this.#readers.get(valueId) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(valueId, left);
      return;
    }
    this.#readers.delete(valueId);
    const isLoose = this.#sql.exec("SELECT 1 FROM loose WHERE value_id = ?", valueId).toArray();
    if (isLoose.length > 0) this.#delete(valueId);
  }

  #loosen(valueId: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO loose (value_id) VALUES (?)", valueId);
  }

  #delete(valueId: number): void {
    this.#sql.exec("DELETE FROM chunks WHERE value_id = ?", valueId);
    this.#sql.exec("DELETE FROM loose WHERE value_id = ?", valueId);
  }

  #insertChunk(valueId: number, part: number, bytes: Uint8Array): void {
    this.#sql.exec(
      "INSERT INTO chunks (value_id, part, bytes) VALUES (?, ?, ?)",
      valueId,
      part,
      bytes,
    );
  }

  #chunks(valueId: number, from: number, limit = -1) {
    return this.#sql.exec<{ bytes: ArrayBuffer }>(
      "SELECT bytes FROM chunks WHERE value_id = ? AND part >= ? ORDER BY part LIMIT ?",
      valueId,
      from,
      limit,
    );
  }
}
