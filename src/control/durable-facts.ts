/** What is known of Durable Object classes where something is decided about them. */
import type { CurrentDeployment } from "../domain/deployment.ts";
import {
  type MigrationsBetween,
  receivedClasses,
  removedClasses,
  stateKey,
  type DurableFacts,
  type DurableState,
} from "../domain/durable-migration.ts";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { Database } from "../store/database.ts";
import { findClassReferrers } from "../store/durable-namespaces.ts";
import {
  findDurable,
  findMigrationsBetween,
  findNamespaceOwners,
  findNearestOfTag,
} from "../store/durable-state.ts";

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
  named: readonly { readonly id: string; readonly number: number }[],
): Promise<Omit<DurableFacts, "isUpload">> {
  const versionIds = named.map(({ id }) => id);
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
  const between = new Map<string, MigrationsBetween>();
  const currentNumber = deployed?.versions[0]?.number ?? 0;
  for (const { id, number } of named) {
    const { base, ...state } = find(id);
    const brings = named.length === 1 && base === stateKey(current);
    if (stateKey(state) === stateKey(current) || brings) continue;
    const low = Math.min(number, currentNumber);
    const high = Math.max(number, currentNumber);
    const [migrations, nearby] = await Promise.all([
      findMigrationsBetween(db, worker.id, low, high),
      findNearestOfTag(db, worker.id, current.tag, number),
    ]);
    const near = await findDurable(
      db,
      nearby.map(({ versionId }) => versionId),
    );
    const fits = ({ versionId }: (typeof nearby)[number]) =>
      stateKey(near(versionId)) === stateKey(current);
    between.set(id, { migrations, nearest: nearby.find(fits) ?? null });
  }
  return { current, versions, between, boundElsewhere, owners };
}
