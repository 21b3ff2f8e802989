import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { KvNamespace } from "../domain/kv.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { kvNamespaces } from "./schema-resources.ts";

const live = (accountId: AccountId) =>
  and(eq(kvNamespaces.accountId, accountId), isNull(kvNamespaces.deletedOn));

const columns = { id: kvNamespaces.id, title: kvNamespaces.title };

export async function findKvNamespace(
  db: Database,
  accountId: AccountId,
  id: string,
): Promise<KvNamespace | null> {
  const [row] = await db
    .select(columns)
    .from(kvNamespaces)
    .where(and(live(accountId), eq(kvNamespaces.id, id)));
  return row ?? null;
}

export async function wasKvNamespaceDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
): Promise<boolean> {
  const deleted = await db.$count(
    kvNamespaces,
    and(
      eq(kvNamespaces.accountId, accountId),
      eq(kvNamespaces.id, id),
      sql`${kvNamespaces.deletedOn} IS NOT NULL`,
    ),
  );
  return deleted > 0;
}

interface KvNamespaceOrder {
  readonly by: "id" | "title";
  readonly descending: boolean;
}

export async function listKvNamespaces(
  db: Database,
  accountId: AccountId,
  page: { readonly limit: number; readonly offset: number; readonly order: KvNamespaceOrder },
): Promise<KvNamespace[]> {
  const column = kvNamespaces[page.order.by];
  return db
    .select(columns)
    .from(kvNamespaces)
    .where(live(accountId))
    .orderBy(page.order.descending ? desc(column) : asc(column))
    .limit(page.limit)
    .offset(page.offset);
}

export const countKvNamespaces = (db: Database, accountId: AccountId): Promise<number> =>
  db.$count(kvNamespaces, live(accountId));

/** False when the title is taken; nothing is done then. */
export async function insertKvNamespace(
  db: Database,
  accountId: AccountId,
  { id, title }: KvNamespace,
  entry: AuditEntry,
): Promise<boolean> {
  await db.batch([
    db
      .insert(kvNamespaces)
      .values({ id, accountId, title, createdOn: entry.at })
      .onConflictDoNothing(),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM kv_namespaces WHERE id = ${id})`,
    ),
  ]);
  return (await findKvNamespace(db, accountId, id)) !== null;
}

/** False when the title is taken, or the namespace is gone; nothing is done then. */
export async function renameKvNamespace(
  db: Database,
  accountId: AccountId,
  { id, title }: KvNamespace,
  entry: AuditEntry,
): Promise<boolean> {
  const isFree = sql`NOT EXISTS (SELECT 1 FROM kv_namespaces AS other
    WHERE other.account_id = ${accountId} AND other.title = ${title} AND other.deleted_on IS NULL
      AND other.id <> ${id})`;
  await db.batch([
    db
      .update(kvNamespaces)
      .set({ title })
      .where(and(live(accountId), eq(kvNamespaces.id, id), isFree)),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM kv_namespaces
        WHERE id = ${id} AND title = ${title} AND deleted_on IS NULL)`,
    ),
  ]);
  return (await findKvNamespace(db, accountId, id))?.title === title;
}

/** Its title is free from then on. */
export async function markKvNamespaceDeleted(
  db: Database,
  accountId: AccountId,
  id: string,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(kvNamespaces)
      .set({ deletedOn: entry.at })
      .where(and(live(accountId), eq(kvNamespaces.id, id))),
    auditStatementIf(
      db,
      accountId,
      entry,
      sql`EXISTS (SELECT 1 FROM kv_namespaces WHERE id = ${id} AND deleted_on = ${entry.at})`,
    ),
  ]);
}
