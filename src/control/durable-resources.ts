/** Where a version's bindings to Durable Object classes lead, by binding name; see domain/durable-resource. */
import { homeOf, transfersOf } from "../domain/durable-migration.ts";
import { durableResource } from "../domain/durable-resource.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { Version } from "../domain/version.ts";
import type { Worker } from "../domain/worker.ts";
import type { Database } from "../store/database.ts";
import { findNamespaceOwners } from "../store/durable-state.ts";

/**
 * By the namespace that each was given at upload, so that a class may be renamed or transferred. The version's own need no
 * row: they are the Worker's as soon as it is deployed. What it has given away since, its objects' process is told of.
 */
export async function durableResources(
  db: Database,
  worker: Pick<Worker, "id" | "name" | "accountId">,
  { bindings, durable }: Pick<Version, "bindings" | "durable">,
): Promise<Readonly<Record<string, string>>> {
  const resources: Record<string, string> = {};
  const foreign = new Map<string, string>();
  for (const { name, type, namespace_id: id } of bindings) {
    if (type !== "durable_object_namespace" || typeof id !== "string") continue;
    const own = durable?.classes.find((each) => each.namespaceId === id);
    if (own === undefined) foreign.set(name, id);
    else {
      resources[name] = durableResource({
        workerId: worker.id,
        namespaceId: id,
        home: homeOf(worker.id, own) as WorkerId,
        transfers: transfersOf(own),
      });
    }
  }
  const owners = await findNamespaceOwners(db, worker.accountId, [...foreign.values()]);
  for (const [name, id] of foreign) {
    const owner = owners.get(id);
    if (owner !== undefined) resources[name] = durableResource(owner);
  }
  return resources;
}
