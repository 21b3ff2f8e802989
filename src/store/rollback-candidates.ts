/** Versions that a rollback may go to, found by index: the length of the history does not matter. */
import { and, desc, eq, lte, ne, sql } from "drizzle-orm";
import type { DeploymentId, VersionId, WorkerId } from "../domain/ids.ts";
import type { RollbackCandidate } from "../domain/rollback-target.ts";
import type { Database } from "./database.ts";
import { deployments, versions } from "./schema.ts";

/** The one that was fully deployed last first; `beforeSeq` is exclusive. */
export async function listRollbackCandidates(
  db: Database,
  workerId: WorkerId,
  beforeSeq: number,
  limit: number,
): Promise<RollbackCandidate[]> {
  const rows = await db.all<{
    versionId: VersionId;
    number: number;
    tag: string | null;
    id: DeploymentId;
    seq: number;
    createdOn: number;
    isStopped: number;
  }>(sql`
    SELECT versions.id AS versionId, versions.number AS number, versions.tag AS tag,
      deployments.id AS id, deployments.seq AS seq, deployments.created_on AS createdOn,
      EXISTS (SELECT 1 FROM breakers WHERE breakers.worker_id = ${workerId}
        AND breakers.version_id = versions.id AND breakers.deployment_seq = last_served.seq
        AND breakers.reset_on IS NULL) AS isStopped
    FROM last_served
    JOIN versions ON versions.id = last_served.version_id
    JOIN deployments ON deployments.worker_id = ${workerId} AND deployments.seq = last_served.full_seq
    WHERE last_served.worker_id = ${workerId} AND last_served.full_seq < ${beforeSeq}
    ORDER BY last_served.full_seq DESC LIMIT ${limit}`);
  return rows.map(({ id, seq, createdOn, isStopped, ...version }) => ({
    ...version,
    last: { id, seq, createdOn },
    isStopped: isStopped === 1,
  }));
}

/** What the rollbacks left that follow each other up to the deployment `seq`, the last one first; it ends where one was none. */
export async function listLeft(
  db: Database,
  workerId: WorkerId,
  seq: number,
  limit: number,
): Promise<{ readonly left: readonly VersionId[] | null; readonly seq: number }[]> {
  const rows = await db
    .select({ left: deployments.leftVersions, seq: deployments.seq })
    .from(deployments)
    .where(
      and(
        eq(deployments.workerId, workerId),
        lte(deployments.seq, seq),
        ne(deployments.status, "aborted"),
      ),
    )
    .orderBy(desc(deployments.seq))
    .limit(limit);
  return rows.map((row) => ({
    seq: row.seq,
    left: row.left === null ? null : (JSON.parse(row.left) as VersionId[]),
  }));
}

/** Versions of the Worker that have this tag, the newest first. */
export async function findTagged(
  db: Database,
  workerId: WorkerId,
  tag: string,
  limit: number,
): Promise<readonly VersionId[]> {
  const rows = await db
    .select({ id: versions.id })
    .from(versions)
    .where(and(eq(versions.workerId, workerId), eq(versions.tag, tag)))
    .orderBy(desc(versions.number))
    .limit(limit);
  return rows.map(({ id }) => id as VersionId);
}
