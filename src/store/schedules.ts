import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { Schedule } from "../domain/cron-due.ts";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatement } from "./audit.ts";
import type { Database } from "./database.ts";
import { schedules } from "./schema-resources.ts";
import { workers } from "./schema.ts";

/** A Worker's schedule as it is told; times are milliseconds since 1970. */
export interface StoredSchedule {
  readonly cron: string;
  readonly createdOn: number;
  readonly modifiedOn: number;
}

/** In the order in which they were given. */
export async function listSchedules(
  db: Database,
  workerId: WorkerId,
): Promise<readonly StoredSchedule[]> {
  const { cron, createdOn, modifiedOn } = schedules;
  return db
    .select({ cron, createdOn, modifiedOn })
    .from(schedules)
    .where(eq(schedules.workerId, workerId))
    .orderBy(asc(schedules.position));
}

/** Those of all Workers that there are. */
export async function listAllSchedules(db: Database, accountId: AccountId): Promise<Schedule[]> {
  const rows = await db
    .select({ workerId: schedules.workerId, cron: schedules.cron, createdOn: schedules.createdOn })
    .from(schedules)
    .innerJoin(workers, eq(workers.id, schedules.workerId))
    .where(and(eq(workers.accountId, accountId), isNull(workers.deletedOn)));
  return rows.map((row) => ({ ...row, workerId: row.workerId as WorkerId }));
}

/** How many schedules the other Workers have together. */
export const countSchedulesOfOthers = (
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
): Promise<number> =>
  db.$count(
    schedules,
    sql`worker_id <> ${workerId} AND worker_id IN (SELECT id FROM workers
      WHERE account_id = ${accountId} AND deleted_on IS NULL)`,
  );

/** Puts these schedules, each given once, in the place of those that the Worker has. One that stays keeps its age. */
export async function replaceSchedules(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
  crons: readonly string[],
  entry: AuditEntry,
): Promise<void> {
  const given = JSON.stringify(crons);
  await db.batch([
    db
      .delete(schedules)
      .where(sql`worker_id = ${workerId} AND cron NOT IN (SELECT value FROM json_each(${given}))`),
    db
      .insert(schedules)
      .select(
        sql`SELECT ${workerId}, key, value, ${entry.at}, ${entry.at} FROM json_each(${given}) WHERE true`,
      )
      .onConflictDoUpdate({
        target: [schedules.workerId, schedules.cron],
        set: { position: sql`excluded.position`, modifiedOn: entry.at },
      }),
    auditStatement(db, accountId, entry),
  ]);
}
