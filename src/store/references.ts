import { sql } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { Database } from "./database.ts";

/** A live Worker `name` that reaches the Worker `service` over its service binding `binding`. */
export interface ServiceReference {
  readonly name: string;
  readonly binding: string;
  readonly service: string;
}

/** The service bindings of the newest deployments: those to `service`, or all of the account's. */
export async function findServiceReferences(
  db: Database,
  accountId: AccountId,
  service: string | null,
): Promise<ServiceReference[]> {
  return db.all<ServiceReference>(sql`
    SELECT DISTINCT workers.name AS name, binding.value ->> 'name' AS binding,
      binding.value ->> 'service' AS service
    FROM workers
    JOIN deployments ON deployments.worker_id = workers.id AND deployments.seq = (
      SELECT max(seq) FROM deployments AS newest
      WHERE newest.worker_id = workers.id AND newest.status = 'active')
    JOIN deployment_versions ON deployment_versions.deployment_id = deployments.id
    JOIN versions ON versions.id = deployment_versions.version_id
    JOIN json_each(versions.bindings) AS binding
    WHERE workers.account_id = ${accountId} AND workers.deleted_on IS NULL
      AND binding.value ->> 'type' = 'service'
      AND (${service} IS NULL OR binding.value ->> 'service' = ${service})
    ORDER BY workers.name, binding`);
}

/** Names of the live Workers whose newest deployment has a version with a service binding to `service`. */
export async function findServiceReferrers(
  db: Database,
  accountId: AccountId,
  service: string,
): Promise<string[]> {
  const references = await findServiceReferences(db, accountId, service);
  return [...new Set(references.map((reference) => reference.name))];
}
