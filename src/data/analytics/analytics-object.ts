import { DurableObject } from "cloudflare:workers";
import type { AnalyticsPoint } from "../../domain/analytics-point.ts";
import {
  ANALYTICS_ANSWER_CHARS_MAX,
  ANALYTICS_BYTES_MAX,
  ANALYTICS_DROP_POINTS,
  ANALYTICS_FIELDS_MAX,
  ANALYTICS_POINTS_MAX,
  ANALYTICS_RETENTION_MS,
  ANALYTICS_ROWS_MAX,
  ANALYTICS_SWEEP_INTERVAL_MS,
} from "../../domain/limits-analytics.ts";
import { err, ok, type Result } from "../../domain/result.ts";

export type AnalyticsValue = string | number | null;

const FIELDS = Array.from({ length: ANALYTICS_FIELDS_MAX }, (_, index) => index + 1);
const COLUMNS = ["index1", ...FIELDS.map((n) => `blob${n}`), ...FIELDS.map((n) => `double${n}`)];
const MAKE = `CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, bytes INTEGER NOT NULL, ${COLUMNS.join(", ")});
  CREATE INDEX IF NOT EXISTS points_timestamp ON points (timestamp)`;
const INSERT = `INSERT INTO points (timestamp, bytes, ${COLUMNS.join(", ")}) VALUES (?, ?, ${COLUMNS.map(() => "?").join(", ")})`;

/** What a data point takes besides its texts, about. */
const POINT_BYTES = 256;

interface Held {
  /** Ids; those between them leave no gaps. */
  oldest: number;
  newest: number;
  /** Of them all, about. */
  bytes: number;
}

/** One dataset: its data points, the oldest of which go when they are too old or too many. */
export class AnalyticsObject extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  /** Null: nothing was ever written. */
  #held: Held | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    const isMade = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'points'").toArray();
    this.#held = isMade.length === 0 ? null : this.#readHeld();
  }

  async write(points: readonly AnalyticsPoint[]): Promise<void> {
    if (points.length === 0) return;
    if (this.#held === null) {
      this.#sql.exec(MAKE);
      this.#held = this.#readHeld();
    }
    const held = this.#held;
    const now = Math.floor(Date.now() / 1000);
    this.ctx.storage.transactionSync(() => {
      for (const { index, blobs, doubles } of points) {
        const values = FIELDS.map((n) => blobs[n - 1] ?? null);
        const numbers = FIELDS.map((n) => doubles[n - 1] ?? null);
        const chars = [index, ...blobs].reduce((sum, text) => sum + (text?.length ?? 0), 0);
        const bytes = chars + POINT_BYTES;
        this.#sql.exec(INSERT, now, bytes, index, ...values, ...numbers);
        held.newest++;
        held.bytes += bytes;
      }
      const isTooMuch =
        held.newest - held.oldest >= ANALYTICS_POINTS_MAX || held.bytes > ANALYTICS_BYTES_MAX;
      if (isTooMuch) this.#dropOldest(held);
    });
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now() + ANALYTICS_SWEEP_INTERVAL_MS);
    }
  }

  /** `sql` is what `readAnalyticsQuery` made: it can only read. Null: nothing was ever written to the dataset. */
  query(sql: string): Result<readonly (readonly AnalyticsValue[])[] | null, string> {
    if (this.#held === null) return ok(null);
    const rows: AnalyticsValue[][] = [];
    let chars = 0;
    try {
      for (const row of this.#sql.exec(sql).raw<AnalyticsValue[]>()) {
        if (rows.length === ANALYTICS_ROWS_MAX) {
          return err(`its answer has more than ${ANALYTICS_ROWS_MAX} rows. Give it a LIMIT.`);
        }
        for (const value of row) chars += typeof value === "string" ? value.length : 8;
        if (chars > ANALYTICS_ANSWER_CHARS_MAX) {
          return err("its answer is too large. Ask for fewer columns or rows.");
        }
        rows.push(row);
      }
    } catch (error) {
      return err(`${error instanceof Error ? error.message : String(error)}.`);
    }
    return ok(rows);
  }

  override async alarm(): Promise<void> {
    if (this.#held === null) return;
    const oldest = Math.floor((Date.now() - ANALYTICS_RETENTION_MS) / 1000);
    const { rowsWritten } = this.#sql.exec(
      "DELETE FROM points WHERE id IN (SELECT id FROM points WHERE timestamp < ? ORDER BY id LIMIT ?)",
      oldest,
      ANALYTICS_DROP_POINTS,
    );
    this.#held = this.#readHeld();
    if (this.#held.bytes === 0) return;
    const pauseMs = rowsWritten > 0 ? 1_000 : ANALYTICS_SWEEP_INTERVAL_MS;
    await this.ctx.storage.setAlarm(Date.now() + pauseMs);
  }

  #dropOldest(held: Held): void {
    held.oldest += ANALYTICS_DROP_POINTS;
    const { bytes } = this.#sql
      .exec<{ bytes: number }>("SELECT total(bytes) AS bytes FROM points WHERE id < ?", held.oldest)
      .one();
    this.#sql.exec("DELETE FROM points WHERE id < ?", held.oldest);
    held.bytes -= bytes;
  }

  #readHeld(): Held {
    const { oldest, newest, bytes } = this.#sql
      .exec<{ oldest: number | null; newest: number | null; bytes: number }>(
        "SELECT min(id) AS oldest, max(id) AS newest, total(bytes) AS bytes FROM points",
      )
      .one();
    return { oldest: oldest ?? 1, newest: newest ?? 0, bytes };
  }
}
