/**
 * Deployed code that does its worst, hammered by 50 clients: others are served, the API answers, a plain
 * `wrangler rollback` works at the first try, and every request ends. No bound on a time here is the promise; the
 * benchmarks measure it on a machine that does nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Aftermath,
  BYSTANDERS,
  siege,
  type Siege,
  stoppedVersions,
} from "./support/attack.ts";
import { quantile, tallied } from "./support/clients.ts";
import { says } from "./support/project.ts";
import { openWebSocket, RawWebSocket } from "./support/raw-web-socket.ts";
import { addVersion, putWorker } from "./support/small-worker.ts";
import { TestHost } from "./support/test-host.ts";

const WALL_MS = 8_000;
/** Half of the calls of the API take less, in milliseconds: far above what they need, far below a hang. */
const API_MEDIAN_MS_MAX = 2_000;
const WEB_SOCKETS = 1_000;

const host = new TestHost();
beforeAll(async () => {
  const flags = ["--gateways", "2", "--wall-ms", String(WALL_MS), "--gateway-memory-mb", "256"];
  await host.start({ flags });
  for (const name of BYSTANDERS) await putWorker(host, name, says(name));
});
afterAll(() => host.dispose());

/** A module that keeps what it is given, and whose every request runs `code`. */
const runs = (code: string): string =>
  `const kept = [];\nexport default { async fetch(request, env, ctx) { ${code} } };\n`;

const isStopped = (version: string): boolean =>
  new RegExp(`version stopped .*version=${version}`).test(host.log);

/** "good" is deployed, then `code`. Gives the version of the latter. */
async function deployed(worker: string, source: string): Promise<string> {
  await putWorker(host, worker, says("good"));
  return putWorker(host, worker, source);
}

async function expectContained(
  options: Omit<Siege, "host">,
  { serves = options.worker } = {},
): Promise<Aftermath> {
  const aftermath = await siege({ host, ...options });
  const { rollback, api, bystanders, victims } = aftermath;
  expect(rollback.code, rollback.output).toBe(0);
  expect(api.length).toBeGreaterThan(0);
  expect(tallied(api)).toEqual({ 200: api.length });
  expect(quantile(api, 0.5)).toBeLessThan(API_MEDIAN_MS_MAX);
  const served = bystanders.filter(({ status }) => status === 200).length;
  expect(served / bystanders.length, JSON.stringify(tallied(bystanders))).toBeGreaterThan(0.99);
  // Each has had an HTTP answer; those of Switchback can be asked about.
  expect(victims.filter(({ error }) => error !== null)).toEqual([]);
  const pages = victims.filter(({ kind }) => kind !== null);
  expect(pages.filter(({ requestId }) => requestId === null)).toEqual([]);
  await expect
    .poll(async () => (await host.visit(`${serves}.localhost`)).body, { timeout: 30_000 })
    .toBe("good");
  return aftermath;
}

const ACCEPTS = `export default { fetch(request) {
  if (request.headers.get("upgrade") !== "websocket") return new Response("no WebSocket");
  const { 0: client, 1: server } = new WebSocketPair();
  server.addEventListener("message", ({ data }) => { /* message */ server.send("echo of " + data); });
  server.accept();
  return new Response(null, { status: 101, webSocket: client });
} };`;
const DIALS = `for (let n = 0; n < ${WEB_SOCKETS}; n++) {
  const { webSocket } = await env.PEER.fetch("http://peer/", { headers: { upgrade: "websocket" } });
  webSocket.accept();
  kept.push(webSocket);
}
return new Response("dialled");`;

/** Each costs the process that runs it, and so is stopped. */
const LETHAL: readonly (readonly [worker: string, title: string, code: string])[] = [
  ["loops", "loops without end", "for (;;) {}"],
  [
    "grows",
    "fills a heap without end, and lets others run meanwhile",
    `for (;;) {
      for (let n = 0; n < 20; n++) kept.push(new Array(1e5).fill(Math.random()));
      await scheduler.wait(1);
    }`,
  ],
  ["swells", "fills a heap at one go", "for (;;) kept.push(new Array(1e5).fill(Math.random()));"],
  [
    "leaks",
    "keeps 8 MB of every request, and answers",
    "kept.push(new Uint8Array(8e6).fill(1)); return new Response('kept');",
  ],
  [
    "burns",
    "takes seconds of CPU time",
    "let x = 0; for (let i = 0; i < 3e9; i++) x += i; return new Response(x);",
  ],
  [
    "lingers",
    "answers at once, and loops behind the answer",
    `ctx.waitUntil(scheduler.wait(5).then(() => { for (;;) {} }));
    return new Response("well");`,
  ],
];

describe("while 50 clients hammer a version that", () => {
  test.each(LETHAL)("%s: %s, it is stopped and nobody else is harmed", async (worker, _, code) => {
    const bad = await deployed(worker, runs(code));
    const { victims, afterRollback } = await expectContained({
      worker,
      until: () => isStopped(bad),
    });
    expect(tallied(victims)).toHaveProperty(["503 version_stopped"]);
    expect(tallied(afterRollback)).not.toHaveProperty(["503 version_stopped"]);
    expect(afterRollback.filter(({ status, body }) => status === 200 && body !== "good")).toEqual(
      [],
    );
    expect(await stoppedVersions(host, worker)).toEqual([]);
  });

  test("loops, a rollback works before anybody has found out who is to blame", async () => {
    await deployed("hurried", runs("for (;;) {}"));
    const { afterRollback } = await expectContained({ worker: "hurried", forMs: 300 });
    expect(afterRollback.filter(({ body }) => body === "bad")).toEqual([]);
  });

  test.each([
    ["waits", "await scheduler.wait(1e9);", "504 wall_time_exceeded"],
    ["never", "await new Promise(() => {});", "500 worker_threw"],
  ])(
    "%s for ever, every request ends, and it is not taken for a loop",
    async (worker, code, end) => {
      const bad = await deployed(worker, runs(`${code} return new Response("bad");`));
      const { victims } = await expectContained({ worker });
      expect(tallied(victims)).toHaveProperty([end]);
      expect(isStopped(bad)).toBe(false);
    },
  );

  test("has 1,000 WebSockets open, they go on where they began and nobody else is harmed", async () => {
    await deployed("sockets", ACCEPTS);
    const sockets = await openAll("sockets", WEB_SOCKETS);
    await expectContained({ worker: "sockets" });
    const isBusy = (socket: RawWebSocket) => socket.received.includes("echo of still");
    for (const socket of sockets) socket.send("still");
    await expect.poll(() => sockets.filter(isBusy).length, { timeout: 30_000 }).toBe(WEB_SOCKETS);
    for (const socket of sockets) socket.cut();
  });

  test("opens 1,000 WebSockets to another Worker in each request, everything goes on", async () => {
    await putWorker(host, "peer", ACCEPTS);
    await putWorker(host, "dials", says("good"));
    await putWorker(host, "dials", runs(DIALS), { PEER: "peer" });
    await expectContained({ worker: "dials" });
  });

  test("loops when a WebSocket brings it a message, it is stopped and nobody else is harmed", async () => {
    const bad = await deployed("chats", ACCEPTS.replace("/* message */", "for (;;) {}"));
    const attackers = new Attackers("chats", 20);
    await expectContained({ worker: "chats", clients: 10, until: () => isStopped(bad) });
    await attackers.stop();
    expect(isStopped(bad)).toBe(true);
  });

  test("loops when another Worker calls it, it is stopped and not the one that calls", async () => {
    const bad = await deployed("callee", runs("for (;;) {}"));
    const caller = "export default { fetch: (request, env) => env.CALLEE.fetch(request) };";
    const good = await putWorker(host, "caller", caller, { CALLEE: "callee" });
    await expectContained(
      { worker: "callee", at: "caller.localhost", clients: 10, until: () => isStopped(bad) },
      { serves: "caller" },
    );
    expect(isStopped(bad)).toBe(true);
    expect(isStopped(good)).toBe(false);
  });

  test("loops and has a tenth of the traffic, it is stopped and not the one with the rest", async () => {
    const good = await putWorker(host, "split", says("good"));
    const bad = await addVersion(host, "split", runs("for (;;) {}"));
    const versions = [
      { version_id: good, percentage: 90 },
      { version_id: bad, percentage: 10 },
    ];
    const body = { strategy: "percentage", versions };
    const made = await host.send("POST", "A/workers/scripts/split/deployments", body);
    expect(made.success).toBe(true);
    const { victims } = await expectContained({
      worker: "split",
      clients: 10,
      until: () => isStopped(bad),
    });
    expect(isStopped(bad)).toBe(true);
    expect(isStopped(good)).toBe(false);
    expect(tallied(victims)).toHaveProperty("200");
  });
});

test("after all that, as many processes serve as at first", async () => {
  const state = async () => (await fetch(`${host.url}/readyz`)).json();
  const whole = { ready: true, control: "ok", gateways: 2 };
  await expect.poll(state, { timeout: 30_000 }).toMatchObject(whole);
});

async function openAll(worker: string, count: number): Promise<RawWebSocket[]> {
  const opened: RawWebSocket[] = [];
  for (let at = 0; at < count; at += 50) {
    const some = Array.from({ length: Math.min(50, count - at) }, () =>
      openWebSocket(host.port, `${worker}.localhost`),
    );
    for (const socket of await Promise.all(some)) {
      expect(socket).toBeInstanceOf(RawWebSocket);
      if (socket instanceof RawWebSocket) opened.push(socket);
    }
  }
  return opened;
}

/** Each opens a WebSocket, sends one message and waits for the end, again and again. */
class Attackers {
  readonly #over: Promise<unknown>;
  readonly #open = new Set<RawWebSocket>();
  #going = true;

  constructor(worker: string, count: number) {
    this.#over = Promise.all(Array.from({ length: count }, () => this.#attack(worker)));
  }

  async stop(): Promise<void> {
    this.#going = false;
    for (const socket of this.#open) socket.cut();
    await this.#over;
  }

  async #attack(worker: string): Promise<void> {
    while (this.#going) {
      const socket = await openWebSocket(host.port, `${worker}.localhost`);
      if (socket instanceof RawWebSocket && this.#going) {
        this.#open.add(socket);
        socket.send("hello");
        await socket.closed;
        this.#open.delete(socket);
      } else await sleep(100);
    }
  }
}
