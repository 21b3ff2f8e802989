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
import type { Worker, Zone } from "./worker.ts";

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
  | { readonly kind: "replace_routes"; readonly workerId: WorkerId; readonly routes: readonly RouteRequest[] }
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

/** What changes, as rows. Applying it twice is the same as applying it once. */
export interface RoutingDiff {
  readonly newZones: readonly Zone[];
  readonly newWorker: Worker | null;
  readonly putWorkers: readonly WorkerHost[];
  readonly removeWorkers: readonly { readonly workerId: WorkerId; readonly deletedOn: number }[];
  readonly putRoutes: readonly Route[];
  readonly removeRoutes: readonly string[];
  readonly putDomains: readonly CustomDomain[];
  readonly removeDomains: readonly string[];
}

export const NO_CHANGE: RoutingDiff = {
  newZones: [],
  newWorker: null,
  putWorkers: [],
  removeWorkers: [],
  putRoutes: [],
  removeRoutes: [],
  putDomains: [],
  removeDomains: [],
};

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
      const route = table.routes.find((r) => r.id === command.routeId && r.zoneId === command.zoneId);
      if (route === undefined) return err({ kind: "route_not_found", routeId: command.routeId });
      return ok({ ...NO_CHANGE, removeRoutes: [route.id] });
    }
    case "replace_domains":
      return replaceDomains(facts, command, newId);
    case "put_domain":
      return putDomain(facts, command, newId);
    case "remove_domain": {
      const domain = table.domains.find((d) => d.id === command.domainId);
      if (domain === undefined) return err({ kind: "domain_not_found", domainId: command.domainId });
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

/** The new table. Order within a list does not matter to a reader. */
export function applyRoutingDiff(table: RouteTable, diff: RoutingDiff): RouteTable {
  const gone = new Set<string>(diff.removeWorkers.map((worker) => worker.workerId));
  return {
    workers: merge(table.workers, diff.putWorkers, (worker) => worker.workerId, gone),
    routes: merge(table.routes, diff.putRoutes, (route) => route.id, new Set(diff.removeRoutes)),
    domains: merge(table.domains, diff.putDomains, (d) => d.id, new Set(diff.removeDomains)),
  };
}

/** What takes a written difference back, given the table as it is without it. */
export function invertRoutingDiff(
  table: RouteTable,
  diff: RoutingDiff,
  at: number,
): RoutingDiff {
  const routes = new Map(table.routes.map((route) => [route.id, route]));
  const domains = new Map(table.domains.map((domain) => [domain.id, domain]));
  const touchedWorkers = new Set<string>([
    ...diff.putWorkers.map((worker) => worker.workerId),
    ...diff.removeWorkers.map((worker) => worker.workerId),
  ]);
  const before = table.workers.filter((worker) => touchedWorkers.has(worker.workerId));
  const known = <T>(rows: Map<string, T>, ids: readonly string[]): T[] =>
    ids.flatMap((id) => rows.get(id) ?? []);
  const routeIds = diff.putRoutes.map((route) => route.id);
  const domainIds = diff.putDomains.map((domain) => domain.id);
  return {
    ...NO_CHANGE,
    putWorkers: before,
    removeWorkers: diff.newWorker === null ? [] : [{ workerId: diff.newWorker.id, deletedOn: at }],
    putRoutes: known(routes, [...routeIds, ...diff.removeRoutes]),
    removeRoutes: routeIds.filter((id) => !routes.has(id)),
    putDomains: known(domains, [...domainIds, ...diff.removeDomains]),
    removeDomains: domainIds.filter((id) => !domains.has(id)),
  };
}

function merge<T>(
  rows: readonly T[],
  puts: readonly T[],
  key: (row: T) => string,
  removed: ReadonlySet<string>,
): readonly T[] {
  if (puts.length === 0 && removed.size === 0) return rows;
  const replaced = new Set(puts.map(key));
  const kept = rows.filter((row) => !replaced.has(key(row)) && !removed.has(key(row)));
  return [...kept, ...puts];
}

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
    wanted.set(pattern, taken ?? { id: newId(), zoneId: zone.value.id, pattern, workerId: command.workerId });
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
  if (!facts.zones.some((zone) => zone.id === command.zoneId)) {
    return err({ kind: "zone_not_found", zone: command.zoneId });
  }
  const parsed = parseRoute(facts, command.pattern);
  if (!parsed.ok) return parsed;
  const { pattern } = parsed.value;
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

/** Zones are made on first use: nobody has to register `example.com` before routing it. */
class ZoneBook {
  readonly made: Zone[] = [];
  readonly #known: readonly Zone[];
  readonly #newId: () => string;

  constructor(known: readonly Zone[], newId: () => string) {
    this.#known = known;
    this.#newId = newId;
  }

  find(
    request: { readonly zoneId?: string; readonly zoneName?: string },
    host: string,
  ): Result<Zone, DomainError> {
    const all = [...this.#known, ...this.made];
    if (request.zoneId !== undefined) {
      const zone = all.find((candidate) => candidate.id === request.zoneId);
      return zone === undefined ? err({ kind: "zone_not_found", zone: request.zoneId }) : ok(zone);
    }
    const name = (request.zoneName ?? zoneOf(all, host)).toLowerCase();
    // `*` alone, every host, lies in whatever zone the client says.
    if (name === "" || (host !== "" && host !== name && !host.endsWith(`.${name}`))) {
      const detail = name === "" ? "it needs a zone" : `its host is not in the zone ${name}`;
      return err({ kind: "bad_route_pattern", pattern: host, detail });
    }
    const known = all.find((candidate) => candidate.name === name);
    if (known !== undefined) return ok(known);
    const zone = { id: this.#newId(), name };
    this.made.push(zone);
    return ok(zone);
  }
}

/** The longest known zone that a host lies in, else its last two labels. */
function zoneOf(zones: readonly Zone[], host: string): string {
  const known = zones
    .filter((zone) => host === zone.name || host.endsWith(`.${zone.name}`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return known?.name ?? host.split(".").slice(-2).join(".");
}
