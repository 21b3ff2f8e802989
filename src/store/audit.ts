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
