/**
 * Changes of the route table, pure: a command is decided against the whole table and becomes a
 * difference, which is written to the ledger and then applied as one.
 */
import type { DomainError } from "./errors.ts";
import type { WorkerId } from "./ids.ts";
import { ROUTES_PER_CALL_MAX, ROUTES_PER_ZONE_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";
import { formatRoutePattern, parseRoutePattern } from "./route-pattern.ts";
import type { CustomDomain, Route, RouteTable, WorkerHost } from "./route-table.ts";
import { NO_CHANGE, type RoutingDiff } from "./routing-diff.ts";
import type { Worker, Zone } from "./worker.ts";
import { ZoneBook } from "./zone-book.ts";

/** A route as a client gives it: the zone by id, by name, or from the pattern's own host. */
export interface RouteRequest {
  readonly pattern: string;
  readonly zoneId?: string;
  readonly zoneName?: string;
}

export interface DomainRequest {
  readonly hostname: string;
  readonly zoneId?: string;
  readonly zoneName?: string;
  readonly enabled?: boolean;
  readonly previewsEnabled?: boolean;
}

export type RoutingCommand =
  | { readonly kind: "create_worker"; readonly worker: Worker }
  | { readonly kind: "remove_worker"; readonly workerId: WorkerId; readonly deletedOn: number }
  | {
      readonly kind: "set_subdomain";
      readonly workerId: WorkerId;
      readonly enabled?: boolean;
      readonly previewsEnabled?: boolean;
    }
  /** All routes of a Worker: those not named go away. */
  | {
      readonly kind: "replace_routes";
      readonly workerId: WorkerId;
      readonly routes: readonly RouteRequest[];
    }
  /** One route of a zone, new or changed; without a Worker it turns Workers off for what it matches. */
  | {
      readonly kind: "put_route";
      readonly zoneId: string;
      readonly routeId: string | null;
      readonly pattern: string;
      readonly workerName: string | null;
    }
  | { readonly kind: "remove_route"; readonly zoneId: string; readonly routeId: string }
  /** All custom domains of a Worker; `override` takes a hostname away from another Worker. */
  | {
      readonly kind: "replace_domains";
      readonly workerId: WorkerId;
      readonly domains: readonly DomainRequest[];
      readonly override: boolean;
    }
  | { readonly kind: "put_domain"; readonly workerId: WorkerId; readonly domain: DomainRequest }
  | { readonly kind: "remove_domain"; readonly domainId: string };

export interface RoutingFacts {
  readonly table: RouteTable;
  readonly zones: readonly Zone[];
  /** Hosts that belong to the control plane: nobody may claim them. */
  readonly controlHosts: readonly string[];
}

/** `newId` gives a fresh 32-hex id at each call. */
export function decideRouting(
  facts: RoutingFacts,
  command: RoutingCommand,
  newId: () => string,
): Result<RoutingDiff, DomainError> {
  const { table } = facts;
  switch (command.kind) {
    case "create_worker": {
      const { worker } = command;
      if (table.workers.some((host) => host.name === worker.name)) {
        return err({ kind: "worker_exists", name: worker.name });
      }
      return ok({ ...NO_CHANGE, newWorker: worker, putWorkers: [toHost(worker)] });
    }
    case "remove_worker":
      return ok({
        ...NO_CHANGE,
        removeWorkers: [{ workerId: command.workerId, deletedOn: command.deletedOn }],
        removeRoutes: table.routes.filter((r) => r.workerId === command.workerId).map((r) => r.id),
        removeDomains: table.domains
          .filter((d) => d.workerId === command.workerId)
          .map((d) => d.id),
      });
    case "set_subdomain": {
      const host = table.workers.find((worker) => worker.workerId === command.workerId);
      if (host === undefined) return err({ kind: "worker_not_found" });
      const next = {
        ...host,
        enabled: command.enabled ?? host.enabled,
        previewsEnabled: command.previewsEnabled ?? host.previewsEnabled,
      };
      return ok({ ...NO_CHANGE, putWorkers: [next] });
    }
    case "replace_routes":
      return replaceRoutes(facts, command, newId);
    case "put_route":
      return putRoute(facts, command, newId);
    case "remove_route": {
      const route = table.routes.find(
        (r) => r.id === command.routeId && r.zoneId === command.zoneId,
      );
      if (route === undefined) return err({ kind: "route_not_found", routeId: command.routeId });
      return ok({ ...NO_CHANGE, removeRoutes: [route.id] });
    }
    case "replace_domains":
      return replaceDomains(facts, command, newId);
    case "put_domain":
      return putDomain(facts, command, newId);
    case "remove_domain": {
      const domain = table.domains.find((d) => d.id === command.domainId);
      if (domain === undefined)
        return err({ kind: "domain_not_found", domainId: command.domainId });
      return ok({ ...NO_CHANGE, removeDomains: [domain.id] });
    }
  }
}

const toHost = (worker: Worker): WorkerHost => ({
  workerId: worker.id,
  name: worker.name,
  enabled: worker.subdomainEnabled,
  previewsEnabled: worker.previewsEnabled,
});

function replaceRoutes(
  facts: RoutingFacts,
  command: Extract<RoutingCommand, { kind: "replace_routes" }>,
  newId: () => string,
): Result<RoutingDiff, DomainError> {
  if (command.routes.length > ROUTES_PER_CALL_MAX) {
    const detail = `one call takes at most ${ROUTES_PER_CALL_MAX} routes`;
    return err({ kind: "bad_request", detail });
  }
  const zones = new ZoneBook(facts.zones, newId);
  const byPattern = new Map(facts.table.routes.map((route) => [route.pattern, route]));
  const wanted = new Map<string, Route>();
  for (const request of command.routes) {
    const parsed = parseRoute(facts, request.pattern);
    if (!parsed.ok) return parsed;
    const { pattern, host } = parsed.value;
    const taken = byPattern.get(pattern);
    if (taken !== undefined && taken.workerId !== command.workerId) {
      return err({ kind: "route_taken", pattern, worker: nameOf(facts.table, taken.workerId) });
    }
    const zone = zones.find(request, host);
    if (!zone.ok) return zone;
    wanted.set(
      pattern,
      taken ?? { id: newId(), zoneId: zone.value.id, pattern, workerId: command.workerId },
    );
  }
  const own = facts.table.routes.filter((route) => route.workerId === command.workerId);
  const putRoutes = [...wanted.values()].filter((route) => !own.includes(route));
  const tooMany = refuseTooManyRoutes(facts.table, putRoutes);
  if (!tooMany.ok) return tooMany;
  return ok({
    ...NO_CHANGE,
    newZones: zones.made,
    putRoutes,
    removeRoutes: own.filter((route) => !wanted.has(route.pattern)).map((route) => route.id),
  });
}

function putRoute(
  facts: RoutingFacts,
  command: Extract<RoutingCommand, { kind: "put_route" }>,
  newId: () => string,
): Result<RoutingDiff, DomainError> {
  const { table } = facts;
  const parsed = parseRoute(facts, command.pattern);
  if (!parsed.ok) return parsed;
  const { pattern, host } = parsed.value;
  const zone = new ZoneBook(facts.zones, newId).find({ zoneId: command.zoneId }, host);
  if (!zone.ok) return zone;
  const before = table.routes.find((r) => r.id === command.routeId && r.zoneId === command.zoneId);
  if (command.routeId !== null && before === undefined) {
    return err({ kind: "route_not_found", routeId: command.routeId });
  }
  const taken = table.routes.find((route) => route.pattern === pattern && route.id !== before?.id);
  if (taken !== undefined) {
    return err({ kind: "route_taken", pattern, worker: nameOf(table, taken.workerId) });
  }
  const worker = table.workers.find((host) => host.name === command.workerName);
  if (command.workerName !== null && worker === undefined) return err({ kind: "worker_not_found" });
  const route: Route = {
    id: before?.id ?? newId(),
    zoneId: command.zoneId,
    pattern,
    workerId: worker?.workerId ?? null,
  };
  const tooMany = refuseTooManyRoutes(table, before === undefined ? [route] : []);
  if (!tooMany.ok) return tooMany;
  return ok({ ...NO_CHANGE, putRoutes: [route] });
}

function replaceDomains(
  facts: RoutingFacts,
  command: Extract<RoutingCommand, { kind: "replace_domains" }>,
  newId: () => string,
): Result<RoutingDiff, DomainError> {
  const zones = new ZoneBook(facts.zones, newId);
  const putDomains: CustomDomain[] = [];
  const wanted = new Set<string>();
  for (const request of command.domains) {
    const made = toDomain(facts, zones, command.workerId, request, command.override, newId);
    if (!made.ok) return made;
    if (wanted.has(made.value.hostname)) continue;
    wanted.add(made.value.hostname);
    putDomains.push(made.value);
  }
  const removeDomains = facts.table.domains
    .filter((d) => d.workerId === command.workerId && !wanted.has(d.hostname))
    .map((d) => d.id);
  return ok({ ...NO_CHANGE, newZones: zones.made, putDomains, removeDomains });
}

function putDomain(
  facts: RoutingFacts,
  command: Extract<RoutingCommand, { kind: "put_domain" }>,
  newId: () => string,
): Result<RoutingDiff, DomainError> {
  const zones = new ZoneBook(facts.zones, newId);
  const made = toDomain(facts, zones, command.workerId, command.domain, true, newId);
  if (!made.ok) return made;
  return ok({ ...NO_CHANGE, newZones: zones.made, putDomains: [made.value] });
}

/** A domain keeps its id when it moves to another Worker: it never has a moment without an owner. */
function toDomain(
  facts: RoutingFacts,
  zones: ZoneBook,
  workerId: WorkerId,
  request: DomainRequest,
  override: boolean,
  newId: () => string,
): Result<CustomDomain, DomainError> {
  const hostname = request.hostname.toLowerCase().replace(/\.$/, "");
  const parsed = parseRoutePattern(`${hostname}/*`);
  if (!parsed.ok || hostname.includes("*") || hostname.includes("/")) {
    const detail = "a custom domain is a plain host name such as api.example.com";
    return err({ kind: "bad_route_pattern", pattern: request.hostname, detail });
  }
  const reserved = refuseControlHost(facts, hostname);
  if (!reserved.ok) return reserved;
  const before = facts.table.domains.find((domain) => domain.hostname === hostname);
  if (before !== undefined && before.workerId !== workerId && !override) {
    const worker = nameOf(facts.table, before.workerId) ?? "another Worker";
    return err({ kind: "domain_taken", hostname, worker });
  }
  const zone = zones.find(request, hostname);
  if (!zone.ok) return zone;
  return ok({
    id: before?.id ?? newId(),
    zoneId: zone.value.id,
    hostname,
    workerId,
    enabled: request.enabled ?? before?.enabled ?? true,
    previewsEnabled: request.previewsEnabled ?? before?.previewsEnabled ?? false,
  });
}

const nameOf = (table: RouteTable, workerId: WorkerId | null): string | null =>
  table.workers.find((worker) => worker.workerId === workerId)?.name ?? null;

/** A pattern in the one way it is written, and its host without the star. */
function parseRoute(
  facts: RoutingFacts,
  text: string,
): Result<{ pattern: string; host: string }, DomainError> {
  const parsed = parseRoutePattern(text);
  if (!parsed.ok) return err({ kind: "bad_route_pattern", pattern: text, detail: parsed.error });
  const { host, hostIsSuffix } = parsed.value;
  if (!hostIsSuffix) {
    const reserved = refuseControlHost(facts, host);
    if (!reserved.ok) return reserved;
  }
  return ok({ pattern: formatRoutePattern(parsed.value), host: host.replace(/^\./, "") });
}

/** A wildcard that covers a control host is no danger: control hosts are decided before any route. */
function refuseControlHost(facts: RoutingFacts, host: string): Result<void, DomainError> {
  return facts.controlHosts.includes(host)
    ? err({ kind: "host_reserved", hostname: host })
    : ok(undefined);
}

function refuseTooManyRoutes(
  table: RouteTable,
  added: readonly Route[],
): Result<void, DomainError> {
  for (const zoneId of new Set(added.map((route) => route.zoneId))) {
    const count =
      table.routes.filter((route) => route.zoneId === zoneId).length +
      added.filter((route) => route.zoneId === zoneId).length;
    if (count > ROUTES_PER_ZONE_MAX) {
      const detail = `a zone has at most ${ROUTES_PER_ZONE_MAX} routes; remove some first`;
      return err({ kind: "bad_route_pattern", pattern: added[0]?.pattern ?? "", detail });
    }
  }
  return ok(undefined);
}
