/** A change of the route table as rows, how it is applied and how it is taken back. */
import type { WorkerId } from "./ids.ts";
import type { CustomDomain, Route, RouteTable, WorkerHost } from "./route-table.ts";
import type { Worker, Zone } from "./worker.ts";

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
export function invertRoutingDiff(table: RouteTable, diff: RoutingDiff, at: number): RoutingDiff {
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
