/** The Durable Object classes that versions were made for, and those that a Worker has by what is deployed. */
import { sql } from "drizzle-orm";
import type { DurableClass, VersionDurable } from "../domain/durable-migration.ts";
import { NO_DURABLE, transfersOf } from "../domain/durable-migration.ts";
import type { DurableResource } from "../domain/durable-resource.ts";
import type { GivenNamespaces } from "../domain/given-namespaces.ts";
import type { AccountId, WorkerId, WorkerName } from "../domain/ids.ts";
import type { Database } from "./database.ts";
import { durableNamespaces } from "./schema-resources.ts";
import { workers } from "./schema.ts";

/** Where a version's row keeps them, among its settings. */
export const DURABLE_KEY = "durable";

/** Of these versions, by id, without those that were given to other Workers since; a version that there is not has none. */
export async function findDurable(
  db: Database,
  versionIds: readonly string[],
): Promise<(versionId: string) => VersionDurable> {
  const rows = await db.all<{ id: string; workerId: string; durable: string | null }>(sql`
    SELECT id, worker_id AS workerId, settings -> '$.durable' AS durable FROM versions
    WHERE id IN (SELECT value FROM json_each(${JSON.stringify(versionIds)}))`);
  const found = new Map<string, VersionDurable>();
  for (const { id, workerId, durable: text } of rows) {
    if (text === null) continue;
    const durable = JSON.parse(text) as VersionDurable;
    found.set(id, { ...durable, classes: await keptClasses(db, workerId, durable.classes) });
  }
  return (versionId) => found.get(versionId) ?? NO_DURABLE;
}

async function keptClasses(
  db: Database,
  workerId: string,
  classes: readonly DurableClass[],
): Promise<readonly DurableClass[]> {
  if (classes.length === 0) return classes;
  const ids = JSON.stringify(classes.map(({ namespaceId }) => namespaceId));
  const rows = await db.all<{ id: string; owner: string; transfers: number }>(sql`
    SELECT id, worker_id AS owner, transfers FROM durable_namespaces
    WHERE transfers > 0 AND id IN (SELECT value FROM json_each(${ids}))`);
  const transferred = new Map(rows.map((row) => [row.id, row]));
  return classes.filter((each) => {
    const now = transferred.get(each.namespaceId);
    return (
      now === undefined ||
      now.transfers < transfersOf(each) ||
      (now.transfers === transfersOf(each) && now.owner === workerId)
    );
  });
}

/**
 * Tags of the migrations that a Worker's versions from `low` (exclusive) to `high` brought, in order of upload. Each tag is
 * looked up in the index by itself: a Worker has thousands of versions, but few migrations.
 */
export async function findMigrationsBetween(
  db: Database,
  workerId: WorkerId,
  low: number,
  high: number,
): Promise<readonly string[]> {
  const rows = await db.all<{ tag: string }>(sql`
    WITH RECURSIVE tags(found) AS (
      SELECT min(settings ->> '$.durable.tag') FROM versions
        WHERE worker_id = ${workerId} AND settings ->> '$.durable.tag' > ''
      UNION ALL SELECT (SELECT min(settings ->> '$.durable.tag') FROM versions
        WHERE worker_id = ${workerId} AND settings ->> '$.durable.tag' > found)
        FROM tags WHERE found IS NOT NULL)
    SELECT found AS tag, (SELECT min(number) FROM versions
      WHERE worker_id = ${workerId} AND settings ->> '$.durable.tag' = found) AS first FROM tags
    WHERE found IS NOT NULL AND first > ${low} AND first <= ${high} ORDER BY first`);
  return rows.map(({ tag }) => tag);
}

/** Candidates on each side: more only differ if somebody used a tag twice for something else. */
const NEAREST_CANDIDATES_MAX = 5;

/** Versions whose last migration is `tag`, the nearest to the number first. */
export async function findNearestOfTag(
  db: Database,
  workerId: WorkerId,
  tag: string | null,
  number: number,
): Promise<readonly { readonly versionId: string; readonly number: number }[]> {
  const same = sql`worker_id = ${workerId} AND settings ->> '$.durable.tag' IS ${tag}`;
  return db.all<{ versionId: string; number: number }>(sql`
    SELECT * FROM (
      SELECT * FROM (SELECT id AS versionId, number FROM versions WHERE ${same} AND number > ${number}
        ORDER BY number LIMIT ${NEAREST_CANDIDATES_MAX})
      UNION ALL SELECT * FROM (SELECT id AS versionId, number FROM versions WHERE ${same} AND number < ${number}
        ORDER BY number DESC LIMIT ${NEAREST_CANDIDATES_MAX}))
    ORDER BY abs(number - ${number}), number DESC`);
}

/** What versions of a Worker had and others have now, by namespace. */
export async function findGiven(db: Database, workerId: WorkerId): Promise<GivenNamespaces> {
  const rows = await db.all<{ id: string; workerId: WorkerId; transfers: number }>(sql`
    SELECT DISTINCT namespaces.id AS id, namespaces.worker_id AS workerId, namespaces.transfers AS transfers
    FROM versions, json_each(versions.settings, '$.durable.classes') AS class
    JOIN durable_namespaces AS namespaces ON namespaces.id = class.value ->> 'namespaceId'
    WHERE versions.worker_id = ${workerId} AND namespaces.worker_id <> ${workerId}
      AND namespaces.transfers > 0`);
  return Object.fromEntries(rows.map(({ id, ...to }) => [id, to]));
}

/** Who gave what these versions have received, now or long ago. */
export async function findGivers(
  db: Database,
  versionIds: readonly string[],
): Promise<readonly WorkerId[]> {
  const rows = await db.all<{ giver: WorkerId }>(sql`
    SELECT DISTINCT class.value ->> '$.received.from' AS giver
    FROM versions, json_each(versions.settings, '$.durable.classes') AS class
    WHERE versions.id IN (SELECT value FROM json_each(${JSON.stringify(versionIds)}))
      AND giver IS NOT NULL`);
  return rows.map(({ giver }) => giver);
}

/**
 * For the batch that makes a deployment active: the Worker's namespaces and its migration tag become what the versions of
 * its deployment `seq` were made for. Doing it again changes nothing. The order keeps names unique all the way.
 */
export const activateDurableStatements = (
  db: Database,
  workerId: WorkerId,
  seq: number,
  now: number,
) => {
  // All versions of a deployment are made for the same classes. Versions of earlier releases say nothing, and change nothing.
  const durable = sql`(SELECT versions.settings -> '$.durable' FROM deployments
    JOIN deployment_versions ON deployment_versions.deployment_id = deployments.id
    JOIN versions ON versions.id = deployment_versions.version_id
    WHERE deployments.worker_id = ${workerId} AND deployments.seq = ${seq} LIMIT 1)`;
  const classes = sql`json_each(${durable}, '$.classes')`;
  const live = sql`${durableNamespaces.workerId} = ${workerId}
    AND ${durableNamespaces.deletedOn} IS NULL AND ${durable} IS NOT NULL`;
  return [
    db
      .update(durableNamespaces)
      .set({ deletedOn: now })
      .where(
        sql`${live} AND ${durableNamespaces.id} NOT IN (SELECT value ->> 'namespaceId' FROM ${classes})`,
      ),
    db
      .update(durableNamespaces)
      .set({ className: sql`${durableNamespaces.id}` })
      .where(
        sql`${live} AND (${durableNamespaces.id}, ${durableNamespaces.className})
          NOT IN (SELECT value ->> 'namespaceId', value ->> 'className' FROM ${classes})`,
      ),
    db
      .insert(durableNamespaces)
      .select(
        sql`SELECT value ->> 'namespaceId', (SELECT account_id FROM workers WHERE id = ${workerId}),
          ${workerId}, coalesce(value ->> '$.received.home', ${workerId}),
          coalesce(value ->> '$.received.transfers', 0),
          value ->> 'className', value ->> 'usesSqlite', ${now}, NULL FROM ${classes}
          WHERE value ->> '$.received' IS NULL
            OR EXISTS (SELECT 1 FROM durable_namespaces WHERE id = value ->> 'namespaceId')`,
      )
      .onConflictDoUpdate({
        target: durableNamespaces.id,
        set: {
          className: sql`excluded.class_name`,
          workerId: sql`excluded.worker_id`,
          transfers: sql`excluded.transfers`,
        },
        // What another Worker has received stays its own, whatever older versions of this one were made for.
        setWhere: sql`(${durableNamespaces.workerId} = excluded.worker_id
            AND ${durableNamespaces.transfers} = excluded.transfers)
          OR (${durableNamespaces.transfers} < excluded.transfers AND ${durableNamespaces.deletedOn} IS NULL)`,
      }),
    db
      .update(workers)
      .set({ migrationTag: sql`${durable} ->> '$.tag'` })
      .where(sql`${workers.id} = ${workerId} AND ${durable} IS NOT NULL`),
  ] as const;
};

/** A live namespace as bindings of other Workers reach it. */
export interface NamespaceOwner extends DurableResource {
  readonly workerName: WorkerName;
  readonly className: string;
}

/** By namespace id. */
export async function findNamespaceOwners(
  db: Database,
  accountId: AccountId,
  namespaceIds: readonly string[],
): Promise<Map<string, NamespaceOwner>> {
  if (namespaceIds.length === 0) return new Map();
  const rows = await db.all<NamespaceOwner>(sql`
    SELECT durable_namespaces.id AS namespaceId, worker_id AS workerId, workers.name AS workerName,
      home_worker_id AS home, transfers, class_name AS className FROM durable_namespaces
    JOIN workers ON workers.id = worker_id
    WHERE durable_namespaces.id IN (SELECT value FROM json_each(${JSON.stringify(namespaceIds)}))
      AND durable_namespaces.account_id = ${accountId}
      AND durable_namespaces.deleted_on IS NULL AND workers.deleted_on IS NULL`);
  return new Map(rows.map((row) => [row.namespaceId, row]));
}
