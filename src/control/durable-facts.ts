/** What is known of Durable Object classes where something is decided about them. */
import type { CurrentDeployment } from "../domain/deployment.ts";
import {
  receivedClasses,
  removedClasses,
  stateKey,
  type DurableFacts,
  type DurableState,
} from "../domain/durable-migration.ts";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { Database } from "../store/database.ts";
import { findClassReferrers } from "../store/durable-namespaces.ts";
import { findDurable, findNamespaceOwners } from "../store/durable-state.ts";

/** The classes that a Worker has: those that what is deployed was made for. */
export async function durableOf(
  db: Database,
  current: CurrentDeployment | null,
): Promise<DurableState> {
  const deployed = current?.versions[0]?.versionId ?? "";
  return (await findDurable(db, [deployed]))(deployed);
}

/** For deciding on a deployment of these versions. */
export async function durableFacts(
  db: Database,
  worker: { readonly accountId: AccountId; readonly id: WorkerId },
  deployed: CurrentDeployment | null,
  versionIds: readonly string[],
): Promise<Omit<DurableFacts, "isUpload">> {
  const currentId = deployed?.versions[0]?.versionId ?? "";
  const find = await findDurable(db, [currentId, ...versionIds]);
  const current = find(currentId);
  const versions = versionIds.map((versionId) => ({ versionId, durable: find(versionId) }));
  const changing = versions.filter(({ durable }) => durable.base === stateKey(current));
  const removed = changing.flatMap(({ durable }) => removedClasses(current, durable));
  const received = changing.flatMap(({ durable }) => receivedClasses(current, durable));
  const boundElsewhere = new Map<string, { worker: string; binding: string }[]>();
  const referrers =
    removed.length === 0 ? [] : await findClassReferrers(db, worker.accountId, worker.id);
  for (const { className, namespaceId } of removed) {
    const users = referrers.filter((each) => each.namespaceId === namespaceId);
    boundElsewhere.set(className, users);
  }
  const ids = received.map(({ namespaceId }) => namespaceId);
  const owners = await findNamespaceOwners(db, worker.accountId, ids);
  return { current, versions, boundElsewhere, owners };
}
