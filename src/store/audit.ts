import { sql, type SQL } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import type { Database } from "./database.ts";
import { audit } from "./schema.ts";

/** A statement for the batch of the change it tells of; a second writing of the same entry is ignored. */
export const auditStatement = (db: Database, accountId: AccountId, entry: AuditEntry) =>
  db
    .insert(audit)
    .values({ ...entry, accountId, details: JSON.stringify(entry.details) })
    .onConflictDoNothing();

/** Of an act that leaves nothing else in the database. */
export async function writeAudit(
  db: Database,
  accountId: AccountId,
  entry: AuditEntry,
): Promise<void> {
  await auditStatement(db, accountId, entry);
}

/** {@link auditStatement} for a change that may turn out to be none: told of only if `happened` holds after it. */
export const auditStatementIf = (
  db: Database,
  accountId: AccountId,
  entry: AuditEntry,
  happened: SQL,
) =>
  db
    .insert(audit)
    .select(
      sql`SELECT ${entry.id}, ${accountId}, ${entry.at}, ${entry.actorId}, ${entry.actorEmail},
        ${entry.action}, ${entry.target}, ${JSON.stringify(entry.details)} WHERE ${happened}`,
    )
    .onConflictDoNothing();
