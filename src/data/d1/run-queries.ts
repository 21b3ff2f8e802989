import type { D1Meta, D1Query, D1Result, D1Value } from "../../domain/d1.ts";
import { D1_DATABASE_BYTES_MAX, D1_RESULT_BYTES_MAX } from "../../domain/limits-d1.ts";
import { checkForeignKeys, defersForeignKeys } from "./foreign-keys.ts";

/** What a database calls itself in `meta.served_by`. */
const SERVED_BY = "switchback.db";

/** Runs queries one after the other; throws what SQLite says. Whoever calls it holds the transaction. */
export function runQueries(sql: SqlStorage, queries: readonly D1Query[]): D1Result[] {
  const budget = { bytes: D1_RESULT_BYTES_MAX };
  const results = queries.map((query) => runQuery(sql, query, budget));
  if (queries.some((query) => defersForeignKeys(query.sql))) checkForeignKeys(sql);
  return results;
}

function runQuery(sql: SqlStorage, query: D1Query, budget: { bytes: number }): D1Result {
  const meter = new Meter(sql);
  const cursor = sql.exec(query.sql, ...query.params);
  const columns = cursor.columnNames;
  const rows: D1Value[][] = [];
  for (const row of cursor.raw()) {
    budget.bytes -= sizeOf(row);
    if (budget.bytes < 0) {
      throw new Error(
        `The result has more than ${D1_RESULT_BYTES_MAX / 1024 / 1024} MiB. Ask for fewer rows (LIMIT) or fewer columns.`,
      );
    }
    rows.push(row);
  }
  meter.count(cursor);
  return { columns, rows, meta: meter.read() };
}

/** Adds up what statements did to a database, from its making on. */
export class Meter {
  readonly #sql: SqlStorage;
  readonly #size: number;
  readonly #changes: number;
  readonly #lastRowId: number;
  readonly #startedAt = performance.now();
  #rowsRead = 0;
  #rowsWritten = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#size = sql.databaseSize;
    const { changes, lastRowId } = countersOf(sql);
    this.#changes = changes;
    this.#lastRowId = lastRowId;
  }

  /** A statement that has run to its end. Throws when the database has become too large. */
  count(cursor: { readonly rowsRead: number; readonly rowsWritten: number }): void {
    this.#rowsRead += cursor.rowsRead;
    this.#rowsWritten += cursor.rowsWritten;
    if (cursor.rowsWritten > 0 && this.#sql.databaseSize > D1_DATABASE_BYTES_MAX) {
      throw new Error("Exceeded maximum DB size");
    }
  }

  read(): D1Meta {
    const duration = performance.now() - this.#startedAt;
    const after = countersOf(this.#sql);
    const size = this.#sql.databaseSize;
    const changes = after.changes - this.#changes;
    return {
      served_by: SERVED_BY,
      served_by_primary: true,
      total_attempts: 1,
      timings: { sql_duration_ms: duration },
      duration,
      changes,
      last_row_id: after.lastRowId,
      changed_db: changes !== 0 || after.lastRowId !== this.#lastRowId || size !== this.#size,
      size_after: size,
      rows_read: this.#rowsRead,
      rows_written: this.#rowsWritten,
    };
  }
}

const countersOf = (sql: SqlStorage) =>
  sql
    .exec<{ changes: number; lastRowId: number }>(
      "SELECT total_changes() AS changes, last_insert_rowid() AS lastRowId",
    )
    .one();

/** About what it takes in a message. */
function sizeOf(row: readonly D1Value[]): number {
  let bytes = 8;
  for (const value of row) {
    bytes += 12;
    if (typeof value === "string") bytes += value.length * 2;
    else if (value instanceof ArrayBuffer) bytes += value.byteLength;
  }
  return bytes;
}
