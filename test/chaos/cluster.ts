/**
 * Two workerd processes. One has the locks, the database and gateways beside them; the other has gateways that
 * reach the locks over HTTP. Either may be killed or paused by itself.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { applyMigrations, readMigrations } from "../../src/host/migrations.ts";
import { claimPort } from "../../src/host/port.ts";
import { COMPATIBILITY_DATE } from "../../src/host/compatibility-date.ts";
import { Runtime } from "../../src/host/runtime.ts";
import { bundleWorkers, ROOT, type Bundles, type PlantedBug } from "./bundle.ts";
import { HttpClient } from "./http-client.ts";
import { ACCOUNT_ID, NO_FAULTS, WORKERS_DOMAIN, type NetworkFaults } from "./workers/names.ts";

export interface LeaseConfiguration {
  readonly leaseMs: number;
  readonly driftPermille: number;
}

/** Gateways beside the locks, and in a process of their own. */
const NEAR = 4;
const FAR = 2;
/** Any will do: none of these Workers has a secret, but a lock asks for the key when it is made. */
const SECRETS_KEY = `chaos:${Buffer.alloc(32, 7).toString("base64")}`;
/** As Switchback's host: after this long, a runtime that does not come back by itself is started once more. */
const RESTART_MS = 10_000;

type ProcessName = "near" | "far";

export interface Gateway {
  readonly name: string;
  readonly client: HttpClient;
}

export class Cluster {
  readonly gateways: Gateway[] = [];
  control!: HttpClient;
  /** Fault points at which a lock was aborted, as `<lock>/<point>`, with how often. */
  readonly aborts = new Map<string, number>();
  readonly #processes: Record<ProcessName, Runtime>;
  readonly #storage: string;
  #stopping = false;

  static async start(lease: LeaseConfiguration, bug: PlantedBug | null): Promise<Cluster> {
    const ports: number[] = [];
    for (let n = 0; n < 1 + NEAR + FAR; n++) ports.push(await claimPort("127.0.0.1", 0, 0));
    const cluster = new Cluster(ports, lease, await bundleWorkers(bug));
    try {
      await cluster.#processes.near.start();
      await applyMigrations(
        await cluster.#processes.near.database("DB"),
        readMigrations(join(ROOT, "migrations")),
      );
      await cluster.#processes.far.start();
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
    return cluster;
  }

  private constructor(ports: readonly number[], lease: LeaseConfiguration, bundles: Bundles) {
    this.#storage = mkdtempSync(join(tmpdir(), "switchback-chaos-"));
    const [control = 0, ...gateways] = ports;
    this.control = new HttpClient(control);
    gateways.forEach((port, n) => {
      const client = new HttpClient(port);
      this.gateways.push({ name: `gateway-${n}${n < NEAR ? "" : "-far"}`, client });
    });
    const events = {
      onSpawn: () => {},
      onExit: () => {},
      onLost: () => {},
      onLog: ({ message }: { message: string }) => this.#onLog(message),
    };
    const shared = (name: string) => ({
      host: "127.0.0.1",
      port: 0,
      cf: false as const,
      logRequests: false,
      resourcePersistencePath: join(this.#storage, name),
      resourceTmpPath: join(this.#storage, name, "tmp"),
    });
    const gateway = (n: number, bindings: object) => ({
      ...worker(`gateway-${n}`, bundles.gateway, gateways[n] ?? 0, lease),
      ...bindings,
    });
    const locks = (scriptName?: string) => ({
      d1Databases: { DB: "switchback" },
      durableObjects: {
        WORKER_LOCK: {
          className: "WorkerLock",
          useSQLite: true,
          ...(scriptName && { scriptName }),
        },
        ROUTING_LOCK: {
          className: "RoutingLock",
          useSQLite: true,
          ...(scriptName && { scriptName }),
        },
      },
    });
    const remote = {
      serviceBindings: { CONTROL: { external: { address: `127.0.0.1:${control}`, http: {} } } },
    };
    const range = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => from + n);
    this.#processes = {
      near: new Runtime(
        {
          ...shared("near"),
          workers: [
            { ...worker("control", bundles.control, control, lease), ...locks() },
            ...range(0, NEAR).map((n) => gateway(n, locks("control"))),
          ],
        },
        events,
      ),
      far: new Runtime(
        { ...shared("far"), workers: range(NEAR, FAR).map((n) => gateway(n, remote)) },
        events,
      ),
    };
  }

  async setFaults(gateway: Gateway, faults: NetworkFaults): Promise<void> {
    await gateway.client.post("faults", faults, 2_000).catch(() => undefined);
  }

  async clearFaults(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => this.setFaults(gateway, NO_FAULTS)));
  }

  /** SIGKILL; done when a new process answers. Its gateways have forgotten their faults. */
  async kill(name: ProcessName): Promise<void> {
    const process = this.#processes[name];
    const killed = process.pid;
    process.kill();
    const deadline = performance.now() + RESTART_MS;
    let again = false;
    while (
      !this.#stopping &&
      (process.pid === undefined || process.pid === killed || !(await this.#answers(name)))
    ) {
      await sleep(20);
      if (performance.now() < deadline || again) continue;
      again = true;
      await process.restart();
    }
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  async pause(name: ProcessName, ms: number): Promise<void> {
    const { pid } = this.#processes[name];
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await sleep(ms);
    // Unless it was killed while it was paused.
    if (this.#processes[name].pid === pid) process.kill(pid, "SIGCONT");
  }

  async dispose(): Promise<void> {
    this.#stopping = true;
    for (const client of [this.control, ...this.gateways.map((gateway) => gateway.client)]) {
      client.close();
    }
    await Promise.allSettled(Object.values(this.#processes).map((process) => process.stop(0)));
    rmSync(this.#storage, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  async #answers(name: ProcessName): Promise<boolean> {
    const gateways = this.gateways.filter(
      (gateway) => gateway.name.endsWith("far") === (name === "far"),
    );
    const all = gateways.map((gateway) => gateway.client.post("faults", NO_FAULTS, 500));
    return (await Promise.allSettled(all)).every((answer) => answer.status === "fulfilled");
  }

  #onLog(message: string): void {
    if (!message.includes("chaos_abort")) return;
    const { lock, reached } = JSON.parse(message) as { lock: string; reached: string };
    const key = `${lock}/${reached}`;
    this.aborts.set(key, (this.aborts.get(key) ?? 0) + 1);
  }
}

const worker = (name: string, script: string, port: number, lease: LeaseConfiguration) => ({
  name,
  modules: [{ type: "ESModule" as const, path: `${name}.js`, contents: script }],
  compatibilityDate: COMPATIBILITY_DATE,
  compatibilityFlags: ["nodejs_compat"],
  bindings: {
    ACCOUNT_ID,
    WORKERS_DOMAIN,
    CONTROL_HOSTS: "127.0.0.1",
    SECRETS_KEY,
    LEASE_MS: String(lease.leaseMs),
    LEASE_DRIFT_PERMILLE: String(lease.driftPermille),
  },
  unsafeDirectSockets: [{ host: "127.0.0.1", port }],
});
