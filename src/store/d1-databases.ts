import { and, asc, eq, isNull, like, sql } from "drizzle-orm";
import type { D1Database } from "../domain/d1-database.ts";
import type { AccountId } from "../domain/ids.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { d1Databases } from "./schema-resources.ts";

const live = (accountId: AccountId) =>
  and(eq(d1Databases.accountId, accountId), isNull(d1Databases.deletedOn));

type Row = typeof d1Databases.$inferSelect;

const fromRow = ({ id, name, createdOn, settings }: Row): D1Database => ({
  id,
  name,
  createdOn,
  settings: JSON.parse(settings) as D1Database["settings"],
});

/** By id, else by name: a name may look like an id, but no id is anybody's choice. */
export async function findD1Database(
  db: Database,
  accountId: AccountId,
  idOrName: string,
): Promise<D1Database | null> {
  const [row] = await db
    .select()
    .from(d1Databases)
    .where(
      and(
        live(accountId),
        sql`(${d1Databases.id} = ${idOrName} OR ${d1Databases.name} = ${idOrName})`,
      ),
    )
    .orderBy(sql`${d1Databases.id} = ${idOrName} DESC`)
    .limit(1);
  return row === undefined ? null : fromRow(row);
}

export async function wasD1DatabaseDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
): Promise<boolean> {
  const deleted = and(
    eq(d1Databases.accountId, accountId),
    eq(d1Databases.id, id),
    sql`${d1Databases.deletedOn} IS NOT NULL`,
  );
  return (await db.$count(d1Databases, deleted)) > 0;
}

/** `name`: a part of their names; empty for all. */
const named = (accountId: AccountId, name: string) =>
  name === ""
    ? live(accountId)
    : and(
        live(accountId),
        sql`${like(d1Databases.name, `%${name.replace(/[\\%_]/g, "\\$&")}%`)} ESCAPE '\\'`,
      );

/** The oldest first. */
export async function listD1Databases(
  db: Database,
  accountId: AccountId,
  page: { readonly name: string; readonly limit: number; readonly offset: number },
): Promise<D1Database[]> {
  const rows = await db
    .select()
    .from(d1Databases)
    .where(named(accountId, page.name))
    .orderBy(asc(d1Databases.createdOn), asc(d1Databases.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(fromRow);
}

export const countD1Databases = (db: Database, accountId: AccountId, name = ""): Promise<number> =>
  db.$count(d1Databases, named(accountId, name));

/** False when the name is taken; nothing is done then. */
export async function insertD1Database(
  db: Database,
  accountId: AccountId,
  { id, name, createdOn, settings }: D1Database,
  entry: AuditEntry,
): Promise<boolean> {
  const [inserted] = await db.batch([
    db
      .insert(d1Databases)
      .values({ id, accountId, name, createdOn, settings: JSON.stringify(settings) })
      .onConflictDoNothing()
      .returning({ id: d1Databases.id }),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM d1_databases WHERE id = ${id})`,
    ),
  ]);
  return inserted.length > 0;
}

/** Its name is free from then on. */
export async function markD1DatabaseDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(d1Databases)
      .set({ deletedOn: entry.at })
      .where(and(live(accountId), eq(d1Databases.id, id))),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM d1_databases WHERE id = ${id} AND deleted_on = ${entry.at})`,
    ),
  ]);
}
