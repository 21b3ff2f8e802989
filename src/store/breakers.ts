import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { OpenBreaker, Breaker, StopReason } from "../domain/breaker.ts";
import type { AccountId, DeploymentId, VersionId, WorkerId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { breakers, deployments } from "./schema.ts";

/** Write a tripped breaker down, and tell the audit. Writing it again changes nothing. */
export async function insertBreaker(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
  breaker: Breaker,
  entry: AuditEntry,
): Promise<void> {
  const { id, versionId, deploymentSeq, reason, strikes, stoppedOn } = breaker;
  await db.batch([
    db
      .insert(breakers)
      .values({ id, workerId, versionId, deploymentSeq, reason, strikes, stoppedOn })
      .onConflictDoNothing(),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM breakers WHERE id = ${breaker.id})`,
    ),
  ]);
}

const isOpen = (workerId: WorkerId) =>
  and(
    eq(breakers.workerId, workerId),
    isNull(breakers.resetOn),
    eq(
      breakers.deploymentSeq,
      sql`(SELECT coalesce(max(seq), 0) FROM deployments WHERE worker_id = ${workerId} AND status = 'active')`,
    ),
  );

/** Those in force: of the newest deployment that history calls `active`, and not reset. The newest first. */
export async function listOpenBreakers(db: Database, workerId: WorkerId): Promise<OpenBreaker[]> {
  const rows = await db
    .select({ breaker: breakers, deploymentId: deployments.id })
    .from(breakers)
    .leftJoin(
      deployments,
      and(eq(deployments.workerId, breakers.workerId), eq(deployments.seq, breakers.deploymentSeq)),
    )
    .where(isOpen(workerId))
    .orderBy(desc(breakers.stoppedOn), breakers.id);
  return rows.map(({ breaker, deploymentId }) => ({
    id: breaker.id,
    versionId: breaker.versionId as VersionId,
    reason: breaker.reason as StopReason,
    stoppedOn: breaker.stoppedOn,
    strikes: breaker.strikes,
    deploymentSeq: breaker.deploymentSeq,
    deploymentId: deploymentId as DeploymentId | null,
  }));
}

/** Reset a version's open breaker, and tell the audit. False when there was none: then nothing is told either. */
export async function resetOpenBreaker(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
  versionId: VersionId,
  entry: AuditEntry,
): Promise<boolean> {
  const [reset] = await db.batch([
    db
      .update(breakers)
      .set({ resetOn: entry.at, resetId: entry.id })
      .where(and(isOpen(workerId), eq(breakers.versionId, versionId)))
      .returning({ id: breakers.id }),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM breakers WHERE reset_id = ${entry.id})`,
    ),
  ]);
  return reset.length > 0;
}
