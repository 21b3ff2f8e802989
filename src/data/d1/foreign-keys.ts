/**
 * Foreign keys that are broken when a transaction ends. The runtime commits after the object has answered, and resets
 * the object when that fails; so what can be known before is looked for before.
 */
const BROKEN =
  "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)";

export const defersForeignKeys = (sql: string): boolean => /defer_foreign_keys/i.test(sql);

/** Throws SQLite's own sentence. Reads every table that has foreign keys. */
export function checkForeignKeys(sql: SqlStorage): void {
  let broken = false;
  try {
    for (const _ of sql.exec("PRAGMA foreign_key_check").raw()) {
      broken = true;
      break;
    }
  } catch {
    // A key that leads to no key at all cannot be checked; what it breaks shows when the transaction ends.
    return;
  }
  if (broken) throw new Error(BROKEN);
}

/** What broke when the runtime committed, out of what it says of the object's reset; null when it was something else. */
export const brokenAtCommit = (error: unknown): string | null =>
  /constraints were violated: (.+)$/s.exec(error instanceof Error ? error.message : "")?.[1] ??
  null;
