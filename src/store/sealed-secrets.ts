/** Sealed secrets of all versions, as the change of keys goes through them. */
import { and, eq, sql } from "drizzle-orm";
import type { AccountId, VersionId, WorkerId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatement } from "./audit.ts";
import type { Database } from "./database.ts";
import { versions } from "./schema.ts";

export interface SealedRow {
  readonly id: VersionId;
  readonly workerId: WorkerId;
  readonly sealed: string;
}

/** Null for what was altered so that it names no key, which must not stop the rest. */
const namedKey = sql`CASE WHEN json_valid(sealed_secrets) THEN sealed_secrets ->> '$.keyId' END`;

/** Versions whose secrets are not under `firstKeyId`, by id, after `afterId`. */
export async function listSealedOtherwise(
  db: Database,
  firstKeyId: string,
  afterId: string,
  limit: number,
): Promise<readonly SealedRow[]> {
  return db.all<SealedRow>(sql`
    SELECT id, worker_id AS workerId, sealed_secrets AS sealed FROM versions
    WHERE sealed_secrets IS NOT NULL AND id > ${afterId}
      AND ${namedKey} IS NOT ${firstKeyId}
    ORDER BY id LIMIT ${limit}`);
}

/** How many versions have their secrets under which key; under `?` those that name none. */
export async function countSealed(db: Database): Promise<Readonly<Record<string, number>>> {
  const rows = await db.all<{ keyId: string; count: number }>(sql`
    SELECT coalesce(${namedKey}, '?') AS keyId, count(*) AS count FROM versions
    WHERE sealed_secrets IS NOT NULL GROUP BY 1 ORDER BY 1`);
  return Object.fromEntries(rows.map(({ keyId, count }) => [keyId, count]));
}

/** Each only if it is still what was read. One batch with its line in the audit. */
export async function storeRewrapped(
  db: Database,
  accountId: AccountId,
  rewrapped: readonly { readonly row: SealedRow; readonly sealed: string }[],
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    auditStatement(db, accountId, entry),
    ...rewrapped.map(({ row, sealed }) =>
      db
        .update(versions)
        .set({ sealedSecrets: sealed })
        .where(and(eq(versions.id, row.id), eq(versions.sealedSecrets, row.sealed))),
    ),
  ]);
}
