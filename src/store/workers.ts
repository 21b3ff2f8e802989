import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import type { AccountId, WorkerId, WorkerName } from "../domain/ids.ts";
import type { Worker } from "../domain/worker.ts";
import type { Database } from "./database.ts";
import { accounts, workers } from "./schema.ts";

type Row = typeof workers.$inferSelect;

const toWorker = (row: Row): Worker => ({
  id: row.id as WorkerId,
  accountId: row.accountId as AccountId,
  name: row.name as WorkerName,
  createdOn: row.createdOn,
  modifiedOn: row.modifiedOn,
  subdomainEnabled: row.subdomainEnabled === 1,
  previewsEnabled: row.previewsEnabled === 1,
  settings: JSON.parse(row.settings) as Record<string, unknown>,
});

/** The installation's account has to be a row before anything can refer to it. */
export async function ensureAccount(
  db: Database,
  account: { id: AccountId; name: string; createdOn: number },
): Promise<void> {
  await db.insert(accounts).values(account).onConflictDoNothing();
}

export async function findWorker(
  db: Database,
  accountId: AccountId,
  name: WorkerName,
): Promise<Worker | null> {
  const rows = await db
    .select()
    .from(workers)
    .where(and(eq(workers.accountId, accountId), eq(workers.name, name), isNull(workers.deletedOn)));
  return rows[0] === undefined ? null : toWorker(rows[0]);
}

/** Null also when the Worker was deleted. */
export async function findWorkerById(db: Database, id: WorkerId): Promise<Worker | null> {
  const rows = await db
    .select()
    .from(workers)
    .where(and(eq(workers.id, id), isNull(workers.deletedOn)));
  return rows[0] === undefined ? null : toWorker(rows[0]);
}

/** In order of name, after `afterName`. */
export async function listWorkers(
  db: Database,
  accountId: AccountId,
  page: { afterName: string; limit: number },
): Promise<Worker[]> {
  const rows = await db
    .select()
    .from(workers)
    .where(
      and(
        eq(workers.accountId, accountId),
        isNull(workers.deletedOn),
        gt(workers.name, page.afterName),
      ),
    )
    .orderBy(asc(workers.name))
    .limit(page.limit);
  return rows.map(toWorker);
}

/** Replace the settings that no version carries. */
export async function updateWorkerSettings(
  db: Database,
  id: WorkerId,
  settings: Readonly<Record<string, unknown>>,
  modifiedOn: number,
): Promise<void> {
  await db
    .update(workers)
    .set({ settings: JSON.stringify(settings), modifiedOn })
    .where(eq(workers.id, id));
}

export async function touchWorker(db: Database, id: WorkerId, modifiedOn: number): Promise<void> {
  await db
    .update(workers)
    .set({ modifiedOn: sql`max(${workers.modifiedOn}, ${modifiedOn})` })
    .where(eq(workers.id, id));
}
