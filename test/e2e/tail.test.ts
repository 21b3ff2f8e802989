/** `wrangler tail` as its users run it: what is shown, what is held back, and that nobody pays for a tail that is over. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TailSession, type ShownEvent } from "./support/tail-session.ts";
import { TestHost } from "./support/test-host.ts";

const SOURCE = `import { WorkerEntrypoint } from "cloudflare:workers";
import { channel } from "node:diagnostics_channel";
let isolate = null;
export class Basket extends WorkerEntrypoint {
  add(what) { console.log("added", what); return 1; }
}
export default {
  async fetch(request, env, ctx) {
    isolate ??= crypto.randomUUID();
    const { pathname } = new URL(request.url);
    if (pathname === "/isolate") return new Response(isolate);
    console.log("visited", { pathname });
    if (pathname === "/throw") throw new RangeError("out of stock");
    if (pathname === "/warn") console.warn("careful");
    if (pathname === "/rpc") return new Response(String(await env.SELF.add("shoes")));
    if (pathname === "/diagnostics") channel("orders").publish({ id: 7 });
    if (pathname === "/later") ctx.waitUntil(scheduler.wait(150).then(() => console.log("and later")));
    return new Response("ok");
  },
};
`;

const ORDERS_SOURCE = `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  call() { console.log("called"); }
  later() { return this.ctx.storage.setAlarm(Date.now() + 10); }
  alarm() { console.log("alarmed"); }
}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/send") await env.QUEUE.send(searchParams.get("text"));
    if (pathname === "/object") await env.ROOM.getByName("one").call();
    if (pathname === "/alarm") await env.ROOM.getByName("two").later();
    return new Response("ok");
  },
  async queue(batch) {
    for (const { body } of batch.messages) console.log("got " + body);
    if (batch.messages.some(({ body }) => body === "bad")) throw new Error("bad order");
  },
};
`;

const host = new TestHost();
const project = new Project(
  host,
  "shop",
  SOURCE,
  `compatibility_flags = ["nodejs_compat"]\nservices = [{ binding = "SELF", service = "shop", entrypoint = "Basket" }]`,
);
let versionId = "";

const visit = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  host.visit("shop.localhost", { path, headers, method });
const pathOf = ({ event }: ShownEvent): string =>
  event?.request === undefined ? "" : new URL(event.request.url).pathname;
const at = (path: string) => (event: ShownEvent) => pathOf(event) === path;
const tails = async () => (await host.api("A/workers/scripts/shop/tails")).result as unknown[];

const sessions: TailSession[] = [];
function tail(...args: string[]): TailSession {
  const session = new TailSession(project, ...args);
  sessions.push(session);
  return session;
}

beforeAll(async () => {
  await host.start();
  // The service binding leads to the Worker itself: it has to be there first.
  await new Project(host, "shop", `export default { fetch: () => new Response("ok") }`).wrangler(
    "deploy",
  );
  versionId = await project.deploy(SOURCE);
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.stop("SIGKILL")));
  await host.dispose();
});

describe("wrangler tail", () => {
  test("shows each invocation with its request, logs, exceptions and version; nothing of it when it is over", async () => {
    const before = (await visit("/isolate")).body;
    const session = tail();
    await session.started(() => visit("/first"));
    await visit("/plain?order=1", {
      authorization: "Bearer secret",
      cookie: "a=b",
      "x-kind": "large",
    });
    await visit("/throw");
    await visit("/warn");
    await visit("/diagnostics");
    await visit("/later");
    await visit("/rpc");

    const plain = await session.shown(at("/plain"));
    expect(plain).toMatchObject({
      outcome: "ok",
      scriptName: "shop",
      scriptVersion: { id: versionId },
      entrypoint: null,
      logs: [{ level: "log", message: ["visited", { pathname: "/plain" }] }],
      exceptions: [],
      event: {
        request: {
          method: "GET",
          url: `http://shop.localhost:${host.port}/plain?order=1`,
          headers: { "x-kind": "large", authorization: "REDACTED", cookie: "REDACTED" },
        },
        response: { status: 200 },
      },
    });
    expect(Math.abs(Date.now() - plain.eventTimestamp)).toBeLessThan(60_000);
    const thrown = await session.shown(at("/throw"));
    expect(thrown).toMatchObject({
      outcome: "exception",
      exceptions: [{ name: "RangeError", message: "out of stock" }],
    });
    expect(thrown.exceptions[0]!.stack).toMatch(/index\.js/);
    expect((await session.shown(at("/warn"))).logs.map(({ level }) => level)).toEqual([
      "log",
      "warn",
    ]);
    expect((await session.shown(at("/diagnostics"))).diagnosticsChannelEvents).toMatchObject([
      { channel: "orders", message: { id: 7 } },
    ]);
    const later = await session.shown(at("/later"));
    expect(later.logs.map(({ message }) => message[0])).toEqual(["visited", "and later"]);
    expect(later.wallTime).toBeGreaterThanOrEqual(100);
    const call = await session.shown(({ event }) => event?.rpcMethod === "add");
    expect(call).toMatchObject({ entrypoint: "Basket", logs: [{ message: ["added", "shoes"] }] });
    expect(session.events.filter(at("/plain"))).toHaveLength(1);
    expect(session.events.some(({ entrypoint }) => entrypoint === "__switchback")).toBe(false);

    const during = (await visit("/isolate")).body;
    expect(during).not.toBe(before);
    expect(await session.stop()).toBe(0);
    await expect.poll(tails).toEqual([]);
    // Back to the isolate that nobody listens to, which was kept.
    await expect.poll(async () => (await visit("/isolate")).body).toBe(before);
  });

  test("holds back what its filters refuse, the filters of each session by themselves", async () => {
    const failed = tail("--status", "error", "--version-id", versionId, "--ip", "self");
    const careful = tail(
      "--method",
      "POST",
      "--method",
      "PUT",
      "--header",
      "x-kind:large",
      "--search",
      "careful",
    );
    const large = { "x-kind": "extra large" };
    await Promise.all([
      failed.started(() => visit("/throw")),
      careful.started(() => visit("/warn", large, "POST")),
    ]);
    // Each refused by one filter alone.
    await visit("/warn", large);
    await visit("/warn", {}, "POST");
    await visit("/plain", large, "POST");
    await visit("/throw?last");
    await visit("/warn?last", large, "PUT");
    const isLast = ({ event }: ShownEvent) => event.request.url.endsWith("?last");
    await Promise.all([failed.shown(isLast), careful.shown(isLast)]);
    expect(new Set(failed.events.map(({ outcome }) => outcome))).toEqual(new Set(["exception"]));
    const seen = careful.events.map(({ event }) => `${event.request.method} ${event.request.url}`);
    expect(seen.filter((one) => !one.startsWith("POST ")).map((one) => one.slice(-10))).toEqual([
      "/warn?last",
    ]);
    expect(careful.events.every(at("/warn"))).toBe(true);
    expect(
      careful.events.every(({ event }) => event.request.headers["x-kind"] === "extra large"),
    ).toBe(true);
    await Promise.all([failed.stop(), careful.stop()]);
    await expect.poll(tails).toEqual([]);
  });

  test("shows a sample, for people, of every version that runs, and ends by the API's word", async () => {
    const session = tail("--format", "pretty", "--sampling-rate", "0.5");
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("waiting for logs");
    const second = await project.deploy(SOURCE.replace("out of stock", "sold out"));
    expect(second).not.toBe(versionId);
    for (let n = 0; n < 40; n++) await visit(`/sample/${n}`);
    await visit("/throw");
    const shown = () => session.output.match(/GET http:\S+\/sample\/\d+ - Ok @/g)?.length ?? 0;
    await expect.poll(shown).toBeGreaterThan(5);
    expect(shown()).toBeLessThan(35);
    expect(session.output).toContain(`(log) visited { pathname: '/sample/`);
    const [{ id }] = (await tails()) as [{ id: string }];
    expect(
      (await host.api(`A/workers/scripts/shop/tails/${id}`, { method: "DELETE" })).success,
    ).toBe(true);
    // The clean end: wrangler stops by itself.
    await expect.poll(() => session.exitCode).toBe(0);
  });

  test("shows queue batches, and calls and alarms of Durable Objects, as what they are", async () => {
    expect((await host.send("POST", "A/queues", { queue_name: "orders" })).errors).toEqual([]);
    const shop = new Project(
      host,
      "orders",
      ORDERS_SOURCE,
      `durable_objects.bindings = [{ name = "ROOM", class_name = "Room" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["Room"] }]
queues.producers = [{ binding = "QUEUE", queue = "orders" }]
queues.consumers = [{ queue = "orders", max_batch_timeout = 0, max_retries = 0 }]`,
    );
    await shop.wrangler("deploy");
    const session = new TailSession(shop);
    sessions.push(session);
    const call = (path: string) => host.visit("orders.localhost", path);
    await session.started(() => call("/"));
    await Promise.all([
      call("/send?text=one"),
      call("/send?text=bad"),
      call("/object"),
      call("/alarm"),
    ]);
    const said = (text: string) => (event: ShownEvent) =>
      event.logs.some(({ message }) => message[0] === text);
    expect(await session.shown(said("got one"))).toMatchObject({
      outcome: "ok",
      event: { queue: "orders", batchSize: 1 },
    });
    expect(await session.shown(said("got bad"))).toMatchObject({
      outcome: "exception",
      event: { queue: "orders", batchSize: 1 },
    });
    expect(await session.shown(said("called"))).toMatchObject({
      executionModel: "durableObject",
      entrypoint: "Room",
      event: { rpcMethod: "call" },
    });
    const alarm = await session.shown(said("alarmed"));
    expect(alarm).toMatchObject({ executionModel: "durableObject", outcome: "ok" });
    expect(Date.parse(alarm.event.scheduledTime)).toBeGreaterThan(Date.now() - 60_000);
    await session.stop();
    await shop.wrangler("delete", "--force");
  });

  test("survives the control process: it connects again by itself", async () => {
    const session = tail();
    await session.started(() => visit("/before"));
    host.killRuntime();
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("Reconnecting");
    await expect
      .poll(
        async () => {
          await visit("/after");
          return session.events.some(at("/after"));
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    await session.stop();
  });

  test("says what is wrong", async () => {
    const missing = await project.tryWrangler("tail", "nobody");
    expect(missing.code).not.toBe(0);
    expect(missing.output).toContain("This Worker does not exist on your account");
  });
});
