import { sql } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { Database } from "./database.ts";

/** Names of the live Workers whose newest deployment has a version with a service binding to `service`. */
export async function findServiceReferrers(
  db: Database,
  accountId: AccountId,
  service: string,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`
    SELECT DISTINCT workers.name AS name
    FROM workers
    JOIN deployments ON deployments.worker_id = workers.id AND deployments.seq = (
      SELECT max(seq) FROM deployments AS newest
      WHERE newest.worker_id = workers.id AND newest.status = 'active')
    JOIN deployment_versions ON deployment_versions.deployment_id = deployments.id
    JOIN versions ON versions.id = deployment_versions.version_id
    JOIN json_each(versions.bindings) AS binding
    WHERE workers.account_id = ${accountId} AND workers.deleted_on IS NULL
      AND binding.value ->> 'type' = 'service' AND binding.value ->> 'service' = ${service}
    ORDER BY workers.name`);
  return rows.map((row) => row.name);
}
