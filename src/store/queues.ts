import { and, asc, eq, inArray, isNull, sql, type SQL } from "drizzle-orm";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { Consumer, Producer, Queue } from "../domain/queue-records.ts";
import type { GivenConsumerSettings, QueueSettings } from "../domain/queue-settings.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatement, auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { queueConsumers, queues } from "./schema-resources.ts";
import { workers } from "./schema.ts";

const toQueue = (row: typeof queues.$inferSelect): Queue => ({
  id: row.id,
  name: row.name,
  createdOn: row.createdOn,
  modifiedOn: row.modifiedOn,
  settings: JSON.parse(row.settings) as QueueSettings,
});

const live = (accountId: AccountId, more?: SQL) =>
  and(eq(queues.accountId, accountId), isNull(queues.deletedOn), more);

export async function findQueue(
  db: Database,
  accountId: AccountId,
  by: { readonly id: string } | { readonly name: string },
): Promise<Queue | null> {
  const which = "id" in by ? eq(queues.id, by.id) : eq(queues.name, by.name);
  const [row] = await db.select().from(queues).where(live(accountId, which));
  return row ? toQueue(row) : null;
}

/** In order of their names. `names`: only these; null: all. */
export async function listQueues(
  db: Database,
  accountId: AccountId,
  names: readonly string[] | null,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly queues: readonly Queue[]; readonly total: number }> {
  // One JSON parameter: D1 binds at most 100.
  const among =
    names === null
      ? undefined
      : sql`name IN (SELECT value FROM json_each(${JSON.stringify(names)}))`;
  const which = live(accountId, among);
  const rows = await db
    .select()
    .from(queues)
    .where(which)
    .orderBy(asc(queues.name))
    .limit(page.limit)
    .offset(page.offset);
  return { queues: rows.map(toQueue), total: await db.$count(queues, which) };
}

export const countQueues = (db: Database, accountId: AccountId): Promise<number> =>
  db.$count(queues, live(accountId));

/** False when the name is taken; nothing is done then. */
export async function insertQueue(
  db: Database,
  accountId: AccountId,
  { id, name, settings }: Queue,
  entry: AuditEntry,
): Promise<boolean> {
  const row = { id, accountId, name, createdOn: entry.at, modifiedOn: entry.at };
  await db.batch([
    db
      .insert(queues)
      .values({ ...row, settings: JSON.stringify(settings) })
      .onConflictDoNothing(),
    auditStatementIf(db, accountId, entry, sql`EXISTS (SELECT 1 FROM queues WHERE id = ${id})`),
  ]);
  return (await findQueue(db, accountId, { id })) !== null;
}

export async function updateQueue(
  db: Database,
  accountId: AccountId,
  { id, settings, modifiedOn }: Queue,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(queues)
      .set({ settings: JSON.stringify(settings), modifiedOn })
      .where(live(accountId, eq(queues.id, id))),
    auditStatement(db, accountId, entry),
  ]);
}

/** Its name is free from then on, and it has no consumer. */
export async function markQueueDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(queues)
      .set({ deletedOn: entry.at })
      .where(live(accountId, eq(queues.id, id))),
    db.delete(queueConsumers).where(eq(queueConsumers.queueId, id)),
    auditStatement(db, accountId, entry),
  ]);
}

export async function wasQueueDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
): Promise<boolean> {
  const isDeleted = sql`${queues.deletedOn} IS NOT NULL`;
  const which = and(eq(queues.accountId, accountId), eq(queues.id, id), isDeleted);
  return (await db.$count(queues, which)) > 0;
}

/** Those of these queues whose Workers there are. */
export async function findConsumers(
  db: Database,
  queueIds: readonly string[],
): Promise<readonly Consumer[]> {
  const rows = await db
    .select({ consumer: queueConsumers, worker: workers.name })
    .from(queueConsumers)
    .innerJoin(workers, and(eq(workers.id, queueConsumers.workerId), isNull(workers.deletedOn)))
    .where(
      sql`${queueConsumers.queueId} IN (SELECT value FROM json_each(${JSON.stringify(queueIds)}))`,
    );
  return rows.map(({ consumer, worker }) => ({
    id: consumer.id,
    queueId: consumer.queueId,
    workerId: consumer.workerId as WorkerId,
    worker,
    createdOn: consumer.createdOn,
    deadLetterQueue: consumer.deadLetterQueue,
    settings: JSON.parse(consumer.settings) as GivenConsumerSettings,
  }));
}

/** Ids of the queues whose dead messages go to the queue `name`. */
export async function findDeadLetterSources(
  db: Database,
  accountId: AccountId,
  name: string,
): Promise<readonly string[]> {
  const rows = await db
    .select({ id: queues.id })
    .from(queues)
    .innerJoin(queueConsumers, eq(queueConsumers.queueId, queues.id))
    .where(live(accountId, eq(queueConsumers.deadLetterQueue, name)));
  return rows.map(({ id }) => id);
}

/** Workers whose current deployments are bound to these queues. */
export const findProducers = (
  db: Database,
  accountId: AccountId,
  names: readonly string[],
): Promise<readonly Producer[]> =>
  db.all<Producer>(sql`
    SELECT DISTINCT version_resources.resource_id AS queue, workers.name AS worker
    FROM version_resources
    JOIN deployment_versions ON deployment_versions.version_id = version_resources.version_id
    JOIN deployments ON deployments.id = deployment_versions.deployment_id
    JOIN workers ON workers.id = deployments.worker_id
    WHERE version_resources.kind = 'queue'
      AND version_resources.resource_id IN (SELECT value FROM json_each(${JSON.stringify(names)}))
      AND workers.account_id = ${accountId} AND workers.deleted_on IS NULL
      AND deployments.seq = (SELECT max(seq) FROM deployments AS newest
        WHERE newest.worker_id = workers.id AND newest.status <> 'aborted')
    ORDER BY queue, worker`);

/** Makes the queue's one consumer, in the place of one whose Worker is gone. False when it has another. */
export async function insertConsumer(
  db: Database,
  accountId: AccountId,
  consumer: Consumer,
  entry: AuditEntry,
): Promise<boolean> {
  const { id, queueId } = consumer;
  const isGone = inArray(
    queueConsumers.workerId,
    db
      .select({ id: workers.id })
      .from(workers)
      .where(sql`${workers.deletedOn} IS NOT NULL`),
  );
  await db.batch([
    db.delete(queueConsumers).where(and(eq(queueConsumers.queueId, queueId), isGone)),
    db
      .insert(queueConsumers)
      .values({ ...toRow(consumer), id, queueId, createdOn: entry.at, modifiedOn: entry.at })
      .onConflictDoNothing(),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM queue_consumers WHERE id = ${id})`,
    ),
  ]);
  return (await db.$count(queueConsumers, eq(queueConsumers.id, id))) > 0;
}

const toRow = ({ workerId, deadLetterQueue, settings }: Consumer) => ({
  workerId,
  deadLetterQueue,
  settings: JSON.stringify(settings),
});

export async function updateConsumer(
  db: Database,
  accountId: AccountId,
  consumer: Consumer,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(queueConsumers)
      .set({ ...toRow(consumer), modifiedOn: entry.at })
      .where(eq(queueConsumers.id, consumer.id)),
    auditStatement(db, accountId, entry),
  ]);
}

export async function deleteConsumer(
  db: Database,
  accountId: AccountId,
  id: string,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db.delete(queueConsumers).where(eq(queueConsumers.id, id)),
    auditStatement(db, accountId, entry),
  ]);
}
