import { DurableObject } from "cloudflare:workers";
import { splitStatements } from "../../domain/d1-statements.ts";
import {
  NO_STATEMENTS,
  type D1Answer,
  type D1Dump,
  type D1DumpOptions,
  type D1ImportState,
  type D1Request,
  type D1Size,
} from "../../domain/d1.ts";
import { D1_EXPORT_IDLE_MS_MAX, D1_IMPORT_WHOLE_BYTES_MAX } from "../../domain/limits-d1.ts";
import { dumpSql, undumpable } from "./dump-sql.ts";
import { DumpStream } from "./dump-stream.ts";
import { emptyUnfinished, importAtOnce, importInSteps, isEmpty } from "./import-file.ts";
import { runQueries } from "./run-queries.ts";

/** Kept beside the tables, out of reach of SQL. */
const DELETED = "deleted";
const LAST_IMPORT = "last-import";

interface LastImport {
  readonly id: string;
  readonly state: D1ImportState;
}

/**
 * One database: the tables are this object's own. Requests run one after the other, each of them a transaction. While
 * a file is imported they wait or are refused, while an export is read they are refused, as D1 does.
 */
export class D1DatabaseObject extends DurableObject<Env> {
  /** Being read. */
  #dump: DumpStream | null = null;
  /** Id of the import that is under way. */
  #importing: string | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(() => emptyUnfinished(ctx.storage));
  }

  async query({ queries, session }: D1Request): Promise<D1Answer> {
    const refusal = this.#refusal();
    if (refusal !== null) return { ok: false, error: refusal };
    const real = queries.filter(({ sql }) => splitStatements(sql).length > 0);
    if (real.length === 0) return { ok: false, error: NO_STATEMENTS };
    const { storage } = this.ctx;
    try {
      const results = storage.transactionSync(() => runQueries(storage.sql, real));
      return { ok: true, results, bookmark: session ? await storage.getCurrentBookmark() : null };
    } catch (error) {
      return { ok: false, error: sentenceOf(error) };
    }
  }

  /**
   * Runs a whole file or, if any of its statements fails, nothing of it. Gives how it ended; `id` finds that later.
   * `bytes`: how long the file is.
   */
  async importSql(
    id: string,
    file: ReadableStream<Uint8Array>,
    bytes: number,
  ): Promise<D1ImportState> {
    const refusal = this.#refusal();
    if (refusal !== null) {
      await file.cancel();
      return { status: "failed", error: refusal };
    }
    const { storage } = this.ctx;
    this.#importing = id;
    try {
      const inSteps = bytes > D1_IMPORT_WHOLE_BYTES_MAX && isEmpty(storage.sql);
      const importing = inSteps ? importInSteps : importAtOnce;
      return await importing(storage, file, ({ statements, meta }, bookmark) => {
        const state: D1ImportState = { status: "complete", result: { statements, bookmark, meta } };
        this.#keep({ id, state });
        return state;
      });
    } catch (error) {
      const state: D1ImportState = { status: "failed", error: sentenceOf(error) };
      this.#keep({ id, state });
      return state;
    } finally {
      this.#importing = null;
    }
  }

  /** How an import stands. While one is one transaction this waits for its end. */
  importState(id: string): D1ImportState {
    if (this.#importing === id) return { status: "active" };
    const last = this.ctx.storage.kv.get<LastImport>(LAST_IMPORT);
    return last?.id === id ? last.state : { status: "unknown" };
  }

  /** SQL that makes the database again. It is read at once, or given up. */
  dump(options: D1DumpOptions): D1Dump {
    const { sql } = this.ctx.storage;
    const refusal = this.#refusal() ?? undumpable(sql);
    if (refusal !== null) return { ok: false, error: refusal };
    const dump = new DumpStream(dumpSql(sql, options), () => {
      if (this.#dump === dump) this.#dump = null;
    });
    this.#dump = dump;
    return { ok: true, sql: dump.stream };
  }

  isDumping(): boolean {
    this.#giveUpIdle();
    return this.#dump !== null;
  }

  size(): D1Size {
    const { sql } = this.ctx.storage;
    const { tables } = sql
      .exec<{ tables: number }>(
        `SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'
          AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'`,
      )
      .one();
    return { fileSize: sql.databaseSize, numTables: tables };
  }

  /** Versions that are bound to it may still run: they get a refusal, not an empty database. */
  async erase(): Promise<void> {
    this.#dump?.giveUp();
    await this.ctx.storage.deleteAll();
    this.ctx.storage.kv.put(DELETED, true);
  }

  /** Why nothing may be run now. */
  #refusal(): string | null {
    if (this.#importing !== null) return "Currently processing a long-running import.";
    if (this.isDumping()) return "Currently processing a long-running export.";
    return this.ctx.storage.kv.get<boolean>(DELETED) === true ? "The database was deleted." : null;
  }

  #giveUpIdle(): void {
    if (this.#dump !== null && this.#dump.idleMs > D1_EXPORT_IDLE_MS_MAX) this.#dump.giveUp();
  }

  #keep(last: LastImport): void {
    this.ctx.storage.kv.put(LAST_IMPORT, last);
  }
}

const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
