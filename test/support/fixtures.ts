import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { accountIdOf } from "../../src/control/config.ts";
import { changeRouting } from "../../src/control/change-routing.ts";
import type {
  ActingContext,
  RoutingLockCalls,
  WorkerLockCalls,
} from "../../src/control/context.ts";
import { deploy } from "../../src/control/deploy.ts";

import type { RoutingLock } from "../../src/control/routing-lock.ts";
import type { DeployRequest } from "../../src/control/deploy-request.ts";
import type { WorkerLock } from "../../src/control/worker-lock.ts";
import type { RoutingCommand } from "../../src/domain/routing-change.ts";
import type { DeploymentCommand } from "../../src/domain/deployment.ts";
import type { DeploymentId, VersionId, WorkerId, WorkerName } from "../../src/domain/ids.ts";
import type { Author } from "../../src/domain/version.ts";
import type { Worker } from "../../src/domain/worker.ts";
import { openDatabase } from "../../src/store/database.ts";
import { insertVersion, type NewVersion } from "../../src/store/versions.ts";
import { ensureAccount } from "../../src/store/workers.ts";

export const accountId = accountIdOf(env);
export const author: Author = { id: "a".repeat(32), email: "ops@example.com", source: "wrangler" };
export const newUuid = (): string => crypto.randomUUID();

/** A database with its tables and its account. */
export async function freshDatabase() {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  const db = openDatabase(env.DB);
  await ensureAccount(db, { id: accountId, name: "Test", createdOn: 1 });
  return db;
}

export const workerLock = (id: WorkerId) =>
  env.WORKER_LOCK.getByName(id) as unknown as WorkerLockCalls;
export const routingLock = () =>
  env.ROUTING_LOCK.getByName(accountId) as unknown as RoutingLockCalls;

/** The same objects as `cloudflare:test` takes them. */
export const workerLockStub = (id: WorkerId) =>
  env.WORKER_LOCK.getByName(id) as unknown as DurableObjectStub<WorkerLock>;
export const routingLockStub = () =>
  env.ROUTING_LOCK.getByName(accountId) as unknown as DurableObjectStub<RoutingLock>;

/** A context with the real locks, and nothing else that these tests use. */
export const locksContext = {
  accountId,
  actor: author,
  workerLock,
  routingLock,
  newId: newUuid,
  now: () => Date.now(),
} as unknown as ActingContext;

/** Deploy as the API does, until the deployment is visible. */
export const deployTo = (workerId: WorkerId, request: DeployRequest) =>
  deploy(locksContext, workerId, request);
export const route = (command: RoutingCommand) => changeRouting(locksContext, command);

export function someWorker(name: string): Worker {
  return {
    id: newUuid().replaceAll("-", "") as WorkerId,
    accountId,
    name: name as WorkerName,
    createdOn: 1_000,
    modifiedOn: 1_000,
    subdomainEnabled: false,
    previewsEnabled: false,
    settings: {},
  };
}

/** A Worker that exists, with its host in the route table. */
export async function createdWorker(name: string): Promise<Worker> {
  const worker = someWorker(name);
  const created = await route({ kind: "create_worker", worker });
  if (!created.ok) throw new Error(`could not create ${name}: ${created.error.kind}`);
  return worker;
}

export function someVersion(workerId: WorkerId, fields: Partial<NewVersion> = {}): NewVersion {
  return {
    id: newUuid() as VersionId,
    workerId,
    createdOn: 2_000,
    author,
    annotations: { triggeredBy: "version_upload", other: {} },
    syntax: "modules",
    mainModule: "index.js",
    modules: [{ name: "index.js", type: "esm", sha256: "0".repeat(64), size: 3 }],
    bindings: [],
    compatibilityDate: "2026-10-01",
    compatibilityFlags: [],
    handlers: ["fetch"],
    namedHandlers: [],
    startupTimeMs: 1,
    contentHash: "c".repeat(64),
    settings: {},
    ...fields,
  };
}

/** A version that exists; its number is what the store gave it. */
export async function storedVersion(workerId: WorkerId, fields: Partial<NewVersion> = {}) {
  const version = someVersion(workerId, fields);
  const entry = {
    id: version.id,
    at: version.createdOn,
    actorId: author.id,
    actorEmail: author.email,
    action: "version.upload",
    target: `worker:${workerId}`,
    details: {},
  };
  return insertVersion(openDatabase(env.DB), accountId, version, null, entry);
}

/** A command to deploy `versions` with these shares. */
export const command = (
  versions: readonly (readonly [versionId: string, percentage: number])[],
  fields: Partial<DeploymentCommand> = {},
): DeploymentCommand => ({
  versions: versions.map(([versionId, percentage]) => ({ versionId, percentage })),
  triggeredBy: "deployment",
  message: "",
  author,
  force: false,
  expectedCurrentId: null,
  ...fields,
});

export const deployRequest = (
  deployment: DeploymentCommand,
  idempotency: { key: string; bodyHash: string } | null = null,
) => ({ command: deployment, deploymentId: newUuid() as DeploymentId, idempotency });
