import type { WorkerId } from "./ids.ts";
import { splitPreviewHost } from "./preview-host.ts";
import { findRoute, indexRoutes, type RouteIndex } from "./route-index.ts";
import { parseRoutePattern } from "./route-pattern.ts";
import type { RouteTable, WorkerHost } from "./route-table.ts";

/** The route table, made ready for look-ups. Built once for each change of the table. */
export interface Routing {
  readonly routes: RouteIndex<WorkerId | null>;
  readonly domains: ReadonlyMap<string, WorkerId>;
  readonly workersById: ReadonlyMap<string, WorkerHost>;
  readonly workersByName: ReadonlyMap<string, WorkerHost>;
  /** `.` and the workers domain. */
  readonly workersSuffix: string;
}

/** Who answers for a host and path. */
export type HostTarget =
  | {
      readonly kind: "worker";
      readonly workerId: WorkerId;
      readonly workerName: string;
      readonly via: "route" | "domain" | "workers_host";
    }
  | {
      readonly kind: "preview";
      readonly workerId: WorkerId;
      readonly workerName: string;
      /** The first eight digits of a version id, or an alias. */
      readonly label: string;
    }
  | { readonly kind: "none"; readonly reason: NoTargetReason };

export type NoTargetReason =
  /** Nothing in the table names this host. */
  | "unknown_host"
  /** The most specific route says that no Worker answers. */
  | "route_without_worker"
  /** The Worker's own host, or the custom domain, is switched off. */
  | "host_disabled"
  /** A preview host of a Worker whose previews are switched off. */
  | "previews_disabled";

export function buildRouteIndex(table: RouteTable, workersDomain: string): Routing {
  const workersById = new Map(table.workers.map((worker) => [worker.workerId as string, worker]));
  const routes = table.routes.flatMap((route) => {
    const pattern = parseRoutePattern(route.pattern);
    return pattern.ok ? [{ pattern: pattern.value, value: route.workerId }] : [];
  });
  return {
    routes: indexRoutes(routes),
    domains: new Map(
      table.domains
        .filter((domain) => domain.enabled)
        .map((domain) => [domain.hostname.toLowerCase(), domain.workerId]),
    ),
    workersById,
    workersByName: new Map(table.workers.map((worker) => [worker.name, worker])),
    workersSuffix: `.${workersDomain.toLowerCase()}`,
  };
}

/** A host as the table knows it: lower case, one dot at the end taken off. `host` has no port. */
export function normalizeHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/**
 * Routes first (the most specific decides), then custom domains, then the Workers' own hosts, then preview
 * hosts. `path` is the URL's path with its query.
 */
export function resolveHost(routing: Routing, host: string, path: string): HostTarget {
  const name = normalizeHost(host);
  const route = findRoute(routing.routes, name, path);
  if (route && route.value !== null) return workerTarget(routing, route.value, "route");
  const domain = routing.domains.get(name);
  if (domain !== undefined) return workerTarget(routing, domain, "domain");
  if (route) return { kind: "none", reason: "route_without_worker" };
  return resolveWorkersHost(routing, name);
}

/**
 * Whether a request to this host and path would come here. A route for every host (`*` and a path) does not
 * count: it says what to do with hosts that lead here, not which those are.
 */
export function servesHost(routing: Routing, host: string, path: string): boolean {
  const name = normalizeHost(host);
  if (findRoute(routing.routes, name, path, 1) || routing.domains.has(name)) return true;
  return resolveWorkersHost(routing, name).kind !== "none";
}

function workerTarget(routing: Routing, workerId: WorkerId, via: "route" | "domain"): HostTarget {
  const worker = routing.workersById.get(workerId);
  if (!worker) return { kind: "none", reason: "unknown_host" };
  return { kind: "worker", workerId, workerName: worker.name, via };
}

function resolveWorkersHost(routing: Routing, name: string): HostTarget {
  if (!name.endsWith(routing.workersSuffix)) return { kind: "none", reason: "unknown_host" };
  const label = name.slice(0, -routing.workersSuffix.length);
  const own = routing.workersByName.get(label);
  if (own) {
    // The name is this Worker's also while its host is off: it must not become someone's preview.
    if (!own.enabled) return { kind: "none", reason: "host_disabled" };
    return { kind: "worker", workerId: own.workerId, workerName: own.name, via: "workers_host" };
  }
  let reason: NoTargetReason = "unknown_host";
  for (const split of splitPreviewHost(label)) {
    const worker = routing.workersByName.get(split.workerName);
    if (!worker) continue;
    if (worker.previewsEnabled) {
      const { workerId, name: workerName } = worker;
      return { kind: "preview", workerId, workerName, label: split.label };
    }
    reason = "previews_disabled";
  }
  return { kind: "none", reason };
}
