import { sql } from "drizzle-orm";
import type { WorkerId } from "../domain/ids.ts";
import { PERCENTAGE_SUM_TOLERANCE } from "../domain/limits.ts";
import type { Database } from "./database.ts";
import { lastServed } from "./schema.ts";

/**
 * For the batch that makes deployments active: when their versions last served. Of `seq` and of those just before it that
 * an earlier life of the lock may not have told of. Doing it again changes nothing.
 */
export const lastServedStatement = (db: Database, workerId: WorkerId, seq: number) =>
  db
    .insert(lastServed)
    .select(
      sql`SELECT shares.version_id, ${workerId}, max(deployments.seq),
          max(CASE WHEN shares.percentage >= ${100 - PERCENTAGE_SUM_TOLERANCE} THEN deployments.seq END)
        FROM deployments JOIN deployment_versions AS shares ON shares.deployment_id = deployments.id
        WHERE deployments.worker_id = ${workerId} AND deployments.status = 'active'
          AND deployments.seq <= ${seq} AND deployments.seq > ${seq - UNTOLD_MAX} AND shares.percentage > 0
        GROUP BY shares.version_id`,
    )
    .onConflictDoUpdate({
      target: lastServed.versionId,
      set: {
        seq: sql`max(${lastServed.seq}, excluded.seq)`,
        fullSeq: sql`max(coalesce(${lastServed.fullSeq}, excluded.full_seq), coalesce(excluded.full_seq, ${lastServed.fullSeq}))`,
      },
    });

/** Deployments that one batch may make active at once: each is told of when it becomes visible, so more than two are never open. */
const UNTOLD_MAX = 16;
