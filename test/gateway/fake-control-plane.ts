import { env } from "cloudflare:workers";
import type { Binding } from "../../src/domain/binding.ts";
import type { Stopped } from "../../src/domain/breaker.ts";
import type { CurrentDeployment } from "../../src/domain/deployment.ts";
import type { DeploymentId, VersionId, WorkerId } from "../../src/domain/ids.ts";
import { DEFAULT_ISOLATION, type IsolationPolicy } from "../../src/domain/lease-settings.ts";
import type { RouteTable } from "../../src/domain/route-table.ts";
import type { TailEvent } from "../../src/domain/tail-event.ts";
import type { LoadableVersion, ModuleType } from "../../src/domain/version.ts";
import type { ControlPlane } from "../../src/gateway/control-plane.ts";
import { createGateway, type GatewayOptions } from "../../src/gateway/gateway.ts";
import type { RequestScope } from "../../src/gateway/request-scope.ts";
import { readAddress } from "../../src/gateway/visitor-address.ts";

export const WORKERS_DOMAIN = "workers.example";

/** A control plane of plain values, and a gateway over it. Each has Workers of its own, in isolates of its own. */
export function fakeSwitchback(options: Partial<GatewayOptions> = {}) {
  const workers = new Map<string, WorkerId>();
  const deployments = new Map<WorkerId, CurrentDeployment>();
  const versions = new Map<VersionId, LoadableVersion>();
  const previews = new Map<string, VersionId>();
  const stopped = new Map<WorkerId, readonly Stopped[]>();
  const upcoming = new Map<WorkerId, readonly VersionId[]>();
  const tailed = new Set<WorkerId>();
  /** What has been told to whoever tails. */
  const shown: TailEvent[] = [];
  const asked = { versions: 0, tables: 0, deployments: 0 };
  let seq = 0;
  let leaseMs = 0;
  let settings: IsolationPolicy = DEFAULT_ISOLATION;
  let table: RouteTable = { workers: [], routes: [], domains: [] };
  const setTable = (fields: Partial<RouteTable>): void => {
    seq++;
    table = { ...table, ...fields };
  };
  const controlPlane: ControlPlane = {
    leaseDeployment: async (workerId) => {
      asked.deployments++;
      const current = deployments.get(workerId) ?? null;
      return {
        grant: { kind: "serve", seq: current?.seq ?? 0, leaseMs },
        current,
        upcoming: upcoming.get(workerId) ?? [],
        settings,
        stopped: stopped.get(workerId) ?? [],
        tailed: tailed.has(workerId),
        given: {},
      };
    },
    leaseRouting: async (knownSeq) => {
      asked.tables++;
      const grant = { kind: "serve", seq, leaseMs } as const;
      return knownSeq === seq ? { grant, seq } : { grant, seq, table };
    },
    ledgerDeployment: async (workerId) => ({ current: deployments.get(workerId) ?? null }),
    ledgerRouting: async () => ({ seq, table }),
    previewVersion: async (workerId, label) => {
      const versionId = previews.get(`${label}-${workerId}`);
      if (versionId === undefined) return null;
      const breaker = stopped.get(workerId)?.find((one) => one.versionId === versionId);
      return { versionId, stopped: breaker ?? null, tailed: tailed.has(workerId) };
    },
    version: async (workerId, versionId) => {
      asked.versions++;
      const version = versions.get(versionId);
      return version?.workerId === workerId ? version : null;
    },
    assets: async () => null,
    assetFallbacks: async () => "[]",
    assetBytes: async () => null,
    tailEvents: async (_, { events }) => void shown.push(...events),
  };
  const work: Promise<unknown>[] = [];
  const scope: RequestScope = {
    waitUntil: (promise) => void work.push(promise),
    // No network: what is reached through it is tested where real entrypoints are.
    egress: () => null as unknown as Fetcher,
    serviceBinding: () => null as unknown as Fetcher,
    binding: () => null as unknown as Fetcher,
  };
  const gateway = createGateway({
    loader: env.LOADER,
    gatewayId: crypto.randomUUID(),
    controlPlane,
    workersDomain: WORKERS_DOMAIN,
    overridePolicy: "public",
    identifyVersions: true,
    ...options,
  });
  return {
    gateway,
    controlPlane,
    scope,
    asked,
    previews,
    versions,
    tailed,
    shown,
    setTable,
    /** How long leases live, in milliseconds. 0, as at first: each request asks. */
    setLeases: (ms: number): void => void (leaseMs = ms),
    setPolicy: (policy: IsolationPolicy): void => void (settings = policy),
    /** Says which versions may become visible next. */
    announce: (workerId: WorkerId, ...versionIds: readonly VersionId[]): void => {
      upcoming.set(workerId, versionIds);
    },
    /** What the control plane says is stopped of a Worker from now on. */
    setStopped: (workerId: WorkerId, ...all: readonly Stopped[]): void => {
      stopped.set(workerId, all);
    },
    /** Takes away what tells what is current; `restore` gives it back. */
    cut: (...ways: readonly ("lock" | "ledger")[]): { restore: () => void } => {
      const healthy = { ...controlPlane };
      const down = async () => Promise.reject(new Error("down"));
      if (ways.includes("lock")) {
        Object.assign(controlPlane, { leaseDeployment: down, leaseRouting: down });
      }
      if (ways.includes("ledger")) {
        Object.assign(controlPlane, { ledgerDeployment: down, ledgerRouting: down });
      }
      return { restore: () => void Object.assign(controlPlane, healthy) };
    },
    settled: () => Promise.all(work.splice(0)),
    worker: (name: string): WorkerId => {
      const workerId = newId() as WorkerId;
      workers.set(name, workerId);
      const host = { workerId, name, enabled: true, previewsEnabled: true };
      setTable({ workers: [...table.workers, host] });
      return workerId;
    },
    /** A version of a Worker: its source, or all its fields. */
    version: (
      workerId: WorkerId,
      source: string,
      fields: Partial<LoadableVersion> = {},
    ): VersionId => {
      const version = loadable(source, {
        workerId,
        number: versions.size + 1,
        workerName: [...workers].find(([, id]) => id === workerId)?.[0] ?? "",
        ...fields,
      });
      versions.set(version.id, version);
      return version.id;
    },
    deploy: (
      workerId: WorkerId,
      ...shares: readonly (readonly [VersionId, number])[]
    ): DeploymentId => {
      const deploymentId = crypto.randomUUID() as string as DeploymentId;
      deployments.set(workerId, {
        seq: (deployments.get(workerId)?.seq ?? 0) + 1,
        deploymentId,
        versions: shares.map(([versionId, percentage]) => ({
          versionId,
          percentage,
          number: versions.get(versionId)?.number ?? 0,
        })),
      });
      return deploymentId;
    },
    fetch: (url: string, init?: RequestInit) =>
      gateway.fetch(new Request(url, init), readAddress(url, new URL(url).host)!, scope),
  };
}

const newId = (): string => crypto.randomUUID().replaceAll("-", "");

export const textModule = (name: string, text: string, type: ModuleType = "esm") => ({
  name,
  type,
  bytes: new TextEncoder().encode(text),
});

export function loadable(source: string, fields: Partial<LoadableVersion> = {}): LoadableVersion {
  return {
    id: crypto.randomUUID() as string as VersionId,
    workerId: newId() as WorkerId,
    workerName: "web",
    number: 1,
    createdOn: 1_700_000_000_000,
    tag: "",
    message: "",
    syntax: "modules",
    mainModule: "index.js",
    modules: [textModule("index.js", source)],
    bindings: [],
    secrets: [],
    resources: {},
    compatibilityDate: "2026-10-01",
    compatibilityFlags: [],
    contentHash: "c0ffee",
    ...fields,
  };
}

/** A Worker that answers with what `expression` gives; `request`, `env` and `ctx` are in reach. */
export const answering = (expression: string): string =>
  `export default { async fetch(request, env, ctx) { return new Response(${expression}); } };`;

export const binding = (name: string, type: string, fields: object = {}): Binding => ({
  name,
  type,
  ...fields,
});
