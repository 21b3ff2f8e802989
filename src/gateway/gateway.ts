import type { LoadableVersion, ProbeResult } from "../domain/version.ts";
import { servesHost } from "../domain/routing.ts";
import type { OverridePolicy } from "../domain/version-override.ts";
import type { ControlPlane } from "./control-plane.ts";
import { CurrentDeployments, type ReadScope } from "./current-deployment.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { handleRequest } from "./handler.ts";
import type { Wait } from "./holder-clock.ts";
import { probeVersion } from "./probe-version.ts";
import type { RequestScope, ServiceBindingProps } from "./request-scope.ts";
import { callService, type ServiceCall } from "./service-call.ts";
import { VersionRunner } from "./version-runner.ts";
import type { VisitorAddress } from "./visitor-address.ts";

export interface GatewayOptions {
  readonly loader: WorkerLoader;
  /** Names this build of the gateway. */
  readonly gatewayId: string;
  readonly controlPlane: ControlPlane;
  readonly workersDomain: string;
  readonly overridePolicy: OverridePolicy;
  /** Whether answers say which version they came from. */
  readonly identifyVersions: boolean;
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
}

export function createGateway(options: GatewayOptions): Gateway {
  const { loader, gatewayId, controlPlane, now = Date.now } = options;
  const runner = new VersionRunner({ loader, gatewayId, controlPlane, now });
  const current = new CurrentDeployments({
    controlPlane,
    workersDomain: options.workersDomain,
    now,
    ...(options.wait ? { wait: options.wait } : {}),
  });
  const parts: GatewayParts = {
    current,
    runner,
    controlPlane,
    overridePolicy: options.overridePolicy,
    identifyVersions: options.identifyVersions,
    random: options.random ?? Math.random,
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
  };
}
