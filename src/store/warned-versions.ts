/** What is told of versions to somebody who goes back to them. */
import { sql } from "drizzle-orm";
import type { D1AppliedById } from "../domain/d1-applied.ts";
import type { WarnedVersion } from "../domain/deployment-warnings.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { VersionResource } from "../domain/version-resources.ts";
import type { Database } from "./database.ts";

export async function findWarnedVersion(
  db: Database,
  id: VersionId,
): Promise<Omit<WarnedVersion, "d1Then">> {
  const [row] = await db.all<{ date: string; hasAssets: number; resources: string }>(sql`
    SELECT compatibility_date AS date,
      EXISTS (SELECT 1 FROM version_assets WHERE version_id = versions.id) AS hasAssets,
      (SELECT json_group_array(json_object('binding', binding, 'kind', kind, 'resourceId', resource_id))
        FROM version_resources WHERE version_id = versions.id) AS resources
    FROM versions WHERE id = ${id}`);
  return {
    compatibilityDate: row?.date ?? "",
    hasAssets: row?.hasAssets === 1,
    resources: JSON.parse(row?.resources ?? "[]") as VersionResource[],
  };
}

/** What its databases had when it was last current: what was seen when the next deployment was made. */
export async function d1WhenLastServed(
  db: Database,
  workerId: WorkerId,
  id: VersionId,
): Promise<D1AppliedById> {
  const [row] = await db.all<{ applied: string | null }>(sql`
    SELECT d1_migrations AS applied FROM deployments
    WHERE worker_id = ${workerId} AND status = 'active'
      AND seq > (SELECT seq FROM last_served WHERE version_id = ${id})
    ORDER BY seq LIMIT 1`);
  return JSON.parse(row?.applied ?? "{}") as D1AppliedById;
}

/** What belongs to the Worker and to no version. */
export async function countTriggers(
  db: Database,
  workerId: WorkerId,
): Promise<{ readonly crons: number; readonly routes: number }> {
  const [row] = await db.all<{ crons: number; routes: number }>(sql`
    SELECT (SELECT count(*) FROM schedules WHERE worker_id = ${workerId}) AS crons,
      (SELECT count(*) FROM routes WHERE worker_id = ${workerId})
        + (SELECT count(*) FROM domains WHERE worker_id = ${workerId}) AS routes`);
  return row ?? { crons: 0, routes: 0 };
}

/** Ids of the D1 databases that these versions are bound to and that are there. */
export async function findBoundD1(
  db: Database,
  versionIds: readonly string[],
  limit: number,
): Promise<readonly string[]> {
  // `+kind` keeps SQLite from reading the D1 bindings of all versions there are by the index on kinds.
  const rows = await db.all<{ id: string }>(sql`
    SELECT DISTINCT d1_databases.id AS id FROM version_resources
    JOIN d1_databases ON d1_databases.id = resource_id AND d1_databases.deleted_on IS NULL
    WHERE +kind = 'd1' AND version_id IN (SELECT value FROM json_each(${JSON.stringify(versionIds)}))
    LIMIT ${limit}`);
  return rows.map(({ id }) => id);
}
