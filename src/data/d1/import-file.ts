/** A whole file of SQL, or nothing of it. */
import { D1_IMPORT_MS_MAX } from "../../domain/limits-d1.ts";
import { checkForeignKeys } from "./foreign-keys.ts";
import { importSql, type Imported } from "./import-sql.ts";

/** Marks a database that is being filled in steps. Who finds it where nobody fills it has to empty the database. */
const UNFINISHED = "unfinished-import";

/** Writes down that the file was imported: together with the last of it, or not at all. */
type Finish<T> = (imported: Imported, bookmark: string) => T;

/**
 * As one transaction. Nobody else is heard meanwhile: the runtime holds an object still while it has such a
 * transaction open, and ends one that is open for 30 s.
 */
export function importAtOnce<T>(
  storage: DurableObjectStorage,
  file: ReadableStream<Uint8Array>,
  finish: Finish<T>,
): Promise<T> {
  const startedAt = Date.now();
  return storage.transaction(async () => {
    const imported = await importSql(storage.sql, file, (run) => {
      run();
      if (Date.now() - startedAt > D1_IMPORT_MS_MAX) {
        throw new Error(
          `The import took longer than ${D1_IMPORT_MS_MAX / 1000} s, which only one into an empty database may. Split the file and import its parts one after the other.`,
        );
      }
    });
    if (imported.defersKeys) checkForeignKeys(storage.sql);
    return finish(imported, await storage.getCurrentBookmark());
  });
}

/**
 * Into an empty database, however long it takes: a transaction for each step, and the database is emptied again if
 * one fails. Foreign keys are looked at when all of it is there. Whoever calls it keeps everybody else out.
 */
export async function importInSteps<T>(
  storage: DurableObjectStorage,
  file: ReadableStream<Uint8Array>,
  finish: Finish<T>,
): Promise<T> {
  storage.kv.put(UNFINISHED, true);
  try {
    await setForeignKeys(storage, "OFF");
    const imported = await importSql(storage.sql, file, (run) => storage.transactionSync(run));
    checkForeignKeys(storage.sql);
    const bookmark = await storage.getCurrentBookmark();
    const finished = storage.transactionSync(() => {
      storage.kv.delete(UNFINISHED);
      return finish(imported, bookmark);
    });
    await setForeignKeys(storage, "ON");
    return finished;
  } catch (error) {
    await emptyUnfinished(storage);
    await setForeignKeys(storage, "ON");
    throw error;
  }
}

/** Takes back what an import has left that never ended. */
export async function emptyUnfinished(storage: DurableObjectStorage): Promise<void> {
  if (storage.kv.get<boolean>(UNFINISHED) === true) await storage.deleteAll();
}

/** Whether the tables of a file could be all there are. */
export const isEmpty = (sql: SqlStorage): boolean =>
  sql
    .exec(`SELECT 1 FROM sqlite_schema WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\' LIMIT 1`)
    .toArray().length === 0;

/** It has no effect inside a transaction, and the runtime keeps one open until what was written is stored. */
async function setForeignKeys(storage: DurableObjectStorage, how: "ON" | "OFF"): Promise<void> {
  await storage.sync();
  storage.sql.exec(`PRAGMA foreign_keys = ${how}`);
}
