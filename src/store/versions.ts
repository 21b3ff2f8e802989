import { and, desc, eq, getTableColumns, gte, inArray, lt, sql, type SQL } from "drizzle-orm";
import type { Binding } from "../domain/binding.ts";
import type { VersionDurable } from "../domain/durable-migration.ts";
import type { AccountId, VersionId, WorkerId } from "../domain/ids.ts";
import type { ModuleRef, ModuleType, NamedHandlers, Version } from "../domain/version.ts";
import type { VersionResource } from "../domain/version-resources.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { hasAssets, type VersionAssets, versionAssetsStatement } from "./assets.ts";
import { auditStatement } from "./audit.ts";
import type { Database } from "./database.ts";
import { DURABLE_KEY } from "./durable-state.ts";
import { versionResourcesStatement } from "./resources.ts";
import { versionModules, versions, workers } from "./schema.ts";

const COLUMNS = { ...getTableColumns(versions), hasAssets: hasAssets(versions.id) };
type Row = typeof versions.$inferSelect & { readonly hasAssets: number };
type Stored = Record<string, unknown> & { [DURABLE_KEY]?: VersionDurable };
/** A version before the store has given it its number. */
export type NewVersion = Omit<Version, "number">;

const optional = <K extends string>(key: K, value: string | null) =>
  (value === null ? {} : { [key]: value }) as { [P in K]?: string };

function toVersion(row: Row, modules: readonly ModuleRef[]): Version {
  const handlers = JSON.parse(row.handlers) as {
    handlers: string[];
    namedHandlers: NamedHandlers[];
  };
  const { [DURABLE_KEY]: durable, ...settings } = JSON.parse(row.settings) as Stored;
  return {
    id: row.id as VersionId,
    workerId: row.workerId as WorkerId,
    number: row.number,
    createdOn: row.createdOn,
    author: { id: row.authorId, email: row.authorEmail, source: row.source },
    annotations: {
      triggeredBy: row.triggeredBy as Version["annotations"]["triggeredBy"],
      ...optional("message", row.message),
      ...optional("tag", row.tag),
      ...optional("alias", row.alias),
      other: JSON.parse(row.annotations) as Record<string, string>,
    },
    syntax: row.syntax as Version["syntax"],
    mainModule: row.mainModule,
    modules,
    bindings: JSON.parse(row.bindings) as Binding[],
    compatibilityDate: row.compatibilityDate,
    compatibilityFlags: JSON.parse(row.compatibilityFlags) as string[],
    handlers: handlers.handlers,
    namedHandlers: handlers.namedHandlers,
    startupTimeMs: row.startupTimeMs,
    contentHash: row.contentHash,
    settings,
    ...(row.hasAssets === 1 ? { hasAssets: true } : {}),
    ...(durable === undefined ? {} : { durable }),
  };
}

/** A version that had to follow a certain one did not: another came in between. Nothing was stored. */
export class LatestMoved extends Error {}

/**
 * Store a version under the Worker's next number, with its modules and its line in the audit, at once.
 * The number comes from the database in the same statement: two uploads at the same time get two numbers.
 * `after`: number of the version that it has to follow; throws {@link LatestMoved} if it would not.
 */
export async function insertVersion(
  db: Database,
  accountId: AccountId,
  version: NewVersion,
  sealedSecrets: string | null,
  entry: AuditEntry,
  resources: readonly VersionResource[] = [],
  assets: VersionAssets | null = null,
  after: number | null = null,
): Promise<Version> {
  try {
    return await insertNumbered(
      db,
      accountId,
      version,
      sealedSecrets,
      entry,
      resources,
      assets,
      after,
    );
  } catch (error) {
    if (after !== null && (await countVersions(db, version.workerId)) !== after)
      throw new LatestMoved();
    throw error;
  }
}

async function insertNumbered(
  db: Database,
  accountId: AccountId,
  version: NewVersion,
  sealedSecrets: string | null,
  entry: AuditEntry,
  resources: readonly VersionResource[],
  assets: VersionAssets | null,
  after: number | null,
): Promise<Version> {
  const modules = JSON.stringify(
    version.modules.map((module, position) => ({ ...module, position })),
  );
  const [inserted] = await db.batch([
    db
      .insert(versions)
      .values({
        id: version.id,
        workerId: version.workerId,
        // Without a number, because another came in between, nothing of the batch is done.
        number: sql`(SELECT CASE WHEN ${after} IS NULL OR ${after} = coalesce(max(number), 0)
          THEN coalesce(max(number), 0) + 1 END FROM versions WHERE worker_id = ${version.workerId})`,
        createdOn: version.createdOn,
        authorId: version.author.id,
        authorEmail: version.author.email,
        source: version.author.source,
        triggeredBy: version.annotations.triggeredBy,
        message: version.annotations.message ?? null,
        tag: version.annotations.tag ?? null,
        alias: version.annotations.alias ?? null,
        annotations: JSON.stringify(version.annotations.other),
        syntax: version.syntax,
        mainModule: version.mainModule,
        bindings: JSON.stringify(version.bindings),
        compatibilityDate: version.compatibilityDate,
        compatibilityFlags: JSON.stringify(version.compatibilityFlags),
        handlers: JSON.stringify({
          handlers: version.handlers,
          namedHandlers: version.namedHandlers,
        }),
        startupTimeMs: version.startupTimeMs,
        contentHash: version.contentHash,
        settings: JSON.stringify({ ...version.settings, [DURABLE_KEY]: version.durable }),
        sealedSecrets,
      })
      .returning({ number: versions.number }),
    // One statement for up to a thousand modules: D1 binds at most 100 parameters.
    db.insert(versionModules).select(sql`
      SELECT ${version.id}, value ->> 'position', value ->> 'name', value ->> 'type',
        value ->> 'sha256', value ->> 'size'
      FROM json_each(${modules})`),
    versionResourcesStatement(db, version.id, resources),
    versionAssetsStatement(db, version, assets),
    auditStatement(db, accountId, entry),
  ]);
  const number = inserted[0]?.number;
  if (number === undefined) throw new Error("store: a version was inserted without a number");
  return { ...version, number };
}

async function modulesOf(db: Database, id: string): Promise<ModuleRef[]> {
  const rows = await db
    .select()
    .from(versionModules)
    .where(eq(versionModules.versionId, id))
    .orderBy(versionModules.position);
  return rows.map((row) => ({
    name: row.name,
    type: row.type as ModuleType,
    sha256: row.sha256,
    size: row.size,
  }));
}

/** A version of this Worker, with its modules; null when the Worker has none of that id. */
export async function findVersion(
  db: Database,
  workerId: WorkerId,
  id: VersionId,
): Promise<Version | null> {
  const rows = await db
    .select(COLUMNS)
    .from(versions)
    .where(and(eq(versions.id, id), eq(versions.workerId, workerId)));
  return rows[0] === undefined ? null : toVersion(rows[0], await modulesOf(db, id));
}

/** What is sealed with a version; null when it has no secrets. */
export async function findSealedSecrets(db: Database, id: VersionId): Promise<string | null> {
  const rows = await db
    .select({ sealed: versions.sealedSecrets })
    .from(versions)
    .where(eq(versions.id, id));
  return rows[0]?.sealed ?? null;
}

/** The version uploaded last, with its modules. */
export async function findLatestVersion(db: Database, workerId: WorkerId): Promise<Version | null> {
  const rows = await db
    .select(COLUMNS)
    .from(versions)
    .where(eq(versions.workerId, workerId))
    .orderBy(desc(versions.number))
    .limit(1);
  return rows[0] === undefined ? null : toVersion(rows[0], await modulesOf(db, rows[0].id));
}

/** Of each of these Workers the version uploaded last, without modules, by the Worker's id. */
export async function listLatestVersions(
  db: Database,
  workerIds: readonly WorkerId[],
): Promise<Map<WorkerId, Version>> {
  const rows = await db
    .select(COLUMNS)
    .from(versions)
    .where(
      sql`(${versions.workerId}, ${versions.number}) IN (
        SELECT worker_id, max(number) FROM versions
        WHERE worker_id IN (SELECT value FROM json_each(${JSON.stringify(workerIds)}))
        GROUP BY worker_id)`,
    );
  return new Map(rows.map((row) => [row.workerId as WorkerId, toVersion(row, [])]));
}

/** Newest first, without modules. `beforeNumber` is exclusive. */
export async function listVersions(
  db: Database,
  workerId: WorkerId,
  page: { beforeNumber: number; limit: number },
): Promise<Version[]> {
  const rows = await db
    .select(COLUMNS)
    .from(versions)
    .where(and(eq(versions.workerId, workerId), lt(versions.number, page.beforeNumber)))
    .orderBy(desc(versions.number))
    .limit(page.limit);
  return rows.map((row) => toVersion(row, []));
}

/** How many versions the Worker has: their numbers have no gaps. */
export async function countVersions(db: Database, workerId: WorkerId): Promise<number> {
  const rows = await db
    .select({ count: sql<number>`coalesce(max(${versions.number}), 0)` })
    .from(versions)
    .where(eq(versions.workerId, workerId));
  return rows[0]?.count ?? 0;
}

/** Of these ids, the versions that exist in the account, whichever Worker they belong to, and whether they ever served. */
export async function findVersionOwners(
  db: Database,
  accountId: AccountId,
  ids: readonly string[],
): Promise<{ id: VersionId; workerId: WorkerId; number: number; servedBefore: boolean }[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({
      id: versions.id,
      workerId: versions.workerId,
      number: versions.number,
      servedBefore: sql<number>`EXISTS (
        SELECT 1 FROM deployment_versions JOIN deployments ON deployments.id = deployment_id
        WHERE version_id = ${versions.id} AND percentage > 0 AND status = 'active')`,
    })
    .from(versions)
    .innerJoin(workers, eq(workers.id, versions.workerId))
    .where(and(inArray(versions.id, [...ids]), eq(workers.accountId, accountId)));
  return rows.map((row) => ({
    id: row.id as VersionId,
    workerId: row.workerId as WorkerId,
    number: row.number,
    servedBefore: row.servedBefore === 1,
  }));
}

/** The version that a preview label names now: by the first 8 digits of its id, else the newest with that alias. */
export async function findPreviewVersion(
  db: Database,
  workerId: WorkerId,
  label: string,
): Promise<VersionId | null> {
  const newest = (condition: SQL | undefined) =>
    db
      .select({ id: versions.id })
      .from(versions)
      .where(condition)
      .orderBy(desc(versions.number))
      .limit(1);
  if (/^[0-9a-f]{8}$/.test(label)) {
    // As a range, and with a plus that keeps the indexes by Worker out of it: a few rows instead of all its versions.
    const prefix = and(gte(versions.id, `${label}-`), lt(versions.id, `${label}.`));
    const byPrefix = await newest(and(prefix, sql`+${versions.workerId} = ${workerId}`));
    if (byPrefix[0] !== undefined) return byPrefix[0].id as VersionId;
  }
  const byAlias = await newest(and(eq(versions.workerId, workerId), eq(versions.alias, label)));
  return (byAlias[0]?.id as VersionId | undefined) ?? null;
}

/** The number at which page `page` (from 1) of `perPage` starts, exclusive, newest first. */
export const versionsBefore = (total: number, page: number, perPage: number): number =>
  total - (page - 1) * perPage + 1;
