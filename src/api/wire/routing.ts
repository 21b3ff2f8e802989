import type { CustomDomain, Route, RouteTable } from "../../domain/route-table.ts";
import type { DomainRequest } from "../../domain/routing-change.ts";
import type { Worker, Zone } from "../../domain/worker.ts";

export const toWireZone = (
  zone: Zone,
  account: { readonly id: string; readonly name: string },
) => ({
  id: zone.id,
  name: zone.name,
  status: "active",
  type: "full",
  paused: false,
  account: { id: account.id, name: account.name },
});

const nameOf = (table: RouteTable, workerId: string | null): string | undefined =>
  table.workers.find((worker) => worker.workerId === workerId)?.name;

/** Without `script`: requests that match are for no Worker. */
export const toWireRoute = (route: Route, table: RouteTable) => {
  const script = nameOf(table, route.workerId);
  return { id: route.id, pattern: route.pattern, ...(script === undefined ? {} : { script }) };
};

export const toWireDomain = (domain: CustomDomain, table: RouteTable, zones: readonly Zone[]) => ({
  id: domain.id,
  hostname: domain.hostname,
  service: nameOf(table, domain.workerId) ?? "",
  environment: "production",
  zone_id: domain.zoneId,
  zone_name: zones.find((zone) => zone.id === domain.zoneId)?.name ?? "",
  // TLS ends in front of the gateway: there is no certificate of ours to name.
  cert_id: "",
  enabled: domain.enabled,
  previews_enabled: domain.previewsEnabled,
});

/** What making these the Worker's custom domains would do. Nothing is done; wrangler asks its user with it. */
export function toDomainChangeset(
  worker: Worker,
  origins: readonly DomainRequest[],
  table: RouteTable,
  zones: readonly Zone[],
  replaceState: boolean,
) {
  const known = new Map(table.domains.map((domain) => [domain.hostname, domain]));
  const hostnames = new Set(origins.map((origin) => origin.hostname.toLowerCase()));
  const added: unknown[] = [];
  const updated: unknown[] = [];
  for (const origin of origins) {
    const before = known.get(origin.hostname.toLowerCase());
    const after = { service: worker.name, ...wanted(origin, before) };
    if (before === undefined) {
      const zone = zones.find(({ id, name }) => id === origin.zoneId || name === origin.zoneName);
      const place = { zone_id: zone?.id ?? "", zone_name: zone?.name ?? "" };
      added.push({
        id: "",
        hostname: origin.hostname,
        environment: "production",
        ...place,
        ...after,
      });
      continue;
    }
    const modified =
      before.workerId !== worker.id ||
      before.enabled !== after.enabled ||
      before.previewsEnabled !== after.previews_enabled;
    updated.push({ ...toWireDomain(before, table, zones), ...after, modified });
  }
  const removed = table.domains.filter(
    (domain) => replaceState && domain.workerId === worker.id && !hostnames.has(domain.hostname),
  );
  return {
    added,
    updated,
    removed: removed.map((domain) => toWireDomain(domain, table, zones)),
    // Conflicts with DNS records; there are none to conflict with.
    conflicting: [],
  };
}

const wanted = (origin: DomainRequest, before: CustomDomain | undefined) => ({
  enabled: origin.enabled ?? before?.enabled ?? true,
  previews_enabled: origin.previewsEnabled ?? before?.previewsEnabled ?? false,
});
