/** Where what versions are bound to is stored. */
import { sql } from "drizzle-orm";
import type { AccountId, VersionId } from "../domain/ids.ts";
import type { ResourceKind, VersionResource } from "../domain/version-resources.ts";
import type { Database } from "./database.ts";
import { versionResources } from "./schema-resources.ts";

/**
 * By binding name: the id under which a resource is stored. KV namespace, database and queue: its id; bucket: its
 * ordinal; Durable Object class: as in domain/durable-resource; service: the Worker's id. What is gone is left out.
 */
export async function findResources(
  db: Database,
  accountId: AccountId,
  wanted: readonly VersionResource[],
): Promise<Map<string, string>> {
  if (wanted.length === 0) return new Map();
  // A compound of more than five is refused here, so it is a compound of two.
  const rows = await db.all<{ binding: string; id: string }>(sql`
    WITH wanted AS (SELECT value ->> 'binding' AS binding, value ->> 'kind' AS kind,
      value ->> 'resourceId' AS resource FROM json_each(${JSON.stringify(wanted)}))
    SELECT * FROM (SELECT binding, id FROM wanted JOIN kv_namespaces AS found
      ON kind = 'kv_namespace' AND found.id = resource
      WHERE account_id = ${accountId} AND deleted_on IS NULL
    UNION ALL SELECT binding, CAST(ordinal AS TEXT) FROM wanted JOIN r2_buckets AS found
      ON kind = 'r2_bucket' AND found.name = resource
      WHERE account_id = ${accountId} AND deleted_on IS NULL
    UNION ALL SELECT binding, id FROM wanted JOIN d1_databases AS found
      ON kind = 'd1' AND found.id = resource
      WHERE account_id = ${accountId} AND deleted_on IS NULL)
    UNION ALL SELECT * FROM (SELECT binding, id FROM wanted JOIN queues AS found
      ON kind = 'queue' AND found.name = resource
      WHERE account_id = ${accountId} AND deleted_on IS NULL
    UNION ALL SELECT binding, id FROM wanted JOIN workers AS found
      ON kind = 'service' AND found.name = resource
      WHERE account_id = ${accountId} AND deleted_on IS NULL
    UNION ALL SELECT binding, workers.id || '/' || found.id || '/' || found.home_worker_id || '/' || found.transfers
      FROM wanted JOIN workers
      ON kind = 'durable_object_namespace'
        AND workers.name = substr(resource, 1, instr(resource, '/') - 1)
        AND workers.account_id = ${accountId} AND workers.deleted_on IS NULL
      JOIN durable_namespaces AS found ON found.worker_id = workers.id
        AND found.class_name = substr(resource, instr(resource, '/') + 1)
      WHERE found.deleted_on IS NULL)`);
  return new Map(rows.map(({ binding, id }) => [binding, id]));
}

/** The rows that tell later what a version is bound to. For the batch that makes the version. */
export const versionResourcesStatement = (
  db: Database,
  versionId: VersionId,
  resources: readonly VersionResource[],
) =>
  db
    .insert(versionResources)
    .select(
      sql`SELECT ${versionId}, value ->> 'binding', value ->> 'kind', value ->> 'resourceId'
        FROM json_each(${JSON.stringify(resources)}) WHERE true`,
    )
    .onConflictDoNothing();

/** A Worker whose current deployment is bound to a resource. */
export interface ResourceReferrer {
  readonly worker: string;
  /** Name of the binding. */
  readonly binding: string;
  readonly versionId: string;
}

/** Who would miss it: bindings of the versions that live Workers' newest deployments run. `resourceId` as a client names it. */
export async function findResourceReferrers(
  db: Database,
  accountId: AccountId,
  kind: ResourceKind,
  resourceId: string,
): Promise<ResourceReferrer[]> {
  return db.all<ResourceReferrer>(sql`
    SELECT DISTINCT workers.name AS worker, version_resources.binding AS binding,
      version_resources.version_id AS versionId
    FROM version_resources
    JOIN deployment_versions ON deployment_versions.version_id = version_resources.version_id
    JOIN deployments ON deployments.id = deployment_versions.deployment_id
    JOIN workers ON workers.id = deployments.worker_id
    WHERE version_resources.kind = ${kind} AND version_resources.resource_id = ${resourceId}
      AND workers.account_id = ${accountId} AND workers.deleted_on IS NULL
      AND deployments.seq = (SELECT max(seq) FROM deployments AS newest
        WHERE newest.worker_id = workers.id AND newest.status <> 'aborted')
    ORDER BY workers.name, version_resources.binding`);
}
