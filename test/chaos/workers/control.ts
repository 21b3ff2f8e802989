/** The chaos control Worker: the real locks on a real database, with a plain HTTP front, and ways to die. */
import { changeRouting } from "../../../src/control/change-routing.ts";
import { accountIdOf } from "../../../src/control/config.ts";
import type {
  ActingContext,
  RoutingLockCalls,
  WorkerLockCalls,
} from "../../../src/control/context.ts";
import { deploy } from "../../../src/control/deploy.ts";
import { RoutingLock as RealRoutingLock } from "../../../src/control/routing-lock.ts";
import { WorkerLock as RealWorkerLock } from "../../../src/control/worker-lock.ts";
import type { DeploymentId, VersionId, WorkerId, WorkerName } from "../../../src/domain/ids.ts";
import type { Author } from "../../../src/domain/version.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { insertVersion } from "../../../src/store/versions.ts";
import { ensureAccount } from "../../../src/store/workers.ts";
import { directPlane, servePlane } from "./control-planes.ts";
import { armed, ends } from "./fault-point.ts";
import { ALPHA, BETA, markerHost, MOVING_HOST, ownerAfter } from "./names.ts";

const ACTOR: Author = { id: "c".repeat(32), email: "chaos@example.com", source: "api" };
/** More than two, so that which of two deployments goes back differs. */
const VERSIONS = 4;

const nameOf = (ctx: DurableObjectState): string => ctx.id.name ?? "unnamed";

export class WorkerLock extends RealWorkerLock {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, FAULT_POINT: nameOf(ctx) });
    ends.set(nameOf(ctx), () => ctx.abort("chaos"));
  }
  die(point: string | null): void {
    die(nameOf(this.ctx), point);
  }
}

export class RoutingLock extends RealRoutingLock {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, FAULT_POINT: nameOf(ctx) });
    ends.set(nameOf(ctx), () => ctx.abort("chaos"));
  }
  die(point: string | null): void {
    die(nameOf(this.ctx), point);
  }
}

/** At once, or when the object reaches a point of a change. */
function die(lock: string, point: string | null): void {
  if (point === null) ends.get(lock)?.();
  else armed.set(lock, point);
}

const contextOf = (env: Env) =>
  ({
    accountId: accountIdOf(env),
    actor: ACTOR,
    db: openDatabase(env.DB),
    workerLock: (id: WorkerId) => env.WORKER_LOCK.getByName(id) as unknown as WorkerLockCalls,
    routingLock: () => env.ROUTING_LOCK.getByName(accountIdOf(env)) as unknown as RoutingLockCalls,
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
  }) as unknown as ActingContext;

async function setUp(env: Env): Promise<Record<string, string[]>> {
  const context = contextOf(env);
  await ensureAccount(context.db, { id: context.accountId, name: "Chaos", createdOn: 1 });
  const made: Record<string, string[]> = {};
  for (const [id, name] of [
    [ALPHA, "alpha"],
    [BETA, "beta"],
  ] as const) {
    const created = await changeRouting(context, {
      kind: "create_worker",
      worker: {
        id: id as WorkerId,
        accountId: context.accountId,
        name: name as WorkerName,
        createdOn: 1,
        modifiedOn: 1,
        subdomainEnabled: true,
        previewsEnabled: false,
        settings: {},
      },
    });
    if (!created.ok) throw new Error(`could not create ${name}: ${created.error.kind}`);
    await context
      .workerLock(id as WorkerId)
      .configure({ leaseMs: null, onIsolation: "refuse", staleMsMax: 0 });
    made[id] = [];
    for (let n = 0; n < VERSIONS; n++) made[id].push(await addVersion(context, id as WorkerId));
  }
  return made;
}

async function addVersion(context: ActingContext, workerId: WorkerId): Promise<VersionId> {
  const id = context.newId() as VersionId;
  const version = {
    id,
    workerId,
    createdOn: 1,
    author: ACTOR,
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
  } as unknown as Parameters<typeof insertVersion>[2];
  await insertVersion(context.db, context.accountId, version, null, {
    id,
    at: 1,
    actorId: ACTOR.id,
    actorEmail: ACTOR.email,
    action: "version.upload",
    target: `worker:${workerId}`,
    details: {},
  });
  return id;
}

/** Each takes JSON and answers JSON. */
const doors: Record<string, (env: Env, body: never) => Promise<unknown>> = {
  setup: (env) => setUp(env),
  deploy: async (env, body: { worker: string; version: string; key: string }) => {
    const context = contextOf(env);
    // A new id each time, as for an API call that is made again with its Idempotency-Key.
    const deploymentId = context.newId() as DeploymentId;
    return deploy(context, body.worker as WorkerId, {
      deploymentId,
      idempotency: { key: body.key, bodyHash: body.version },
      command: {
        versions: [{ versionId: body.version, percentage: 100 }],
        triggeredBy: "deployment",
        message: body.key,
        author: ACTOR,
        force: false,
        expectedCurrentId: null,
      },
    });
  },
  route: async (env, { change }: { change: number }) =>
    changeRouting(contextOf(env), {
      kind: "replace_domains",
      workerId: ownerAfter(change) as WorkerId,
      domains: [{ hostname: MOVING_HOST }, { hostname: markerHost(change) }],
      override: true,
    }),
  die: async (env, { lock, point }: { lock: string; point: string | null }) => {
    const namespace = lock === accountIdOf(env) ? env.ROUTING_LOCK : env.WORKER_LOCK;
    const stub = namespace.getByName(lock) as unknown as { die(p: string | null): Promise<void> };
    // An object that dies at once answers with its death.
    await stub.die(point).catch(() => undefined);
    return {};
  },
  ledger: async (env, { worker }: { worker: string }) =>
    (
      await env.DB.prepare(
        "SELECT seq, status, message FROM deployments WHERE worker_id = ? ORDER BY seq",
      )
        .bind(worker)
        .all()
    ).results,
  plane: (env, body: { method: string; args: never[] }) => servePlane(directPlane(env), body),
};

export default {
  async fetch(request, env) {
    const door = doors[new URL(request.url).pathname.slice(1)];
    if (door === undefined) return new Response(null, { status: 404 });
    return Response.json(await door(env, (await request.json()) as never));
  },
} satisfies ExportedHandler<Env>;
