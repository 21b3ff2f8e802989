import { and, desc, eq, gte, inArray, isNull, lt, lte, ne, sql, type SQL } from "drizzle-orm";
import type { CurrentDeployment, Deployment } from "../domain/deployment.ts";
import type { AccountId, DeploymentId, VersionId, WorkerId } from "../domain/ids.ts";
import type { Receipt } from "../domain/receipt.ts";
import type { AuditEntry } from "../domain/worker.ts";
import { auditStatement } from "./audit.ts";
import type { Database } from "./database.ts";
import { activateDurableStatements } from "./durable-state.ts";
import { lastServedStatement } from "./last-served.ts";
import { deployments, deploymentVersions, versions } from "./schema.ts";

type Row = typeof deployments.$inferSelect;

/**
 * Write an intended deployment into the history, as `committing`. Writing it again changes nothing.
 * False when the place in the history belongs to another intent: the caller must not make it visible.
 */
export async function commitDeployment(
  db: Database,
  accountId: AccountId,
  deployment: Deployment,
  intentId: string,
  entry: AuditEntry,
): Promise<boolean> {
  const shares = JSON.stringify(deployment.versions);
  const [, , , owner] = await db.batch([
    db
      .insert(deployments)
      .values(newRow(deployment, intentId, "committing"))
      .onConflictDoNothing(),
    db
      .insert(deploymentVersions)
      .select(
        sql`SELECT ${deployment.id}, key, value ->> 'versionId', value ->> 'percentage'
          FROM json_each(${shares}) WHERE EXISTS (SELECT 1 FROM deployments WHERE id = ${deployment.id})`,
      )
      .onConflictDoNothing(),
    auditStatement(db, accountId, entry),
    db
      .select({ intentId: deployments.intentId })
      .from(deployments)
      .where(
        and(
          eq(deployments.workerId, deployment.workerId),
          eq(deployments.seq, deployment.seq),
          ne(deployments.status, "aborted"),
        ),
      ),
  ]);
  return owner[0]?.intentId === intentId;
}

const newRow = (deployment: Deployment, intentId: string, status: "committing" | "aborted") => ({
  id: deployment.id,
  workerId: deployment.workerId,
  seq: deployment.seq,
  status,
  intentId,
  createdOn: deployment.createdOn,
  triggeredBy: deployment.triggeredBy === "upload" ? "upload" : "deployment",
  message: deployment.message,
  authorId: deployment.author.id,
  authorEmail: deployment.author.email,
  source: deployment.author.source,
  cause: CAUSES.find((cause) => cause === deployment.triggeredBy) ?? null,
  leftVersions: deployment.left === undefined ? null : JSON.stringify(deployment.left),
  warnings: deployment.warnings === undefined ? null : JSON.stringify(deployment.warnings),
  d1Migrations:
    deployment.d1Migrations === undefined ? null : JSON.stringify(deployment.d1Migrations),
});

/** Beside `triggered_by`, whose values are fixed since the first release. */
const CAUSES = ["rollback", "secret"] as const;

/**
 * Mark what is visible as such: everything up to `seq` that is not `active` yet, each with its receipt if there is one. What
 * its migrations did to the Worker's Durable Object classes is true from then on.
 */
export async function activateDeployments(
  db: Database,
  workerId: WorkerId,
  seq: number,
  activatedOn: number,
  receipts: readonly Receipt[],
): Promise<void> {
  const byId = Object.fromEntries(receipts.map((receipt) => [receipt.deploymentId, receipt]));
  const activate = db
    .update(deployments)
    .set({
      status: "active",
      activatedOn,
      receipt: sql`(SELECT value FROM json_each(${JSON.stringify(byId)}) WHERE key = ${deployments.id})`,
    })
    .where(
      and(
        eq(deployments.workerId, workerId),
        lte(deployments.seq, seq),
        // Not a parameter: SQLite has to see that the index on these is enough.
        sql`${deployments.status} = 'committing'`,
      ),
    );
  await db.batch([
    activate,
    lastServedStatement(db, workerId, seq),
    ...activateDurableStatements(db, workerId, seq, activatedOn),
  ]);
}

/** Whether history knows that a deployment is, or was, visible. */
export async function isActive(db: Database, id: DeploymentId): Promise<boolean> {
  const rows = await db
    .select({ status: deployments.status })
    .from(deployments)
    .where(eq(deployments.id, id));
  return rows[0]?.status === "active";
}

/** A deployment's receipt; null when there is none, as for one that was adopted after a restore. */
export async function findReceipt(
  db: Database,
  workerId: WorkerId,
  id: DeploymentId,
): Promise<Receipt | null> {
  const rows = await db
    .select({ receipt: deployments.receipt })
    .from(deployments)
    .where(and(eq(deployments.id, id), eq(deployments.workerId, workerId)));
  const text = rows[0]?.receipt ?? null;
  return text === null ? null : (JSON.parse(text) as Receipt);
}

/**
 * The second linearizable way to a Worker's current deployment: the newest row that is not aborted, if it is
 * `active`. A newer deployment always has its row before it can be visible, so such a row proves that nothing
 * newer is. `undecided` when the newest row is still `committing`: only the lock knows then.
 */
export async function readLedger(
  db: Database,
  workerId: WorkerId,
): Promise<{ readonly current: CurrentDeployment | null } | "undecided"> {
  const { active, undecided } = await readHistoryEnd(db, workerId);
  if (undecided !== null) return "undecided";
  return { current: active === null ? null : await toCurrentDeployment(db, active) };
}

/** Take a place in the history out of use, so that a late write of the same intent cannot revive it. */
export async function abortDeployment(
  db: Database,
  deployment: Deployment,
  intentId: string,
): Promise<void> {
  await db
    .insert(deployments)
    .values(newRow(deployment, intentId, "aborted"))
    .onConflictDoUpdate({
      target: [deployments.workerId, deployments.seq],
      set: { status: "aborted" },
      setWhere: sql`${deployments.status} = 'committing' AND ${deployments.intentId} = ${intentId}`,
    });
}

/** The end of a Worker's history, as a lock that knows nothing needs it. */
export interface HistoryEnd {
  /** The last place that was ever used, aborted ones too; 0 for none. */
  readonly maxSeq: number;
  /** The newest that surely became visible. */
  readonly active: Deployment | null;
  /** A newer one that may have become visible, or may yet. */
  readonly undecided: { readonly deployment: Deployment; readonly intentId: string } | null;
}

export async function readHistoryEnd(db: Database, workerId: WorkerId): Promise<HistoryEnd> {
  const newestWith = (condition: SQL | undefined) =>
    db
      .select()
      .from(deployments)
      .where(and(eq(deployments.workerId, workerId), condition))
      .orderBy(desc(deployments.seq))
      .limit(1);
  const [last, actives, alive] = await db.batch([
    newestWith(undefined),
    newestWith(eq(deployments.status, "active")),
    newestWith(ne(deployments.status, "aborted")),
  ]);
  const [active = null] = await withVersions(db, actives);
  const newest = alive[0];
  const [deployment] = newest?.status === "committing" ? await withVersions(db, [newest]) : [];
  const undecided =
    newest === undefined || deployment === undefined
      ? null
      : { deployment, intentId: newest.intentId };
  return { maxSeq: last[0]?.seq ?? 0, active, undecided };
}

/** The numbers of a deployment's versions, for the layout of its shares. */
export async function toCurrentDeployment(
  db: Database,
  deployment: Deployment,
): Promise<CurrentDeployment> {
  const ids = deployment.versions.map((share) => share.versionId as string);
  const rows = await db
    .select({ id: versions.id, number: versions.number })
    .from(versions)
    .where(inArray(versions.id, ids));
  const numbers = new Map(rows.map((row) => [row.id, row.number]));
  return {
    seq: deployment.seq,
    deploymentId: deployment.id,
    versions: deployment.versions.map((share) => {
      const number = numbers.get(share.versionId);
      if (number === undefined)
        throw new Error("store: a deployment names a version that is not there");
      return { ...share, number };
    }),
  };
}

export interface DeploymentsPage {
  readonly limit: number;
  /** Skip this many of the newest. */
  readonly offset: number;
  /** Only deployments before this place in the history. */
  readonly beforeSeq?: number;
  /** Milliseconds since 1970, inclusive. */
  readonly since?: number;
  readonly until?: number;
}

/** Those that took effect, newest first; deleted ones are left out. */
export async function listDeployments(
  db: Database,
  workerId: WorkerId,
  page: DeploymentsPage,
): Promise<Deployment[]> {
  const rows = await db
    .select()
    .from(deployments)
    .where(
      and(
        eq(deployments.workerId, workerId),
        eq(deployments.status, "active"),
        isNull(deployments.deletedOn),
        page.beforeSeq === undefined ? undefined : lt(deployments.seq, page.beforeSeq),
        page.since === undefined ? undefined : gte(deployments.createdOn, page.since),
        page.until === undefined ? undefined : lte(deployments.createdOn, page.until),
      ),
    )
    .orderBy(desc(deployments.seq))
    .limit(page.limit)
    .offset(page.offset);
  return withVersions(db, rows);
}

/** When each of these Workers was last deployed, in milliseconds since 1970; a Worker never deployed is left out. */
export async function lastDeployedOn(
  db: Database,
  workerIds: readonly WorkerId[],
): Promise<Map<WorkerId, number>> {
  const rows = await db.all<{ workerId: WorkerId; at: number | null }>(sql`
    SELECT value AS workerId, (SELECT created_on FROM deployments
      WHERE worker_id = value AND status = 'active' ORDER BY seq DESC LIMIT 1) AS at
    FROM json_each(${JSON.stringify(workerIds)})`);
  return new Map(rows.flatMap(({ workerId, at }) => (at === null ? [] : [[workerId, at]])));
}

export async function findDeployment(
  db: Database,
  workerId: WorkerId,
  id: DeploymentId,
): Promise<Deployment | null> {
  const rows = await db
    .select()
    .from(deployments)
    .where(
      and(
        eq(deployments.id, id),
        eq(deployments.workerId, workerId),
        eq(deployments.status, "active"),
        isNull(deployments.deletedOn),
      ),
    );
  return (await withVersions(db, rows))[0] ?? null;
}

/** Hide a past deployment from the lists. The row stays: history is not rewritten. */
export async function removeDeployment(
  db: Database,
  accountId: AccountId,
  id: DeploymentId,
  deletedOn: number,
  entry: AuditEntry,
): Promise<void> {
  await db.batch([
    db.update(deployments).set({ deletedOn }).where(eq(deployments.id, id)),
    auditStatement(db, accountId, entry),
  ]);
}

async function withVersions(db: Database, rows: readonly Row[]): Promise<Deployment[]> {
  if (rows.length === 0) return [];
  const shares = await db
    .select()
    .from(deploymentVersions)
    .where(
      sql`${deploymentVersions.deploymentId} IN (SELECT value FROM json_each(${JSON.stringify(rows.map((row) => row.id))}))`,
    )
    .orderBy(deploymentVersions.deploymentId, deploymentVersions.position);
  return rows.map((row) => ({
    id: row.id as DeploymentId,
    workerId: row.workerId as WorkerId,
    seq: row.seq,
    createdOn: row.createdOn,
    triggeredBy: (row.cause ?? row.triggeredBy) as Deployment["triggeredBy"],
    message: row.message,
    author: { id: row.authorId, email: row.authorEmail, source: row.source },
    versions: shares
      .filter((share) => share.deploymentId === row.id)
      .map((share) => ({
        versionId: share.versionId as VersionId,
        percentage: share.percentage,
      })),
    ...fromJson("left", row.leftVersions),
    ...fromJson("warnings", row.warnings),
    ...fromJson("d1Migrations", row.d1Migrations),
  }));
}

const fromJson = <K extends "left" | "warnings" | "d1Migrations">(key: K, text: string | null) =>
  (text === null ? {} : { [key]: JSON.parse(text) }) as Pick<Deployment, K>;
