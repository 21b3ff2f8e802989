import { and, type AnyColumn, eq, sql } from "drizzle-orm";
import type { AssetFile } from "../domain/assets/asset-files.ts";
import type { StoredAssetsConfig } from "../domain/assets/assets-config.ts";
import type { NamedContent } from "../domain/assets/upload-manifest.ts";
import type { AccountId, VersionId, WorkerId } from "../domain/ids.ts";
import type { Database } from "./database.ts";
import { versions } from "./schema.ts";
import { assetFiles, versionAssets } from "./schema-resources.ts";

/** Static assets of a version: where the list of its files is, and how they are served. */
export interface VersionAssets {
  /** Of the text that `writeAssetFiles` gives, its key in the blob store. */
  readonly manifestSha256: string;
  /** How many they are. */
  readonly files: number;
  readonly config: StoredAssetsConfig;
}

/** Who may rely on a hash; see the table. */
export type AssetScope = { readonly extension: string } | { readonly session: string };

export interface StoredAssetFile {
  readonly scope: AssetScope;
  readonly hash: string;
  readonly sha256: string;
  readonly size: number;
  readonly contentType: string | null;
}

const scopeText = (scope: AssetScope): string =>
  "session" in scope ? scope.session : `.${scope.extension}`;

/** Of these contents those that are stored, by hash: for everybody, or for this session. */
export async function findAssetFiles(
  db: Database,
  accountId: AccountId,
  session: string,
  contents: readonly NamedContent[],
): Promise<Map<string, AssetFile>> {
  const wanted = contents.map(({ hash, extension }) => [
    hash,
    extension === null ? null : scopeText({ extension }),
  ]);
  const rows = await db.all<AssetFile & { hash: string }>(sql`
    WITH wanted AS (SELECT value ->> 0 AS hash, value ->> 1 AS scope
      FROM json_each(${JSON.stringify(wanted)}))
    SELECT wanted.hash AS hash, found.sha256 AS sha256, found.size AS size,
      found.content_type AS contentType,
      CASE WHEN found.scope = wanted.scope THEN found.hash ELSE substr(found.sha256, 1, 32) END AS etag
    FROM wanted JOIN asset_files AS found
      ON found.account_id = ${accountId} AND found.hash = wanted.hash
        AND found.scope IN (wanted.scope, ${session})
    ORDER BY found.scope = wanted.scope`);
  // What is verified comes last, and wins.
  return new Map(
    rows.map(({ hash, sha256, size, contentType, etag }) => [
      hash,
      { sha256, size, contentType, etag },
    ]),
  );
}

/** Whether one of them at least is not stored with its size, neither for everybody nor for this session. */
export async function areAssetsMissing(
  db: Database,
  accountId: AccountId,
  session: string,
  contents: readonly NamedContent[],
): Promise<boolean> {
  const wanted = contents.map(({ hash, size, extension }) => [
    hash,
    size,
    extension === null ? null : scopeText({ extension }),
  ]);
  const rows = await db.all(sql`
    SELECT 1 FROM json_each(${JSON.stringify(wanted)}) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM asset_files AS found
      WHERE found.account_id = ${accountId} AND found.hash = wanted.value ->> 0
        AND found.size = wanted.value ->> 1
        AND found.scope IN (wanted.value ->> 2, ${session}))
    LIMIT 1`);
  return rows.length > 0;
}

/** What is there already stays as it is. */
export async function insertAssetFiles(
  db: Database,
  accountId: AccountId,
  files: readonly StoredAssetFile[],
  createdOn: number,
): Promise<void> {
  if (files.length === 0) return;
  const rows = files.map(({ scope, ...file }) => ({ ...file, scope: scopeText(scope) }));
  await db
    .insert(assetFiles)
    .select(
      sql`SELECT ${accountId}, value ->> 'scope', value ->> 'hash', value ->> 'sha256',
        value ->> 'size', value ->> 'contentType', ${createdOn}
        FROM json_each(${JSON.stringify(rows)}) WHERE true`,
    )
    .onConflictDoNothing();
}

/** The row of a version that has assets. For the batch that makes the version. */
export const versionAssetsStatement = (
  db: Database,
  version: { readonly id: VersionId; readonly workerId: WorkerId },
  assets: VersionAssets | null,
) =>
  db.insert(versionAssets).select(
    sql`SELECT ${version.id}, ${version.workerId}, ${assets?.manifestSha256 ?? ""},
        ${assets?.files ?? 0}, ${JSON.stringify(assets?.config ?? {})} WHERE ${assets === null ? 0 : 1}`,
  );

/** null: the version has none, or the Worker no such version. */
export async function findVersionAssets(
  db: Database,
  workerId: WorkerId,
  versionId: VersionId,
): Promise<VersionAssets | null> {
  const [row] = await db
    .select()
    .from(versionAssets)
    .where(and(eq(versionAssets.versionId, versionId), eq(versionAssets.workerId, workerId)));
  return row === undefined ? null : toAssets(row);
}

/** The same, with what else serving them depends on. */
export async function findServedAssets(db: Database, workerId: WorkerId, versionId: VersionId) {
  const [row] = await db
    .select({
      manifestSha256: versionAssets.manifestSha256,
      files: versionAssets.files,
      config: versionAssets.config,
      mainModule: versions.mainModule,
      compatibilityDate: versions.compatibilityDate,
      compatibilityFlags: versions.compatibilityFlags,
    })
    .from(versionAssets)
    .innerJoin(versions, eq(versions.id, versionAssets.versionId))
    .where(and(eq(versionAssets.versionId, versionId), eq(versionAssets.workerId, workerId)));
  if (row === undefined) return null;
  return {
    ...toAssets(row),
    mainModule: row.mainModule,
    compatibilityDate: row.compatibilityDate,
    compatibilityFlags: JSON.parse(row.compatibilityFlags) as readonly string[],
  };
}

/**
 * Other versions with assets that a Worker's deployments served at `since` or later, those of the newest deployments
 * first. Deployments that were deleted do not count. `limit` versions at most.
 */
export async function listServedManifests(
  db: Database,
  workerId: WorkerId,
  except: VersionId,
  since: number,
  limit: number,
): Promise<readonly { readonly versionId: VersionId; readonly manifestSha256: string }[]> {
  return db.all(sql`
    WITH served AS (
      SELECT id, seq, deleted_on, lead(activated_on) OVER (ORDER BY seq) AS until
      FROM deployments WHERE worker_id = ${workerId} AND status = 'active')
    SELECT version_assets.version_id AS versionId,
      version_assets.manifest_sha256 AS manifestSha256
    FROM served
    JOIN deployment_versions ON deployment_versions.deployment_id = served.id
    JOIN version_assets ON version_assets.version_id = deployment_versions.version_id
    WHERE served.deleted_on IS NULL AND (served.until IS NULL OR served.until >= ${since})
      AND deployment_versions.percentage > 0 AND version_assets.version_id <> ${except}
    GROUP BY version_assets.version_id, version_assets.manifest_sha256
    ORDER BY max(served.seq) DESC LIMIT ${limit}`);
}

/** 1 if the version of this id has assets, else 0. */
export const hasAssets = (versionId: AnyColumn) =>
  sql<number>`EXISTS (SELECT 1 FROM version_assets WHERE version_id = ${versionId})`;

const toAssets = (row: {
  readonly manifestSha256: string;
  readonly files: number;
  readonly config: string;
}): VersionAssets => ({
  manifestSha256: row.manifestSha256,
  files: row.files,
  config: JSON.parse(row.config) as StoredAssetsConfig,
});
