import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { CustomDomain, Route, RouteTable } from "../domain/route-table.ts";
import type { RoutingDiff } from "../domain/routing-diff.ts";
import type { AuditEntry, Zone } from "../domain/worker.ts";
import { auditStatement, auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { domains, registers, routes, workers, zones } from "./schema.ts";

/** A change of the route table, or what takes it back: written under places of their own, the change's first. */
export interface RoutingPlace {
  readonly seq: number;
  readonly undo: boolean;
}

/** Places as one number in the ledger's row: a change's write that comes after its undo comes too late. */
const placeNumber = ({ seq, undo }: RoutingPlace): number => seq * 2 + (undo ? 1 : 0);

/**
 * Write a change of the route table, at once. Writing it again changes nothing; writing it after a later one, or
 * after it was taken back, does nothing at all: what an earlier life of the lock sent cannot come late and undo.
 */
export async function commitRouting(
  db: Database,
  accountId: AccountId,
  place: RoutingPlace,
  diff: RoutingDiff,
  at: number,
  entry: AuditEntry,
): Promise<void> {
  const seq = placeNumber(place);
  const json = (rows: readonly unknown[]) => JSON.stringify(rows);
  const each = (rows: readonly unknown[]) => sql`json_each(${json(rows)})`;
  const isOurs = sql`(SELECT seq FROM registers WHERE name = ${REGISTER}) = ${seq}`;
  const newWorkers = diff.newWorker === null ? [] : [diff.newWorker];
  // Lists travel as one JSON parameter each: D1 binds at most 100, a zone may have 10,000 routes.
  await db.batch([
    db
      .insert(registers)
      .values({ name: REGISTER, seq, status: "committing" })
      .onConflictDoUpdate({
        target: registers.name,
        set: { seq, status: "committing" },
        setWhere: sql`${registers.seq} < ${seq}`,
      }),
    auditStatement(db, accountId, entry),
    db
      .insert(zones)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'name', ${at}
          FROM ${each(diff.newZones)} WHERE ${isOurs}`,
      )
      .onConflictDoNothing(),
    db
      .insert(workers)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'name', value ->> 'createdOn',
          value ->> 'modifiedOn', NULL, value ->> 'subdomainEnabled', value ->> 'previewsEnabled',
          value -> 'settings', NULL FROM ${each(newWorkers)} WHERE ${isOurs}`,
      )
      .onConflictDoNothing(),
    db
      .update(workers)
      .set({
        subdomainEnabled: sql`host.value ->> 'enabled'`,
        previewsEnabled: sql`host.value ->> 'previewsEnabled'`,
        modifiedOn: sql`max(${workers.modifiedOn}, ${at})`,
        deletedOn: null,
      })
      .from(sql`${each(diff.putWorkers)} AS host`)
      .where(and(sql`${workers.id} = host.value ->> 'workerId'`, isOurs)),
    db
      .delete(routes)
      .where(and(sql`${routes.id} IN (SELECT value FROM ${each(diff.removeRoutes)})`, isOurs)),
    db
      .delete(domains)
      .where(and(sql`${domains.id} IN (SELECT value FROM ${each(diff.removeDomains)})`, isOurs)),
    db
      .update(workers)
      .set({ deletedOn: sql`gone.value ->> 'deletedOn'` })
      .from(sql`${each(diff.removeWorkers)} AS gone`)
      .where(
        and(sql`${workers.id} = gone.value ->> 'workerId'`, isNull(workers.deletedOn), isOurs),
      ),
    db
      .insert(routes)
      .select(
        sql`SELECT value ->> 'id', ${accountId}, value ->> 'zoneId', value ->> 'pattern',
          value ->> 'workerId', ${at} FROM ${each(diff.putRoutes)} WHERE ${isOurs}`,
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
          FROM ${each(diff.putDomains)} WHERE ${isOurs}`,
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

/** Say that the tables are what change `seq` made visible, or what was visible before it was given up. */
export async function activateRouting(db: Database, place: RoutingPlace): Promise<void> {
  await db
    .update(registers)
    .set({ status: "active" })
    .where(and(eq(registers.name, REGISTER), eq(registers.seq, placeNumber(place))));
}

/** The second linearizable way to the route table. `undecided` while a change is on its way: only the lock knows then. */
export async function readRoutingLedger(
  db: Database,
  accountId: AccountId,
): Promise<{ readonly seq: number; readonly table: RouteTable } | "undecided"> {
  const [register, ...tables] = await db.batch([
    db.select().from(registers).where(eq(registers.name, REGISTER)),
    ...tableQueries(db, accountId),
  ]);
  const row = register[0];
  if (row === undefined) return { seq: 0, table: toTable(tables) };
  return row.status === "active"
    ? { seq: Math.floor(row.seq / 2), table: toTable(tables) }
    : "undecided";
}

const REGISTER = "routing";

/**
 * The whole table as the ledger has it: what a register without memory starts from. Undecided: its last change may
 * not have been visible yet. Unused: there never was one.
 */
export async function loadRouteTable(
  db: Database,
  accountId: AccountId,
): Promise<{ readonly table: RouteTable; readonly state: "unused" | "decided" | "undecided" }> {
  const [register, ...tables] = await db.batch([
    db.select().from(registers).where(eq(registers.name, REGISTER)),
    ...tableQueries(db, accountId),
  ]);
  const status = register[0]?.status;
  const state = status === undefined ? "unused" : status === "active" ? "decided" : "undecided";
  return { table: toTable(tables), state };
}

const tableQueries = (db: Database, accountId: AccountId) =>
  [
    db
      .select()
      .from(workers)
      .where(and(eq(workers.accountId, accountId), isNull(workers.deletedOn))),
    db.select().from(routes).where(eq(routes.accountId, accountId)),
    db.select().from(domains).where(eq(domains.accountId, accountId)),
  ] as const;

type TableRows = readonly [
  readonly (typeof workers.$inferSelect)[],
  readonly (typeof routes.$inferSelect)[],
  readonly (typeof domains.$inferSelect)[],
];

function toTable([workerRows, routeRows, domainRows]: TableRows): RouteTable {
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

/** Does nothing, and tells of nothing, when a zone of that name is there. */
export async function createZone(
  db: Database,
  accountId: AccountId,
  zone: Zone,
  entry: AuditEntry,
): Promise<void> {
  const isMade = sql`EXISTS (SELECT 1 FROM zones WHERE id = ${zone.id})`;
  await db.batch([
    db
      .insert(zones)
      .values({ ...zone, accountId, createdOn: entry.at })
      .onConflictDoNothing(),
    auditStatementIf(db, accountId, entry, isMade),
  ]);
}
