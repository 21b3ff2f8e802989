import { StatementSplitter, type Statement } from "../../domain/d1-statements.ts";
import type { D1Meta } from "../../domain/d1.ts";
import { D1_IMPORT_CHUNK_CHARS, D1_SQL_BYTES_MAX } from "../../domain/limits-d1.ts";
import { defersForeignKeys } from "./foreign-keys.ts";
import { Meter } from "./run-queries.ts";

export interface Imported {
  readonly statements: number;
  /** Some of them put foreign keys off until the end. */
  readonly defersKeys: boolean;
  readonly meta: D1Meta;
}

/**
 * Runs a file of SQL as it comes in, a statement at a time; throws what SQLite says of the first that fails. Each
 * `step` runs some of them. Whoever calls it sees to it that nothing is left of a file that fails.
 */
export async function importSql(
  sql: SqlStorage,
  file: ReadableStream<Uint8Array>,
  step: (run: () => void) => void,
): Promise<Imported> {
  const meter = new Meter(sql);
  const splitter = new StatementSplitter();
  let count = 0;
  let defersKeys = false;
  const run = (statements: readonly Statement[]) => {
    for (const { sql: text } of statements) {
      const cursor = sql.exec(text);
      for (const _ of cursor.raw());
      meter.count(cursor);
      defersKeys ||= defersForeignKeys(text);
      count++;
    }
  };
  for await (const text of textOf(file)) {
    step(() => run(splitter.push(text)));
    // In characters: what is longer than that is also longer in bytes.
    if (splitter.pending > D1_SQL_BYTES_MAX) throw new Error("statement too long: SQLITE_TOOBIG");
  }
  step(() => run(splitter.end()));
  if (count === 0) throw new Error("The file has no SQL statements.");
  return { statements: count, defersKeys, meta: meter.read() };
}

/** Text in pieces that are worth a step. */
async function* textOf(file: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const decode = (...chunk: [Uint8Array?, { stream: boolean }?]): string => {
    try {
      return decoder.decode(...chunk);
    } catch (error) {
      throw new Error("The file is not UTF-8 text.", { cause: error });
    }
  };
  let text = "";
  for await (const chunk of file) {
    text += decode(chunk, { stream: true });
    if (text.length < D1_IMPORT_CHUNK_CHARS) continue;
    yield text;
    text = "";
  }
  yield text + decode();
}
