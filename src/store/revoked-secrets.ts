/** Secrets whose earlier values must never serve again. */
import { asc, eq, sql } from "drizzle-orm";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatement, auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { revokedSecrets } from "./schema.ts";

export interface RevokedSecret {
  readonly name: string;
  /** Number of the newest version whose value is revoked. */
  readonly throughNumber: number;
  /** Milliseconds since 1970. */
  readonly revokedOn: number;
}

/** By name: the number of the newest version whose value is revoked. */
export async function findRevokedSecrets(
  db: Database,
  workerId: WorkerId,
): Promise<ReadonlyMap<string, number>> {
  const revoked = await listRevokedSecrets(db, workerId);
  return new Map(revoked.map(({ name, throughNumber }) => [name, throughNumber]));
}

export const listRevokedSecrets = (db: Database, workerId: WorkerId): Promise<RevokedSecret[]> =>
  db
    .select({
      name: revokedSecrets.name,
      throughNumber: revokedSecrets.throughNumber,
      revokedOn: revokedSecrets.revokedOn,
    })
    .from(revokedSecrets)
    .where(eq(revokedSecrets.workerId, workerId))
    .orderBy(asc(revokedSecrets.name));

/** Whether any version of the Worker ever had a secret of this name. */
export async function wasSecret(db: Database, workerId: WorkerId, name: string): Promise<boolean> {
  const rows = await db.all(sql`
    SELECT 1 FROM versions, json_each(versions.bindings) AS binding
    WHERE versions.worker_id = ${workerId} AND versions.sealed_secrets IS NOT NULL
      AND binding.value ->> 'type' = 'secret_text' AND binding.value ->> 'name' = ${name} LIMIT 1`);
  return rows.length > 0;
}

/** Every value up to now. Again: every value up to then. */
export async function revokeSecret(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
  name: string,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .insert(revokedSecrets)
      .select(
        sql`SELECT ${workerId}, ${name}, max(number), ${entry.at} FROM versions
          WHERE worker_id = ${workerId} HAVING count(*) > 0`,
      )
      .onConflictDoUpdate({
        target: [revokedSecrets.workerId, revokedSecrets.name],
        set: { throughNumber: sql`excluded.through_number`, revokedOn: entry.at },
      }),
    auditStatement(db, accountId, entry),
  ]);
}

/** False when it was not revoked. */
export async function unrevokeSecret(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
  name: string,
  entry: AuditEntry,
): Promise<boolean> {
  const is = sql`worker_id = ${workerId} AND name = ${name}`;
  const [, removed] = await db.batch([
    auditStatementIf(db, accountId, entry, sql`EXISTS (SELECT 1 FROM revoked_secrets WHERE ${is})`),
    db.delete(revokedSecrets).where(is).returning({ name: revokedSecrets.name }),
  ]);
  return removed.length > 0;
}
