import { and, asc, desc, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { R2BucketInfo, R2StorageClass } from "../domain/r2.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatementIf } from "./audit.ts";
import type { Database } from "./database.ts";
import { r2Buckets } from "./schema-resources.ts";

const live = (accountId: AccountId) =>
  and(eq(r2Buckets.accountId, accountId), isNull(r2Buckets.deletedOn));

const toBucket = (row: typeof r2Buckets.$inferSelect): R2BucketInfo => ({
  ordinal: row.ordinal,
  name: row.name,
  createdOn: row.createdOn,
  storageClass: row.storageClass as R2StorageClass,
  jurisdiction: row.jurisdiction,
  location: row.location,
});

export async function findR2Bucket(
  db: Database,
  accountId: AccountId,
  name: string,
): Promise<R2BucketInfo | null> {
  const [row] = await db
    .select()
    .from(r2Buckets)
    .where(and(live(accountId), eq(r2Buckets.name, name)));
  return row === undefined ? null : toBucket(row);
}

export interface R2BucketPage {
  readonly limit: number;
  readonly descending: boolean;
  /** Names beyond these, in the direction of the list. */
  readonly after: readonly string[];
  /** A part of the name. */
  readonly contains: string;
}

/** In order of name. */
export async function listR2Buckets(
  db: Database,
  accountId: AccountId,
  { limit, descending, after, contains }: R2BucketPage,
): Promise<R2BucketInfo[]> {
  const rows = await db
    .select()
    .from(r2Buckets)
    .where(
      and(
        live(accountId),
        ...after.map((name) => (descending ? lt : gt)(r2Buckets.name, name)),
        contains === "" ? undefined : sql`instr(${r2Buckets.name}, ${contains}) > 0`,
      ),
    )
    .orderBy(descending ? desc(r2Buckets.name) : asc(r2Buckets.name))
    .limit(limit);
  return rows.map(toBucket);
}

export const countR2Buckets = (db: Database, accountId: AccountId): Promise<number> =>
  db.$count(r2Buckets, live(accountId));

/** Null when the name is taken; nothing is done then. */
export async function insertR2Bucket(
  db: Database,
  accountId: AccountId,
  bucket: Omit<R2BucketInfo, "ordinal" | "createdOn">,
  entry: AuditEntry,
): Promise<R2BucketInfo | null> {
  const [made] = await db.batch([
    db
      .insert(r2Buckets)
      .values({ ...bucket, accountId, createdOn: entry.at })
      .onConflictDoNothing()
      .returning(),
    auditStatementIf(db, accountId, entry, sql`changes() > 0`),
  ]);
  return made[0] === undefined ? null : toBucket(made[0]);
}

/** What is stored from then on is of this class, unless it says otherwise. */
export async function updateR2StorageClass(
  db: Database,
  accountId: AccountId,
  { ordinal }: R2BucketInfo,
  storageClass: R2StorageClass,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(r2Buckets)
      .set({ storageClass })
      .where(and(live(accountId), eq(r2Buckets.ordinal, ordinal))),
    auditStatementIf(db, accountId, entry, sql`changes() > 0`),
  ]);
}

/** Its name is free from then on. */
export async function markR2BucketDeleted(
  db: Database,
  accountId: AccountId,
  { ordinal }: R2BucketInfo,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db
      .update(r2Buckets)
      .set({ deletedOn: entry.at })
      .where(and(live(accountId), eq(r2Buckets.ordinal, ordinal))),
    auditStatementIf(db, accountId, entry, sql`changes() > 0`),
  ]);
}
