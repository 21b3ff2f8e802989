/** Namespaces of Durable Objects, as lists tell of them; see durable-state for how they come and go. */
import { and, eq, gt, sql } from "drizzle-orm";
import type { AccountId, WorkerId, WorkerName } from "../domain/ids.ts";
import type { Database } from "./database.ts";
import { durableNamespaces } from "./schema-resources.ts";

export interface DurableNamespace {
  readonly id: string;
  readonly workerId: WorkerId;
  readonly workerName: WorkerName;
  /** In whose process its objects are. */
  readonly home: WorkerId;
  readonly className: string;
  readonly usesSqlite: boolean;
}

interface Row extends Omit<DurableNamespace, "usesSqlite"> {
  readonly usesSqlite: number;
}

const LIVE = sql`FROM durable_namespaces AS namespaces JOIN workers ON workers.id = worker_id
  WHERE namespaces.deleted_on IS NULL AND workers.deleted_on IS NULL`;
const COLUMNS = sql`namespaces.id AS id, worker_id AS workerId, workers.name AS workerName,
  home_worker_id AS home, class_name AS className, uses_sqlite AS usesSqlite`;

const toNamespace = (row: Row): DurableNamespace => ({ ...row, usesSqlite: row.usesSqlite === 1 });

/** By Worker and class. */
export async function listNamespaces(
  db: Database,
  accountId: AccountId,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly namespaces: readonly DurableNamespace[]; readonly total: number }> {
  const [rows, counted] = await Promise.all([
    db.all<Row>(sql`SELECT ${COLUMNS} ${LIVE} AND namespaces.account_id = ${accountId}
      ORDER BY workers.name, class_name LIMIT ${page.limit} OFFSET ${page.offset}`),
    db.all<{ count: number }>(
      sql`SELECT count(*) AS count ${LIVE} AND namespaces.account_id = ${accountId}`,
    ),
  ]);
  return { namespaces: rows.map(toNamespace), total: counted[0]?.count ?? 0 };
}

export async function findNamespace(
  db: Database,
  accountId: AccountId,
  id: string,
): Promise<DurableNamespace | null> {
  const rows = await db.all<Row>(
    sql`SELECT ${COLUMNS} ${LIVE} AND namespaces.account_id = ${accountId} AND namespaces.id = ${id}`,
  );
  return rows[0] === undefined ? null : toNamespace(rows[0]);
}

/** Deleted, by themselves or with their Worker, and not known to be erased. */
export async function listDeletedNamespaces(
  db: Database,
  limit: number,
): Promise<readonly { readonly id: string; readonly home: WorkerId }[]> {
  return db.all(sql`SELECT namespaces.id AS id, home_worker_id AS home
    FROM durable_namespaces AS namespaces JOIN workers ON workers.id = worker_id
    WHERE (namespaces.deleted_on IS NOT NULL OR workers.deleted_on IS NOT NULL)
      AND class_name <> ${ERASED}
    ORDER BY namespaces.id LIMIT ${limit}`);
}

/** Instead of the class of a namespace that is erased. */
const ERASED = "";

/** Nothing is stored under it any more. One that was transferred leaves its row: older versions of whoever gave it still claim it. */
export async function forgetNamespace(db: Database, id: string, now: number): Promise<void> {
  await db.batch([
    db
      .update(durableNamespaces)
      .set({ className: ERASED, deletedOn: sql`coalesce(${durableNamespaces.deletedOn}, ${now})` })
      .where(and(eq(durableNamespaces.id, id), gt(durableNamespaces.transfers, 0))),
    db
      .delete(durableNamespaces)
      .where(and(eq(durableNamespaces.id, id), eq(durableNamespaces.transfers, 0))),
  ]);
}

/** A live Worker whose current deployment is bound to a class of Durable Objects. */
export interface ClassReferrer {
  readonly worker: string;
  /** Name of the binding. */
  readonly binding: string;
  readonly namespaceId: string;
  /** As it is called now. */
  readonly className: string;
}

/** Other Workers that are bound to classes of this one: by the namespace, whatever it was called and whosever it was before. */
export async function findClassReferrers(
  db: Database,
  accountId: AccountId,
  workerId: WorkerId,
): Promise<ClassReferrer[]> {
  return db.all<ClassReferrer>(sql`
    SELECT DISTINCT workers.name AS worker, binding.value ->> 'name' AS binding,
      namespaces.id AS namespaceId, namespaces.class_name AS className
    FROM version_resources
    JOIN versions ON versions.id = version_resources.version_id
    JOIN deployment_versions ON deployment_versions.version_id = versions.id
    JOIN deployments ON deployments.id = deployment_versions.deployment_id
    JOIN workers ON workers.id = deployments.worker_id
    JOIN json_each(versions.bindings) AS binding
      ON binding.value ->> 'name' = version_resources.binding
    JOIN durable_namespaces AS namespaces ON namespaces.id = binding.value ->> 'namespace_id'
    WHERE version_resources.kind = 'durable_object_namespace'
      AND namespaces.worker_id = ${workerId} AND namespaces.deleted_on IS NULL
      AND workers.account_id = ${accountId} AND workers.deleted_on IS NULL AND workers.id <> ${workerId}
      AND deployments.seq = (SELECT max(seq) FROM deployments AS newest
        WHERE newest.worker_id = workers.id AND newest.status <> 'aborted')
    ORDER BY workers.name, 2`);
}
