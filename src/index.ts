/** The composition root: what is the API's, what is the gateway's, and what each is made of. */
import { createApi } from "./api/app.ts";
import { accountIdOf, controlHostsOf, hostList } from "./control/config.ts";
import type {
  ControlContext,
  CronClockCalls,
  RoutingLockCalls,
  TailHubCalls,
  WorkerLockCalls,
} from "./control/context.ts";
import { loadAssets, loadFallbacks } from "./control/asset-serving.ts";
import { AssetTokens } from "./control/asset-tokens.ts";
import { eraseDeletedNamespaces } from "./control/durable-objects.ts";
import { loadVersion } from "./control/load-version.ts";
import { previewVersion } from "./control/preview-version.ts";
import { D1Links } from "./control/d1-links.ts";
import { SecretBox } from "./control/secret-box.ts";
import { TailKeys } from "./control/tail-keys.ts";
import { storesOf as dataStoresOf } from "./data/stores.ts";
import type { WorkerId } from "./domain/ids.ts";
import { parseOverridePolicy } from "./domain/version-override.ts";
import type { ControlPlane } from "./gateway/control-plane.ts";
import { announcer } from "./gateway/announcer.ts";
import { defineAnalyticsBinding } from "./gateway/bindings/analytics-binding.ts";
import { defineAssetsBinding } from "./gateway/bindings/assets-binding.ts";
import { defineCacheBinding } from "./gateway/bindings/cache-binding.ts";
import { defineD1Binding } from "./gateway/bindings/d1-binding.ts";
import { defineDurableObjectBinding } from "./gateway/bindings/durable-object-binding.ts";
import { defineKvBinding } from "./gateway/bindings/kv-binding.ts";
import { defineQueueBinding } from "./gateway/bindings/queue-binding.ts";
import { defineR2Binding } from "./gateway/bindings/r2-binding.ts";
import { defineRateLimitBinding } from "./gateway/bindings/rate-limit-binding.ts";
import { defineControlPlaneEntrypoint } from "./gateway/control-plane-entrypoint.ts";
import { defineEgress } from "./gateway/egress.ts";
import { defineGatewayEntrypoint } from "./gateway/gateway-entrypoint.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { remoteControlPlane } from "./gateway/remote-control-plane.ts";
import { type GatewayContext, requestScope } from "./gateway/request-scope.ts";
import { defineTailCollector } from "./gateway/tail-collector.ts";
import { defineObjectControl, defineObjectDispatcher } from "./gateway/objects/object-control.ts";
import { defineObjectHost } from "./gateway/objects/object-host.ts";
import { type ObjectsDirectory, ownObjects } from "./gateway/objects/objects-directory.ts";
import { slottedObjects } from "./gateway/objects/slots-directory.ts";
import { defineObjectsDoor } from "./gateway/objects/objects-door.ts";
import { defineServiceBinding } from "./gateway/service-binding.ts";
import { readAddress } from "./gateway/visitor-address.ts";
import { operate } from "./operate.ts";
import { R2AssetBlobs } from "./store/asset-blobs.ts";
import { D1Files } from "./store/d1-files.ts";
import { R2BlobStore } from "./store/blobs.ts";
import { openDatabase } from "./store/database.ts";
import { readLedger } from "./store/deployments.ts";
import { readRoutingLedger } from "./store/routing.ts";
import { startInTrial } from "./trial.ts";

export { RoutingLock } from "./control/routing-lock.ts";
export { WorkerLock } from "./control/worker-lock.ts";
export { CronClock } from "./control/cron-clock.ts";
export { TailHub } from "./control/tail-hub.ts";

export { AnalyticsObject } from "./data/analytics/analytics-object.ts";
export { AnalyticsStore } from "./data/analytics/analytics-store.ts";
export { CacheStore } from "./data/cache/cache-store.ts";
export { D1DatabaseObject } from "./data/d1/d1-database-object.ts";
export { D1Store } from "./data/d1/d1-store.ts";
export { KvNamespaceObject } from "./data/kv/kv-namespace-object.ts";
export { KvStore } from "./data/kv/kv-store.ts";
export { QueueObject } from "./data/queues/queue-object.ts";
export { QueueStore } from "./data/queues/queue-store.ts";
export { R2Store } from "./data/r2/r2-store.ts";
export { RateLimitStore } from "./data/rate-limits/rate-limit-store.ts";
export { NamespaceIndex } from "./gateway/objects/namespace-index.ts";

const workerLock = (env: Env, id: WorkerId) =>
  env.WORKER_LOCK.getByName(id) as unknown as WorkerLockCalls;
const tailHub = (env: Env, id: WorkerId) => env.TAIL_HUB.getByName(id) as unknown as TailHubCalls;
const routingLock = (env: Env) =>
  env.ROUTING_LOCK.getByName(accountIdOf(env)) as unknown as RoutingLockCalls;

/** Stores and keys; one set for each isolate, since they are only handles. */
let storesOfIsolate: Pick<
  ControlContext,
  "db" | "blobs" | "secrets" | "assetBlobs" | "assetTokens" | "d1Files" | "d1Links" | "tailKeys"
> | null = null;
const storesOf = (env: Env) =>
  (storesOfIsolate ??= {
    db: openDatabase(env.DB),
    blobs: new R2BlobStore(env.BLOBS, "modules/"),
    secrets: new SecretBox(env.SECRETS_KEY),
    assetBlobs: new R2AssetBlobs(env.BLOBS, accountIdOf(env)),
    assetTokens: new AssetTokens(env.SECRETS_KEY),
    tailKeys: new TailKeys(env.SECRETS_KEY),
    d1Files: new D1Files(env.BLOBS, "d1/"),
    d1Links: new D1Links(env.SECRETS_KEY),
  });

/** The control plane in this very process: each call is a direct one. */
const ownControlPlane = (env: Env): ControlPlane => ({
  leaseDeployment: (workerId) => workerLock(env, workerId).lease(),
  leaseRouting: (knownSeq) => routingLock(env).lease(knownSeq),
  ledgerDeployment: (workerId) => readLedger(storesOf(env).db, workerId),
  ledgerRouting: () => readRoutingLedger(storesOf(env).db, accountIdOf(env)),
  previewVersion: async (workerId, label) => {
    const found = await previewVersion(storesOf(env).db, workerId, label);
    return found && { ...found, tailed: await workerLock(env, workerId).isTailed() };
  },
  version: (workerId, versionId) =>
    loadVersion({ accountId: accountIdOf(env), ...storesOf(env) }, workerId, versionId),
  assets: (workerId, versionId) => loadAssets(storesOf(env), workerId, versionId),
  assetFallbacks: (workerId, versionId) =>
    loadFallbacks({ ...storesOf(env), now: Date.now }, workerId, versionId),
  assetBytes: (sha256, part) => storesOf(env).assetBlobs.get(sha256, part ?? undefined),
  tailEvents: (workerId, batch) => tailHub(env, workerId).push(batch),
});

/** What the gateway knows it keeps in memory: one for each isolate. */
let gatewayOfIsolate: Gateway | null = null;
const gatewayOf = (env: Env): Gateway =>
  (gatewayOfIsolate ??= createGateway({
    loader: env.LOADER,
    gatewayId: env.GATEWAY_NAME ?? env.CF_VERSION_METADATA?.id ?? "local",
    controlPlane:
      env.CONTROL === undefined ? ownControlPlane(env) : remoteControlPlane(env.CONTROL),
    workersDomain: env.WORKERS_DOMAIN,
    overridePolicy: requireOverridePolicy(env),
    identifyVersions: env.IDENTIFY_VERSIONS !== "off",
    assetFallback: env.ASSET_FALLBACK !== "off",
    relayWebSockets: env.ROLE === "gateway",
    ...(env.SUPERVISOR && { announce: announcer(env.SUPERVISOR, env.GATEWAY_NAME ?? "") }),
  }));

function requireOverridePolicy(env: Env) {
  const policy = parseOverridePolicy(env.VERSION_OVERRIDES);
  if (policy === null)
    throw new Error('VERSION_OVERRIDES has to be "public", "public-nonzero" or "off"');
  return policy;
}

let controlHostsOfIsolate: ReadonlySet<string> | null = null;
const controlHosts = (env: Env): ReadonlySet<string> =>
  (controlHostsOfIsolate ??= new Set(controlHostsOf(env)));

/** Where Durable Objects run. */
const objectsOf = (env: Env, ctx: unknown): ObjectsDirectory =>
  env.OBJECTS_DIRECTORY === undefined
    ? ownObjects(ctx)
    : slottedObjects(env.OBJECTS_DIRECTORY, env, ownObjects(ctx));

/** The doors between the processes of one machine, each on a socket of its own; unused where all is one Worker. */
export class ControlPlaneEntrypoint extends defineControlPlaneEntrypoint<Env>(
  ownControlPlane,
  (request, env, ctx) => operate(contextFor(env, ctx), request),
) {}
export class GatewayEntrypoint extends defineGatewayEntrypoint<Env>(gatewayOf) {}

/** What runs Durable Objects of versions. */
export class ObjectsDoor extends defineObjectsDoor<Env>(gatewayOf) {}
export class ObjectHost extends defineObjectHost<Env>(gatewayOf) {}
export class ObjectControl extends defineObjectControl<Env>(gatewayOf) {}
export class ObjectDispatcher extends defineObjectDispatcher<Env>(gatewayOf) {}

/** What loaded versions hold of their bindings. */
export class AnalyticsBinding extends defineAnalyticsBinding<Env>() {}
export class AssetsBinding extends defineAssetsBinding<Env>(gatewayOf) {}
export class CacheBinding extends defineCacheBinding<Env>() {}
export class D1Binding extends defineD1Binding<Env>() {}
export class DurableObjectBinding extends defineDurableObjectBinding<Env>(objectsOf) {}
export class KvBinding extends defineKvBinding<Env>() {}
export class QueueBinding extends defineQueueBinding<Env>() {}
export class R2Binding extends defineR2Binding<Env>() {}
export class RateLimitBinding extends defineRateLimitBinding<Env>() {}
export class TailCollector extends defineTailCollector<Env>(gatewayOf) {}
export class ServiceBinding extends defineServiceBinding<Env>(gatewayOf) {}

export class Egress extends defineEgress<Env>((env, scope) => ({
  mode: env.EGRESS === "open" ? "open" : "public",
  controlHosts: controlHosts(env),
  deniedHosts: new Set(hostList(env.EGRESS_DENIED_HOSTS)),
  serves: (url) => gatewayOf(env).serves(url, scope),
  internet: env.INTERNET ?? null,
})) {}

const contextFor = (env: Env, ctx: ExecutionContext): ControlContext => ({
  ...storesOf(env),
  accountId: accountIdOf(env),
  workerLock: (id) => workerLock(env, id),
  routingLock: () => routingLock(env),
  cronClock: () => env.CRON_CLOCK.getByName(accountIdOf(env)) as unknown as CronClockCalls,
  tailHub: (id) => tailHub(env, id),
  probe: (version) =>
    env.TRIAL === undefined
      ? gatewayOf(env).probeVersion(version, scopeOf(ctx))
      : startInTrial(env.TRIAL, version),
  stores: dataStoresOf(env, ctx),
  objects: objectsOf(env, ctx),
  now: () => Date.now(),
  newId: () => crypto.randomUUID(),
});

const scopeOf = (ctx: ExecutionContext) => requestScope(ctx as unknown as GatewayContext);
const api = createApi(contextFor);

/** In this isolate, what the one before could not erase. */
let hasErased = false;

const badHost = () =>
  new Response("The Host header has to be a host name, with or without a port.\n", { status: 400 });

const misdirected = () => new Response("This process does not serve that host.\n", { status: 421 });

const aliveOnly = (request: Request) =>
  new URL(request.url).pathname === "/alive"
    ? new Response("ok\n")
    : new Response("There is nothing here.\n", { status: 404 });

export default {
  /**
   * By host name alone: nothing in a request for another host can reach the API. Where the parts are processes, what
   * reaches the wrong one is refused, not passed on.
   */
  fetch(request, env, ctx) {
    // The processes that keep data have no visitors; their supervisor asks whether they turn.
    if (env.ROLE === "data" || env.ROLE === "sql") return aliveOnly(request);
    const address = readAddress(request.url, request.headers.get("host") ?? "");
    if (address === null) return badHost();
    if (controlHosts(env).has(address.host)) {
      if (env.ROLE === "gateway") return misdirected();
      if (!hasErased) {
        hasErased = true;
        ctx.waitUntil(eraseDeletedNamespaces(contextFor(env, ctx)));
      }
      return api.fetch(request, env, ctx);
    }
    return env.ROLE === "control"
      ? misdirected()
      : gatewayOf(env).fetch(request, address, scopeOf(ctx));
  },
} satisfies ExportedHandler<Env>;
