import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { CustomDomain, Route, RouteTable } from "../domain/route-table.ts";
import type { RoutingDiff } from "../domain/routing-diff.ts";
import type { AuditEntry, Worker, Zone } from "../domain/worker.ts";
import { auditStatement } from "./audit.ts";
import type { Database } from "./database.ts";
import { domains, routes, workers, zones } from "./schema.ts";

/** Write a change of the route table, at once. Writing it again changes nothing. */
export async function commitRouting(
  db: Database,
  accountId: AccountId,
  diff: RoutingDiff,
  at: number,
  entry: AuditEntry,
): Promise<void> {
  const json = (rows: readonly unknown[]) => JSON.stringify(rows);
  const each = (rows: readonly unknown[]) => sql`json_each(${json(rows)})`;
  const { newWorker } = diff;
  // Lists travel as one JSON parameter each: D1 binds at most 100, a zone may have 10,000 routes.
  await db.batch([
    auditStatement(db, accountId, entry),
    db
      .insert(zones)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'name', ${at} FROM ${each(diff.newZones)} WHERE true`,
      )
      .onConflictDoNothing(),
    ...(newWorker === null
      ? []
      : [db.insert(workers).values(newRow(accountId, newWorker)).onConflictDoNothing()]),
    db
      .update(workers)
      .set({
        subdomainEnabled: sql`host.value ->> 'enabled'`,
        previewsEnabled: sql`host.value ->> 'previewsEnabled'`,
        modifiedOn: sql`max(${workers.modifiedOn}, ${at})`,
        deletedOn: null,
      })
      .from(sql`${each(diff.putWorkers)} AS host`)
      .where(sql`${workers.id} = host.value ->> 'workerId'`),
    db.delete(routes).where(sql`${routes.id} IN (SELECT value FROM ${each(diff.removeRoutes)})`),
    db.delete(domains).where(sql`${domains.id} IN (SELECT value FROM ${each(diff.removeDomains)})`),
    db
      .update(workers)
      .set({ deletedOn: sql`gone.value ->> 'deletedOn'` })
      .from(sql`${each(diff.removeWorkers)} AS gone`)
      .where(and(sql`${workers.id} = gone.value ->> 'workerId'`, isNull(workers.deletedOn))),
    db
      .insert(routes)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'zoneId', value ->> 'pattern',
          value ->> 'workerId', ${at} FROM ${each(diff.putRoutes)} WHERE true`,
      )
      .onConflictDoUpdate({
        target: routes.id,
        set: { pattern: sql`excluded.pattern`, workerId: sql`excluded.worker_id` },
      }),
    db
      .insert(domains)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'zoneId', value ->> 'hostname',
          value ->> 'workerId', value ->> 'enabled', value ->> 'previewsEnabled', ${at}
          FROM ${each(diff.putDomains)} WHERE true`,
      )
      .onConflictDoUpdate({
        target: domains.id,
        set: {
          workerId: sql`excluded.worker_id`,
          enabled: sql`excluded.enabled`,
          previewsEnabled: sql`excluded.previews_enabled`,
        },
      }),
  ]);
}

const newRow = (accountId: AccountId, worker: Worker): typeof workers.$inferInsert => ({
  id: worker.id,
  accountId,
  name: worker.name,
  createdOn: worker.createdOn,
  modifiedOn: worker.modifiedOn,
  subdomainEnabled: worker.subdomainEnabled ? 1 : 0,
  previewsEnabled: worker.previewsEnabled ? 1 : 0,
  settings: JSON.stringify(worker.settings),
});

/** The whole table as the ledger has it: what a register without memory starts from. */
export async function loadRouteTable(db: Database, accountId: AccountId): Promise<RouteTable> {
  const [workerRows, routeRows, domainRows] = await db.batch([
    db
      .select()
      .from(workers)
      .where(and(eq(workers.accountId, accountId), isNull(workers.deletedOn))),
    db.select().from(routes).where(eq(routes.accountId, accountId)),
    db.select().from(domains).where(eq(domains.accountId, accountId)),
  ]);
  return {
    workers: workerRows.map((row) => ({
      workerId: row.id as WorkerId,
      name: row.name,
      enabled: row.subdomainEnabled === 1,
      previewsEnabled: row.previewsEnabled === 1,
    })),
    routes: routeRows.map(toRoute),
    domains: domainRows.map(toDomain),
  };
}

const toRoute = (row: typeof routes.$inferSelect): Route => ({
  id: row.id,
  zoneId: row.zoneId,
  pattern: row.pattern,
  workerId: row.workerId as WorkerId | null,
});

const toDomain = (row: typeof domains.$inferSelect): CustomDomain => ({
  id: row.id,
  zoneId: row.zoneId,
  hostname: row.hostname,
  workerId: row.workerId as WorkerId,
  enabled: row.enabled === 1,
  previewsEnabled: row.previewsEnabled === 1,
});

export async function listZones(
  db: Database,
  accountId: AccountId,
  name?: string,
): Promise<Zone[]> {
  const rows = await db
    .select({ id: zones.id, name: zones.name })
    .from(zones)
    .where(
      and(eq(zones.accountId, accountId), name === undefined ? undefined : eq(zones.name, name)),
    )
    .orderBy(asc(zones.name));
  return rows;
}

export async function createZone(
  db: Database,
  accountId: AccountId,
  zone: Zone,
  createdOn: number,
): Promise<void> {
  await db
    .insert(zones)
    .values({ ...zone, accountId, createdOn })
    .onConflictDoNothing();
}
