/** What a version is bound to and is gone. */
import { sql } from "drizzle-orm";
import type { AccountId, VersionId } from "../domain/ids.ts";
import type { MissingResource, ResourceKind } from "../domain/version-resources.ts";
import type { Database } from "./database.ts";
import { findResources } from "./resources.ts";

/**
 * In order of the bindings' names. The Worker itself and its own Durable Object classes are left out: the one is there,
 * and of the others migrations decide.
 */
export async function findMissingResources(
  db: Database,
  accountId: AccountId,
  workerName: string,
  versionId: VersionId,
): Promise<readonly MissingResource[]> {
  const rows = await db.all<MissingResource & { kind: ResourceKind }>(sql`
    SELECT binding, kind, resource_id AS resourceId,
      CASE kind WHEN 'kv_namespace' THEN (SELECT title FROM kv_namespaces WHERE id = resource_id)
        WHEN 'd1' THEN (SELECT name FROM d1_databases WHERE id = resource_id) END AS title
    FROM version_resources WHERE version_id = ${versionId} ORDER BY binding`);
  const wanted = rows.filter(
    ({ kind, resourceId }) =>
      !(kind === "service" && resourceId === workerName) &&
      !(kind === "durable_object_namespace" && resourceId.startsWith(`${workerName}/`)),
  );
  const found = await findResources(db, accountId, wanted);
  return wanted.filter(({ binding }) => !found.has(binding));
}
