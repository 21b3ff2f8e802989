/**
 * Whatever is restarted or replaced in good order, no visitor notices: not one request fails, is refused or cut off,
 * and what is deployed meanwhile is what is served.
 */
import { cpSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { requestUpgrade } from "../../src/host/request-upgrade.ts";
import { openWebSocket, RawWebSocket } from "./support/raw-web-socket.ts";
import { addVersion, putWorker } from "./support/small-worker.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { TestHost } from "./support/test-host.ts";

const SOURCE = (tag: string) => `
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/socket") {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener("message", ({ data }) => server.send(data));
    return new Response(null, { status: 101, webSocket: client });
  }
  if (pathname === "/slow") await wait(1500);
  if (pathname === "/stream") {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    (async () => {
      for (let n = 0; n < 20; n++) { await writer.write(new TextEncoder().encode(n + ";")); await wait(100); }
      await writer.close();
    })();
    return new Response(readable);
  }
  if (request.method === "POST") return new Response((await request.text()).length + " ${tag}");
  return new Response("${tag}");
} };`;
const STREAMED = Array.from({ length: 20 }, (_, n) => `${n};`).join("");
const WORKERS = ["one", "two"] as const;
const hosts: TestHost[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.dispose();
});

/** About 400 requests a second of every kind, and what became of them. */
class SteadyLoad {
  readonly failed: string[] = [];
  answered = 0;
  readonly #host: TestHost;
  /** By Worker: the sequence number that nothing that begins now may fall below. */
  readonly #floors = new Map<string, number>();
  #over = false;
  #running: Promise<unknown>;

  constructor(host: TestHost) {
    this.#host = host;
    this.#running = Promise.all([
      ...many(8, () => this.#visitor({ kept: true, everyMs: 25, path: "/" })),
      ...many(4, () => this.#visitor({ kept: false, everyMs: 100, path: "/" })),
      ...many(2, () => this.#visitor({ kept: true, everyMs: 50, path: "/", bytes: 100_000 })),
      ...many(2, () => this.#visitor({ kept: false, everyMs: 100, path: "/", bytes: 5_000 })),
      ...many(3, () => this.#visitor({ kept: true, everyMs: 10, path: "/slow" })),
      ...many(3, () => this.#visitor({ kept: true, everyMs: 10, path: "/stream" })),
    ]);
  }

  /** From now on it must not be served by anything older. */
  acknowledged(worker: string, sequence: number): void {
    this.#floors.set(worker, Math.max(sequence, this.#floors.get(worker) ?? 0));
  }

  /** Until so many more have been answered. */
  async goOn(answers: number): Promise<void> {
    const goal = this.answered + answers;
    while (this.answered < goal && this.failed.length < 100) await sleep(10);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async #visitor(kind: { kept: boolean; everyMs: number; path: string; bytes?: number }) {
    const agent = kind.kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : (false as const);
    for (let turn = 0; !this.#over; turn++) {
      const worker = WORKERS[turn % WORKERS.length] ?? WORKERS[0];
      const floor = this.#floors.get(worker) ?? 0;
      const what = `${kind.bytes === undefined ? "GET" : "POST"} ${kind.path} kept=${kind.kept}`;
      try {
        const { status, body, sequence, stale } = await this.#visit(worker, agent, kind);
        const isWhole =
          kind.path === "/stream"
            ? body === STREAMED
            : kind.bytes === undefined || body.startsWith(`${kind.bytes} `);
        if (status !== 200) this.failed.push(`${what}: ${status} ${body.split("\n", 1)[0]}`);
        else if (!isWhole) this.failed.push(`${what}: the answer is ${body.slice(0, 200)}`);
        else if (sequence < floor)
          this.failed.push(`${what}: ${sequence} after ${floor}, ${stale}`);
        this.answered++;
      } catch (error) {
        this.failed.push(`${what}: ${String(error)}`);
      }
      await sleep(kind.everyMs);
    }
    if (agent) agent.destroy();
  }

  #visit(worker: string, agent: Agent | false, { path, bytes }: { path: string; bytes?: number }) {
    return new Promise<{ status: number; body: string; sequence: number; stale: string }>(
      (done, fail) => {
        const asking = request(
          {
            agent,
            host: "127.0.0.1",
            port: this.#host.port,
            path,
            method: bytes === undefined ? "GET" : "POST",
            headers: { host: `${worker}.localhost` },
          },
          (response) => {
            let body = "";
            response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
            response.once("error", fail);
            response.once("end", () => {
              const sequence = Number(response.headers["x-switchback-sequence"]);
              const staleFor = response.headers["x-switchback-stale"];
              const stale =
                staleFor === undefined ? "as if current" : `known to be ${String(staleFor)} s old`;
              done({ status: response.statusCode ?? 0, body, sequence, stale });
            });
          },
        );
        asking.once("error", fail);
        asking.end(bytes === undefined ? undefined : "x".repeat(bytes));
      },
    );
  }
}

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** A host with two Workers of two versions each. */
async function startedHost(host = new TestHost()) {
  hosts.push(host);
  await host.start({ flags: ["--gateways", "2"] });
  const versions = new Map<string, string[]>();
  for (const worker of WORKERS) {
    const first = await putWorker(host, worker, SOURCE("a"));
    versions.set(worker, [first, await addVersion(host, worker, SOURCE("b"))]);
  }
  return { host, versions };
}

/** Deploys and asks the API all the time; all of it has to be answered, and right away to be true. */
function deployments(host: TestHost, versions: Map<string, string[]>, load: SteadyLoad) {
  const failed: string[] = [];
  let over = false;
  let acknowledged = 0;
  const deployer = async (worker: string) => {
    for (let turn = 1; !over; turn++) {
      const version = versions.get(worker)?.[turn % 2] ?? "";
      const answer = await host
        .send("POST", `A/workers/scripts/${worker}/deployments`, {
          strategy: "percentage",
          versions: [{ version_id: version, percentage: 100 }],
        })
        .catch((error: unknown) => ({ status: 0, result: null, errors: [String(error)] }));
      if (answer.status === 200) {
        load.acknowledged(worker, answer.result.receipt.sequence);
        acknowledged++;
      } else failed.push(`deploy ${worker}: ${answer.status} ${JSON.stringify(answer.errors)}`);
      await sleep(200);
    }
  };
  const reader = async () => {
    while (!over) {
      const answer = await host
        .api("A/workers/scripts/one/deployments")
        .catch((error: unknown) => ({ status: String(error) }));
      if (answer.status !== 200) failed.push(`GET deployments: ${answer.status}`);
      await sleep(50);
    }
  };
  const running = Promise.all([...WORKERS.map(deployer), reader()]);
  return {
    failed,
    get acknowledged() {
      return acknowledged;
    },
    end: async () => {
      over = true;
      await running;
    },
  };
}

/** Open WebSockets that have been used once; `codes` resolves with the close codes when all are over. */
async function sockets(host: TestHost, count: number) {
  const opened = await Promise.all(
    many(count, async () => {
      const socket = await openWebSocket(host.port, "one.localhost", "/socket");
      if (!(socket instanceof RawWebSocket)) throw new Error(`no WebSocket: ${socket}`);
      socket.send("hello");
      while (!socket.received.includes("hello")) await sleep(10);
      return socket;
    }),
  );
  const codes = Promise.all(
    opened.map(async (socket) => {
      // A peer answers a close frame with its own.
      while (socket.closeCode === null) await sleep(10);
      socket.cut();
      await socket.closed;
      return socket.closeCode;
    }),
  );
  return { codes };
}

const gatewayPids = (host: TestHost) => host.processes("pool").map(({ pid }) => pid);
const WARM = 150;

describe("under steady load of every kind", () => {
  test("a rolling restart of the gateways fails no request; WebSockets are closed with 1012", async () => {
    const { host } = await startedHost();
    const before = gatewayPids(host);
    const load = new SteadyLoad(host);
    await load.goOn(WARM);
    const { codes } = await sockets(host, 5);
    process.kill(launcherPid(host), "SIGUSR1");
    await host.logged(/gateways restarted/);
    await load.goOn(WARM);
    await load.end();
    expect(load.failed).toEqual([]);
    expect(await codes).toEqual(many(5, () => 1012));
    expect(gatewayPids(host)).toHaveLength(before.length);
    expect(gatewayPids(host).filter((pid) => before.includes(pid))).toEqual([]);
    console.log(`rolling restart: ${load.answered} requests, ${load.failed.length} failed`);
  });

  test("an upgrade fails no request and no API call, and what is deployed meanwhile is served", async () => {
    const { host, versions } = await startedHost();
    const before = host.processes().map(({ pid }) => pid);
    const load = new SteadyLoad(host);
    const deploying = deployments(host, versions, load);
    await load.goOn(WARM);
    const { codes } = await sockets(host, 5);
    const launcher = await requestUpgrade(host.directory);
    await host.logged(/previous supervisor ended/);
    await load.goOn(WARM);
    await deploying.end();
    await load.end();
    expect(load.failed).toEqual([]);
    expect(deploying.failed).toEqual([]);
    expect(deploying.acknowledged).toBeGreaterThan(1);
    expect(await codes).toEqual(many(5, () => 1012));
    // Of all processes only the launcher is the same.
    const kept = host.processes().filter(({ pid }) => before.includes(pid));
    expect(kept.map(({ pid }) => pid)).toEqual([launcher]);
    console.log(
      `upgrade: ${load.answered} requests, ${load.failed.length} failed; ${deploying.acknowledged} deployments`,
    );
  });

  test.each([
    ["build", (release: Release) => release.breakBuild(), "broken build"],
    ["migration", (release: Release) => release.breakMigrations(), "9999_broken.sql failed"],
  ] as const)(
    "an upgrade to a broken %s is refused, and nobody notices",
    async (_, broken, why) => {
      const release = new Release();
      const { host, versions } = await startedHost(new TestHost(release.main));
      const before = gatewayPids(host);
      const load = new SteadyLoad(host);
      const deploying = deployments(host, versions, load);
      await load.goOn(WARM);
      broken(release);
      await expect(requestUpgrade(host.directory)).rejects.toThrow(why);
      await load.goOn(2 * WARM);
      await deploying.end();
      await load.end();
      expect(load.failed).toEqual([]);
      expect(deploying.failed).toEqual([]);
      expect(gatewayPids(host)).toEqual(before);
    },
  );

  test("a control process that is killed and comes back is no visitor's concern, and API calls wait for it", async () => {
    const { host } = await startedHost();
    const load = new SteadyLoad(host);
    await load.goOn(WARM);
    for (let kill = 0; kill < 3; kill++) {
      const killed = host.killRuntime();
      expect((await host.api("A/workers/scripts/one/deployments")).status).toBe(200);
      while (host.runtimePid() === killed) await sleep(10);
      await load.goOn(WARM);
    }
    await load.end();
    expect(load.failed).toEqual([]);
    console.log(`control killed 3 times: ${load.answered} requests, ${load.failed.length} failed`);
  });
});

const launcherPid = (host: TestHost): number => host.processes("launcher")[0]?.pid ?? 0;

/** This very code in a directory of its own, where its build can be broken. */
class Release {
  readonly #directory = temporaryDirectory();
  readonly main = join(this.#directory, "src/host/main.ts");

  constructor() {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    for (const part of ["src", "migrations", "dist", "package.json"]) {
      cpSync(join(root, part), join(this.#directory, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(this.#directory, "node_modules"));
  }

  breakBuild(): void {
    const script = 'throw new Error("broken build");\nexport default {};\n';
    writeFileSync(join(this.#directory, "dist/switchback.js"), script);
  }

  breakMigrations(): void {
    writeFileSync(join(this.#directory, "migrations/9999_broken.sql"), "CREATE nonsense");
  }
}
