import type { Stopped } from "../domain/breaker.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { LoadableVersion, ProbeResult } from "../domain/version.ts";
import { servesHost } from "../domain/routing.ts";
import type { OverridePolicy } from "../domain/version-override.ts";
import type { ControlPlane } from "./control-plane.ts";
import { CurrentDeployments, type ReadScope } from "./current-deployment.ts";
import { countAsks, GatewayMetrics, type GatewayReport } from "./gateway-metrics.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { handleRequest } from "./handler.ts";
import { schedulerWait, type Wait } from "./holder-clock.ts";
import { PreviewAsks } from "./preview-asks.ts";
import { probeVersion } from "./probe-version.ts";
import type { RequestScope, ServiceBindingProps } from "./request-scope.ts";
import { callService, type ServiceCall } from "./service-call.ts";
import { StoppedVersions } from "./stopped-versions.ts";
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
  callService<T>(scope: RequestScope, props: ServiceBindingProps, call: ServiceCall<T>): Promise<T>;
  /** Whether this gateway is what answers at a URL, as far as was last seen. */
  serves(url: URL, scope: ReadScope): Promise<boolean>;
  /** The upload check: whether a version starts, and what it exports. */
  probeVersion(version: LoadableVersion, scope: RequestScope): Promise<ProbeResult>;
  /** The host's word that a version must not be run, ahead of the lease answers that say so. */
  stop(workerId: WorkerId, stopped: Stopped): void;
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
  const runner = new VersionRunner({
    loader,
    gatewayId,
    controlPlane,
    now,
    metrics,
    ...(announce ? { announce } : {}),
  });
  const stoppedVersions = new StoppedVersions(now);
  const current = new CurrentDeployments({
    controlPlane,
    stopped: stoppedVersions,
    workersDomain: options.workersDomain,
    now,
    ...(options.wait ? { wait: options.wait } : {}),
  });
  const parts: GatewayParts = {
    current,
    runner,
    stopped: stoppedVersions,
    controlPlane,
    previews: new PreviewAsks({ controlPlane, now, wait: options.wait ?? schedulerWait }),
    overridePolicy: options.overridePolicy,
    identifyVersions: options.identifyVersions,
    now,
    random: options.random ?? Math.random,
    metrics,
    relay,
    serviceCalls: new Map(),
  };
  return {
    fetch: (request, address, scope) => handleRequest(parts, request, address, scope),
    callService: (scope, props, call) => callService(parts, scope, props, call),
    async serves(url, scope) {
      const routing = current.lastSeenRouting() ?? (await current.currentRouting(scope));
      return servesHost(routing, url.hostname, url.pathname + url.search);
    },
    probeVersion: (version, scope) => probeVersion(loader, version, scope),
    report: () =>
      metrics.report({
        loadedVersions: runner.loaded,
        draining: relay?.draining ? 1 : 0,
        webSockets: relay?.size ?? 0,
        webSocketsEver: relay?.ever ?? 0,
      }),
    evict: (scope, reason) => ({
      evicted: runner.unload(scope, reason),
      loaded: runner.loaded,
    }),
    catchUp: (scope) => current.catchUp(scope),
    drain: () => ({ webSockets: relay?.drain() ?? 0 }),
    stop: (workerId, stopped) =>
      stoppedVersions.tell(workerId, stopped, current.lastSeenSeq(workerId)),
  };
}
