import type { Stopped } from "../domain/breaker.ts";
import type { EventDispatch, EventResult } from "../domain/event.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { LoadableVersion, ProbeResult } from "../domain/version.ts";
import { servesHost } from "../domain/routing.ts";
import type { OverridePolicy } from "../domain/version-override.ts";
import { AssetServer, type AssetSubject } from "./assets/asset-server.ts";
import { collectTail } from "./collect-tail.ts";
import type { ControlPlane } from "./control-plane.ts";
import { CurrentDeployments, type ReadScope } from "./current-deployment.ts";
import { dispatchEvent } from "./dispatch-event.ts";
import type { EventStores } from "./event-handlers.ts";
import { countAsks, GatewayMetrics, type GatewayReport } from "./gateway-metrics.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { handleRequest } from "./handler.ts";
import { schedulerWait, type Wait } from "./holder-clock.ts";
import { objectVersions, type ObjectVersions } from "./objects/object-versions.ts";
import { PreviewAsks } from "./preview-asks.ts";
import { probeVersion } from "./probe-version.ts";
import type { RequestScope, ServiceBindingProps } from "./request-scope.ts";
import { callService, type ServiceCall } from "./service-call.ts";
import { StoppedVersions } from "./stopped-versions.ts";
import { TailDispatches } from "./tail-dispatches.ts";
import type { TailedVersion } from "./tail-item.ts";
import { TailSender } from "./tail-sender.ts";
import { GivenClasses } from "./given-classes.ts";
import { TailedWorkers } from "./tailed-workers.ts";
import { type EvictionReason, type VersionDispatch, VersionRunner } from "./version-runner.ts";
import type { VisitorAddress } from "./visitor-address.ts";
import { WebSocketRelay } from "./websocket-relay.ts";

export interface GatewayOptions {
  readonly loader: WorkerLoader;
  /** Names this build of the gateway. */
  readonly gatewayId: string;
  readonly controlPlane: ControlPlane;
  readonly workersDomain: string;
  readonly overridePolicy: OverridePolicy;
  /** Whether answers say which version they came from. */
  readonly identifyVersions: boolean;
  /** Whether files with a hash in their name that a version has not are taken from earlier ones; on unless it is false. */
  readonly assetFallback?: boolean;
  /** Where the process may be replaced while visitors hold WebSockets: they are closed in good order then. */
  readonly relayWebSockets?: boolean;
  /** Waited for before each call into a version; what it gives is called after it. */
  readonly announce?: (dispatch: VersionDispatch) => Promise<() => void>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly wait?: Wait;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** The data plane: runs versions for visitors and for other versions. One for each isolate: it holds memory. */
export interface Gateway {
  /** Answers a visitor; `address` is the request's. Never throws. */
  fetch(request: Request, address: VisitorAddress, scope: RequestScope): Promise<Response>;
  /** What a version's own code gets of its static assets. */
  fetchAsset(subject: AssetSubject, request: Request): Promise<Response>;
  callService<T>(scope: RequestScope, props: ServiceBindingProps, call: ServiceCall<T>): Promise<T>;
  /** Runs an event that no visitor sends. Never rejects. */
  dispatch(scope: RequestScope, stores: EventStores, dispatch: EventDispatch): Promise<EventResult>;
  /** Whether this gateway is what answers at a URL, as far as was last seen. */
  serves(url: URL, scope: ReadScope): Promise<boolean>;
  /** Which code Durable Objects run. */
  readonly objects: ObjectVersions;
  /** The upload check: whether a version starts, and what it exports. */
  probeVersion(version: LoadableVersion, scope: RequestScope): Promise<ProbeResult>;
  /** The host's word that a version must not be run, ahead of the lease answers that say so. */
  stop(workerId: WorkerId, stopped: Stopped): void;
  /** What the runtime tells of a version that is run for whoever tails its Worker. Never rejects. */
  tail(version: TailedVersion, items: readonly TraceItem[]): Promise<void>;
  report(): GatewayReport;
  /** Unloads versions, behind the answer, that are not needed now. Says how many, and how many are left. */
  evict(
    scope: ReadScope,
    reason: EvictionReason,
  ): { readonly evicted: number; readonly loaded: number };
  /** The control plane is about to go away: learns what is current of all that this gateway serves. Never rejects. */
  catchUp(scope: ReadScope): Promise<void>;
  /** This gateway is about to be replaced: closes the WebSockets, and says how many there were. */
  drain(): { readonly webSockets: number };
}

export function createGateway(options: GatewayOptions): Gateway {
  const { loader, gatewayId, announce, now = Date.now } = options;
  const metrics = new GatewayMetrics();
  const relay = options.relayWebSockets === true ? new WebSocketRelay() : null;
  const controlPlane = countAsks(options.controlPlane, metrics);
  const tailed = new TailedWorkers((workerId) => runner.endTail(workerId));
  const runner = new VersionRunner({
    loader,
    gatewayId,
    controlPlane,
    now,
    tailed,
    metrics,
    ...(announce ? { announce } : {}),
  });
  const stoppedVersions = new StoppedVersions(now);
  const given = new GivenClasses();
  const current = new CurrentDeployments({
    controlPlane,
    stopped: stoppedVersions,
    tailed,
    given,
    workersDomain: options.workersDomain,
    now,
    ...(options.wait ? { wait: options.wait } : {}),
  });
  const assets = new AssetServer({ controlPlane, now, fallback: options.assetFallback ?? true });
  const parts: GatewayParts = {
    current,
    runner,
    assets,
    stopped: stoppedVersions,
    controlPlane,
    previews: new PreviewAsks({ controlPlane, now, wait: options.wait ?? schedulerWait }),
    overridePolicy: options.overridePolicy,
    identifyVersions: options.identifyVersions,
    now,
    random: options.random ?? Math.random,
    metrics,
    relay,
    tailed,
    given,
    tailDispatches: new TailDispatches(),
    tailSender: new TailSender(controlPlane, now),
    serviceCalls: new Map(),
  };
  return {
    fetch: (request, address, scope) => handleRequest(parts, request, address, scope),
    fetchAsset: (subject, request) => assets.fetch(subject, request),
    callService: (scope, props, call) => callService(parts, scope, props, call),
    dispatch: (scope, stores, dispatch) => dispatchEvent(parts, scope, stores, dispatch),
    async serves(url, scope) {
      const routing = current.lastSeenRouting() ?? (await current.currentRouting(scope));
      return servesHost(routing, url.hostname, url.pathname + url.search);
    },
    tail: (version, items) => collectTail(parts, version, items),
    objects: objectVersions(parts),
    probeVersion: (version, scope) => probeVersion(loader, version, scope),
    report: () =>
      metrics.report({
        loadedVersions: runner.loaded,
        draining: relay?.draining ? 1 : 0,
        webSockets: relay?.size ?? 0,
        webSocketsEver: relay?.ever ?? 0,
      }),
    evict(scope, reason) {
      if (reason === "memory") assets.forget();
      return { evicted: runner.unload(scope, reason), loaded: runner.loaded };
    },
    catchUp: (scope) => current.catchUp(scope),
    drain: () => ({ webSockets: relay?.drain() ?? 0 }),
    stop: (workerId, stopped) =>
      stoppedVersions.tell(workerId, stopped, current.lastSeenSeq(workerId)),
  };
}
