/** The composition root: what is the API's, what is the gateway's, and what each is made of. */
import { createApi } from "./api/app.ts";
import { accountIdOf, controlHostsOf, hostList } from "./control/config.ts";
import type { ControlContext, RoutingLockCalls, WorkerLockCalls } from "./control/context.ts";
import { loadVersion } from "./control/load-version.ts";
import { previewVersion } from "./control/preview-version.ts";
import { SecretBox } from "./control/secret-box.ts";
import type { WorkerId } from "./domain/ids.ts";
import { parseOverridePolicy } from "./domain/version-override.ts";
import type { ControlPlane } from "./gateway/control-plane.ts";
import { announcer } from "./gateway/announcer.ts";
import { defineControlPlaneEntrypoint } from "./gateway/control-plane-entrypoint.ts";
import { defineEgress } from "./gateway/egress.ts";
import { defineGatewayEntrypoint } from "./gateway/gateway-entrypoint.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { remoteControlPlane } from "./gateway/remote-control-plane.ts";
import { type GatewayContext, requestScope } from "./gateway/request-scope.ts";
import { defineServiceBinding } from "./gateway/service-binding.ts";
import { readAddress } from "./gateway/visitor-address.ts";
import { operate } from "./operate.ts";
import { R2BlobStore } from "./store/blobs.ts";
import { openDatabase } from "./store/database.ts";
import { readLedger } from "./store/deployments.ts";
import { readRoutingLedger } from "./store/routing.ts";
import { startInTrial } from "./trial.ts";

export { RoutingLock } from "./control/routing-lock.ts";
export { WorkerLock } from "./control/worker-lock.ts";

const workerLock = (env: Env, id: WorkerId) =>
  env.WORKER_LOCK.getByName(id) as unknown as WorkerLockCalls;
const routingLock = (env: Env) =>
  env.ROUTING_LOCK.getByName(accountIdOf(env)) as unknown as RoutingLockCalls;

/** Stores and keys; one set for each isolate, since they are only handles. */
let storesOfIsolate: Pick<ControlContext, "db" | "blobs" | "secrets"> | null = null;
const storesOf = (env: Env) =>
  (storesOfIsolate ??= {
    db: openDatabase(env.DB),
    blobs: new R2BlobStore(env.BLOBS, "modules/"),
    secrets: new SecretBox(env.SECRETS_KEY),
  });

/** The control plane in this very process: each call is a direct one. */
const ownControlPlane = (env: Env): ControlPlane => ({
  leaseDeployment: (workerId) => workerLock(env, workerId).lease(),
  leaseRouting: (knownSeq) => routingLock(env).lease(knownSeq),
  ledgerDeployment: (workerId) => readLedger(storesOf(env).db, workerId),
  ledgerRouting: () => readRoutingLedger(storesOf(env).db, accountIdOf(env)),
  previewVersion: (workerId, label) => previewVersion(storesOf(env).db, workerId, label),
  version: (workerId, versionId) => loadVersion(storesOf(env), workerId, versionId),
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

/** The doors between the processes of one machine, each on a socket of its own; unused where all is one Worker. */
export class ControlPlaneEntrypoint extends defineControlPlaneEntrypoint<Env>(
  ownControlPlane,
  (request, env, ctx) => operate(contextFor(env, ctx), request),
) {}
export class GatewayEntrypoint extends defineGatewayEntrypoint<Env>(gatewayOf) {}

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
  probe: (version) =>
    env.TRIAL === undefined
      ? gatewayOf(env).probeVersion(version, scopeOf(ctx))
      : startInTrial(env.TRIAL, version),
  now: () => Date.now(),
  newId: () => crypto.randomUUID(),
});

const scopeOf = (ctx: ExecutionContext) => requestScope(ctx as unknown as GatewayContext);
const api = createApi(contextFor);

const badHost = () =>
  new Response("The Host header has to be a host name, with or without a port.\n", { status: 400 });

const misdirected = () => new Response("This process does not serve that host.\n", { status: 421 });

export default {
  /**
   * By host name alone: nothing in a request for another host can reach the API. Where the parts are processes, what
   * reaches the wrong one is refused, not passed on.
   */
  fetch(request, env, ctx) {
    const address = readAddress(request.url, request.headers.get("host") ?? "");
    if (address === null) return badHost();
    if (controlHosts(env).has(address.host)) {
      return env.ROLE === "gateway" ? misdirected() : api.fetch(request, env, ctx);
    }
    return env.ROLE === "control"
      ? misdirected()
      : gatewayOf(env).fetch(request, address, scopeOf(ctx));
  },
} satisfies ExportedHandler<Env>;
