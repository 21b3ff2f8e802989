/**
 * A gateway over a control plane that a test fills: the real entrypoints of loaded code in a real runtime,
 * without the rest of Switchback. `POST http://setup.test/` takes the Workers, `PUT` how the locks answer;
 * `http://internal.test/` is the host's own door, by HTTP, and `POST http://probe.test/` by RPC; every other host is
 * the gateway's.
 */
import type { Binding } from "../../src/domain/binding.ts";
import type { CurrentDeployment } from "../../src/domain/deployment.ts";
import type { DeploymentId, VersionId, WorkerId } from "../../src/domain/ids.ts";
import { DEFAULT_ISOLATION } from "../../src/domain/lease-settings.ts";
import type { RouteTable } from "../../src/domain/route-table.ts";
import type { LoadableVersion } from "../../src/domain/version.ts";
import { defineCacheBinding } from "../../src/gateway/bindings/cache-binding.ts";
import { defineEgress } from "../../src/gateway/egress.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { defineGatewayEntrypoint, type TrialCalls } from "../../src/gateway/gateway-entrypoint.ts";
import { type GatewayContext, requestScope } from "../../src/gateway/request-scope.ts";
import { defineServiceBinding } from "../../src/gateway/service-binding.ts";
import { toWire } from "../../src/gateway/version-wire.ts";
import { readAddress } from "../../src/gateway/visitor-address.ts";

interface FixtureEnv {
  readonly LOADER: WorkerLoader;
  readonly INTERNET: Fetcher;
  readonly EGRESS: "public" | "open";
}

/** One Worker of a test; the first of its versions has all the traffic. */
interface FixtureWorker {
  readonly name: string;
  readonly sources: readonly string[];
  readonly bindings?: readonly Binding[];
}

interface Locks {
  readonly leaseMs: number;
  /** How long they take to answer, in milliseconds; null: for ever. */
  readonly answerMs: number | null;
}

let locks: Locks = { leaseMs: 0, answerMs: 0 };
let asked = 0;

async function lockAnswer(currentSeq: number) {
  asked++;
  const { leaseMs, answerMs } = locks;
  if (answerMs !== 0) await (answerMs === null ? new Promise(() => {}) : scheduler.wait(answerMs));
  return { kind: "serve", seq: currentSeq, leaseMs } as const;
}

let seq = 0;
let table: RouteTable = { workers: [], routes: [], domains: [] };
const deployments = new Map<string, CurrentDeployment>();
const versions = new Map<string, LoadableVersion>();

function setUp(workers: readonly FixtureWorker[]): Record<string, readonly string[]> {
  const ids: Record<string, readonly string[]> = {};
  seq++;
  table = { workers: [], routes: [], domains: [] };
  for (const { name, sources, bindings = [] } of workers) {
    const workerId = crypto.randomUUID().replaceAll("-", "") as WorkerId;
    const host = { workerId, name, enabled: true, previewsEnabled: true };
    table = { ...table, workers: [...table.workers, host] };
    const made = sources.map((source, at) => versionOf(workerId, name, at + 1, source, bindings));
    for (const version of made) versions.set(version.id, version);
    ids[name] = made.map((version) => version.id);
    deployments.set(workerId, {
      seq: 1,
      deploymentId: crypto.randomUUID() as string as DeploymentId,
      versions: made.map((version, at) => ({
        versionId: version.id,
        number: version.number,
        percentage: at === 0 ? 100 : 0,
      })),
    });
  }
  return ids;
}

const versionOf = (
  workerId: WorkerId,
  workerName: string,
  number: number,
  source: string,
  bindings: readonly Binding[],
): LoadableVersion => ({
  id: crypto.randomUUID() as string as VersionId,
  workerId,
  workerName,
  number,
  createdOn: 0,
  tag: "",
  message: "",
  syntax: "modules",
  mainModule: "index.js",
  modules: [{ name: "index.js", type: "esm", bytes: new TextEncoder().encode(source) }],
  bindings,
  secrets: [],
  resources: {},
  compatibilityDate: "2026-10-01",
  compatibilityFlags: [],
  contentHash: "c0ffee",
});

let gateway: ReturnType<typeof createGateway> | null = null;
const gatewayOf = (env: FixtureEnv) =>
  (gateway ??= createGateway({
    loader: env.LOADER,
    gatewayId: "fixture",
    controlPlane: {
      leaseDeployment: async (workerId) => {
        const current = deployments.get(workerId) ?? null;
        const grant = await lockAnswer(current?.seq ?? 0);
        return {
          grant,
          current,
          upcoming: [],
          settings: DEFAULT_ISOLATION,
          stopped: [],
          tailed: false,
          given: {},
        };
      },
      leaseRouting: async (knownSeq) => {
        const grant = await lockAnswer(seq);
        return knownSeq === seq ? { grant, seq } : { grant, seq, table };
      },
      ledgerDeployment: async () => "undecided",
      ledgerRouting: async () => "undecided",
      previewVersion: async () => null,
      version: async (_, versionId) => versions.get(versionId) ?? null,
      assets: async () => null,
      assetFallbacks: async () => "[]",
      assetBytes: async () => null,
      tailEvents: async () => undefined,
    },
    workersDomain: "workers.example",
    overridePolicy: "public",
    identifyVersions: true,
    relayWebSockets: true,
  }));

export class GatewayEntrypoint extends defineGatewayEntrypoint<FixtureEnv>(gatewayOf) {}
export class CacheBinding extends defineCacheBinding<FixtureEnv>() {}
export class ServiceBinding extends defineServiceBinding<FixtureEnv>(gatewayOf) {}
export class Egress extends defineEgress<FixtureEnv>((env, scope) => ({
  mode: env.EGRESS,
  controlHosts: new Set(["control.example"]),
  deniedHosts: new Set(),
  serves: (url) => gatewayOf(env).serves(url, scope),
  internet: env.INTERNET,
})) {}

/** Starts `source` beside a module of zeros, by RPC, as the control process does. */
async function probe(door: TrialCalls, source: string, zeros: number): Promise<Response> {
  const version = versionOf("w" as WorkerId, "probed", 1, source, []);
  const padding = { name: "zeros.bin", type: "data", bytes: new Uint8Array(zeros) } as const;
  const { head, stream } = toWire({ ...version, modules: [...version.modules, padding] });
  return Response.json(await door.probe(head, stream));
}

export default {
  async fetch(request, env, ctx) {
    const { hostname, searchParams } = new URL(request.url);
    const { GatewayEntrypoint: door } = ctx.exports as unknown as {
      readonly GatewayEntrypoint: Fetcher & TrialCalls;
    };
    if (hostname === "internal.test") return door.fetch(request);
    if (hostname === "probe.test") {
      return probe(door, await request.text(), Number(searchParams.get("zeros")));
    }
    if (hostname === "setup.test") {
      if (request.method === "PUT") {
        locks = await request.json();
        return Response.json({ asked });
      }
      return Response.json(setUp(await request.json()));
    }
    const scope = requestScope(ctx as unknown as GatewayContext);
    const address = readAddress(request.url, request.headers.get("host") ?? "");
    return gatewayOf(env).fetch(request, address!, scope);
  },
} satisfies ExportedHandler<FixtureEnv>;
