import { and, asc, desc, eq, isNull, sql, type SQL } from "drizzle-orm";
import type { AccountId, WorkerId, WorkerName } from "../domain/ids.ts";
import type { AuditEntry, Worker } from "../domain/worker.ts";
import { auditStatement } from "./audit.ts";
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
  migrationTag: row.migrationTag,
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
    .where(
      and(eq(workers.accountId, accountId), eq(workers.name, name), isNull(workers.deletedOn)),
    );
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

/** What Workers can be listed by; equal ones come in order of name. */
export type WorkerOrder = "name" | "created_on" | "updated_on" | "deployed_on";

const ORDER_COLUMNS: Record<WorkerOrder, SQL> = {
  name: sql`${workers.name}`,
  created_on: sql`${workers.createdOn}`,
  updated_on: sql`${workers.modifiedOn}`,
  deployed_on: sql`(SELECT max(created_on) FROM deployments
    WHERE deployments.worker_id = ${workers.id} AND deployments.status = 'active')`,
};

export async function listWorkers(
  db: Database,
  accountId: AccountId,
  page: { limit: number; offset: number; order: WorkerOrder; descending: boolean },
): Promise<Worker[]> {
  const column = ORDER_COLUMNS[page.order];
  const rows = await db
    .select()
    .from(workers)
    .where(and(eq(workers.accountId, accountId), isNull(workers.deletedOn)))
    .orderBy(page.descending ? desc(column) : asc(column), asc(workers.name))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toWorker);
}

export async function countWorkers(db: Database, accountId: AccountId): Promise<number> {
  return db.$count(workers, and(eq(workers.accountId, accountId), isNull(workers.deletedOn)));
}

/** Replace the settings that no version carries. */
export async function updateWorkerSettings(
  db: Database,
  accountId: AccountId,
  id: WorkerId,
  settings: Readonly<Record<string, unknown>>,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(workers)
      .set({ settings: JSON.stringify(settings), modifiedOn: entry.at })
      .where(eq(workers.id, id)),
    auditStatement(db, accountId, entry),
  ]);
}

export async function touchWorker(db: Database, id: WorkerId, modifiedOn: number): Promise<void> {
  await db
    .update(workers)
    .set({ modifiedOn: sql`max(${workers.modifiedOn}, ${modifiedOn})` })
    .where(eq(workers.id, id));
}
