/** What is asked of a D1 database and what it answers, as it goes between processes. */
import {
  D1_NAME_CHARS_MAX,
  D1_PARAMETERS_MAX,
  D1_STATEMENTS_MAX,
  D1_VALUE_BYTES_MAX,
} from "./limits-d1.ts";
import { err, ok, type Result } from "./result.ts";

export type D1Value = null | number | string | ArrayBuffer;

export interface D1Query {
  readonly sql: string;
  readonly params: readonly D1Value[];
}

/** All queries of one request are one transaction. */
export interface D1Request {
  readonly queries: readonly D1Query[];
  /** The answer has to say how far the database is. */
  readonly session: boolean;
}

export interface D1Meta {
  readonly served_by: string;
  readonly served_by_primary: true;
  readonly total_attempts: 1;
  /** Milliseconds. */
  readonly timings: { readonly sql_duration_ms: number };
  /** Milliseconds. */
  readonly duration: number;
  readonly changes: number;
  readonly last_row_id: number;
  readonly changed_db: boolean;
  /** Bytes. */
  readonly size_after: number;
  readonly rows_read: number;
  readonly rows_written: number;
}

export interface D1Result {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly D1Value[])[];
  readonly meta: D1Meta;
}

/** `error` is SQLite's or the runtime's sentence, without a prefix. */
export type D1Answer =
  | { readonly ok: true; readonly results: readonly D1Result[]; readonly bookmark: string | null }
  | { readonly ok: false; readonly error: string };

export interface D1ImportResult {
  readonly statements: number;
  readonly bookmark: string;
  readonly meta: D1Meta;
}

export type D1ImportState =
  | { readonly status: "active" }
  | { readonly status: "complete"; readonly result: D1ImportResult }
  | { readonly status: "failed"; readonly error: string }
  /** Nobody knows of it: it never began, it was interrupted, or others came after it. */
  | { readonly status: "unknown" };

export interface D1DumpOptions {
  readonly noSchema: boolean;
  readonly noData: boolean;
  /** None: all of them. */
  readonly tables: readonly string[];
}

export type D1Dump =
  | { readonly ok: true; readonly sql: ReadableStream<Uint8Array> }
  | { readonly ok: false; readonly error: string };

export interface D1Size {
  /** Bytes. */
  readonly fileSize: number;
  readonly numTables: number;
}

export const NO_STATEMENTS = "No SQL statements detected.";

const NAME = /^[a-z0-9][a-z0-9_-]*$/i;

export const isD1Name = (name: string): boolean =>
  name.length <= D1_NAME_CHARS_MAX && NAME.test(name);

/** A request out of a version's hands: anything at all. The error is a sentence for its author. */
export function parseD1Request(value: unknown): Result<D1Request, string> {
  const { queries, session } = (value ?? {}) as { queries?: unknown; session?: unknown };
  if (!Array.isArray(queries)) return err("A request needs a list of queries.");
  if (queries.length > D1_STATEMENTS_MAX) return err(tooManyStatements(queries.length));
  const parsed: D1Query[] = [];
  for (const query of queries as unknown[]) {
    const checked = parseQuery(query);
    if (!checked.ok) return checked;
    parsed.push(checked.value);
  }
  return ok({ queries: parsed, session: session === true });
}

export const tooManyStatements = (count: number): string =>
  `The call has ${count} statements; at most ${D1_STATEMENTS_MAX} can run as one transaction. Split it.`;

function parseQuery(query: unknown): Result<D1Query, string> {
  const { sql, params } = (query ?? {}) as { sql?: unknown; params?: unknown };
  if (typeof sql !== "string") return err("A query needs its SQL text.");
  if (!Array.isArray(params)) return err("A query needs a list of parameters.");
  if (params.length > D1_PARAMETERS_MAX) return err("too many SQL variables: SQLITE_ERROR");
  for (const param of params as unknown[]) {
    if (!isValue(param)) return err(`Type '${typeof param}' not supported`);
    if (isTooLarge(param)) return err("string or blob too big: SQLITE_TOOBIG");
  }
  return ok({ sql, params: params as D1Value[] });
}

const isValue = (value: unknown): value is D1Value =>
  value === null ||
  typeof value === "number" ||
  typeof value === "string" ||
  value instanceof ArrayBuffer;

function isTooLarge(value: D1Value): boolean {
  if (value instanceof ArrayBuffer) return value.byteLength > D1_VALUE_BYTES_MAX;
  if (typeof value !== "string" || value.length * 3 <= D1_VALUE_BYTES_MAX) return false;
  return new TextEncoder().encode(value).byteLength > D1_VALUE_BYTES_MAX;
}
