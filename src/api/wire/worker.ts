import type { RouteTable } from "../../domain/route-table.ts";
import type { Worker } from "../../domain/worker.ts";
import type { ServiceReference } from "../../store/references.ts";
import type { ApiConfig } from "../api-env.ts";
import { previewUrlSuffix, workerUrl } from "./hosts.ts";
import { toWireScriptSettings } from "./script-settings.ts";
import { toWireTime } from "./time.ts";

export interface WorkerSurroundings {
  readonly deployedOn: number | null;
  readonly table: RouteTable;
  /** Service bindings of any Workers; those that lead elsewhere are left out here. */
  readonly references: readonly ServiceReference[];
}

/** The beta resource `…/workers/workers/:id`. */
export const toBetaWorker = (worker: Worker, around: WorkerSurroundings, config: ApiConfig) => ({
  id: worker.id,
  name: worker.name,
  created_on: toWireTime(worker.createdOn),
  updated_on: toWireTime(worker.modifiedOn),
  deployed_on: around.deployedOn === null ? null : toWireTime(around.deployedOn),
  ...toWireScriptSettings(worker),
  references: {
    dispatch_namespace_outbounds: [],
    domains: around.table.domains
      .filter((domain) => domain.workerId === worker.id)
      .map(({ id, hostname, zoneId }) => ({ id, hostname, zone_id: zoneId })),
    durable_objects: [],
    queues: [],
    workers: callersOf(worker, around.references).map((name) => ({ name })),
  },
  subdomain: {
    enabled: worker.subdomainEnabled,
    previews_enabled: worker.previewsEnabled,
    url: workerUrl(config, worker.name),
    preview_url_suffix: previewUrlSuffix(config, worker.name),
  },
});

const callersOf = (worker: Worker, references: readonly ServiceReference[]): string[] => [
  ...new Set(
    references
      .filter(({ service, name }) => service === worker.name && name !== worker.name)
      .map(({ name }) => name),
  ),
];
