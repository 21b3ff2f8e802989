/** Queues from `wrangler deploy` to the consumer's handler, over everything that can end on the way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

/** What handlers have printed under this mark so far; they may run in several processes. */
const printed = (mark: string) =>
  [...host.log.matchAll(new RegExp(`mark-${mark} (\\S+)`, "g"))].map((match) => match[1]);

/** Sends what it is asked to, and prints what comes. */
const WORKER = `
const show = (value) =>
  value instanceof Map ? "map:" + [...value] : value instanceof ArrayBuffer ? "bytes:" + new Uint8Array(value) : JSON.stringify(value).replaceAll('"', "'");
const refused = (call) => call().then(() => "taken", (e) => e.name + ": " + e.message);
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/kinds") {
      const sent = await env.QUEUE.sendBatch([
        { body: { json: [1, null] } },
        { body: "text", contentType: "text" },
        { body: new Uint8Array([0, 255]), contentType: "bytes" },
        { body: new Map([["a", 1]]), contentType: "v8" },
      ]);
      return Response.json(sent);
    }
    if (pathname === "/refusals") {
      return Response.json([
        await refused(() => env.QUEUE.send(undefined)),
        await refused(() => env.QUEUE.send(1, { contentType: "text" })),
        await refused(() => env.QUEUE.send("x".repeat(200000))),
        await refused(() => env.QUEUE.sendBatch([])),
        await refused(() => env.QUEUE.send(1, { delaySeconds: 1e6 })),
        await refused(() => env.QUEUE.send(() => 1, { contentType: "v8" })),
      ]);
    }
    await env.QUEUE.send(pathname.slice(1));
    return new Response("sent");
  },
  async queue(batch, env) {
    for (const { body, attempts, id, timestamp, ...message } of batch.messages) {
      console.log(env.MARK ?? "MARK", [batch.queue, show(body), attempts, id, timestamp instanceof Date].join("|"));
    }
    for (const message of batch.messages) {
      if (message.body === "again" && message.attempts < 3) message.retry();
      if (message.body === "never") message.retry();
      if (message.body === "block" && message.attempts < 2) for (;;);
      if (message.body === "hang" && message.attempts < 2) await new Promise((done) => setTimeout(done, 60000));
    }
  },
};
`;

/** A Worker bound to a queue of its own as producer and consumer, without wrangler. */
async function worker(name: string, consumer: Record<string, unknown> = {}) {
  const made = await host.send("POST", "A/queues", { queue_name: name });
  const bindings = [
    { type: "queue", name: "QUEUE", queue_name: name },
    { type: "plain_text", name: "MARK", text: `mark-${name}` },
  ];
  const body = new FormData();
  const metadata = { main_module: "w.mjs", compatibility_date: "2026-10-01", bindings };
  body.append("metadata", JSON.stringify(metadata));
  body.append("w.mjs", new File([WORKER], "w.mjs", { type: "application/javascript+module" }));
  expect((await host.api(`A/workers/scripts/${name}`, { method: "PUT", body })).errors).toEqual([]);
  await host.send("POST", `A/workers/scripts/${name}/subdomain`, { enabled: true });
  const settings = { batch_size: 1, max_wait_time_ms: 0, ...consumer["settings"]! };
  const consumers = `A/queues/${made.result.queue_id}/consumers`;
  const added = await host.send("POST", consumers, { ...consumer, script_name: name, settings });
  expect(added.errors).toEqual([]);
  return { visit: (path: string) => host.visit(`${name}.localhost`, path) };
}

describe("queues", () => {
  test("from wrangler: made, bound, consumed by the deployment that is current, and in use", async () => {
    const config = `[[queues.producers]]\nbinding = "QUEUE"\nqueue = "orders"
[[queues.consumers]]\nqueue = "orders"\nmax_batch_size = 4\nmax_batch_timeout = 0\n`;
    const shop = new Project(host, "shop", WORKER, config);
    await shop.wrangler("queues", "create", "orders");
    await shop.deploy(WORKER.replace('"MARK"', '"first"'));
    const { output } = await shop.wrangler("queues", "info", "orders");
    expect(output).toMatch(/Number of Producers: 1[\s\S]*Number of Consumers: 1/);
    await host.visit(shop.workersHost, "/one");
    await host.logged(/first orders\|'one'\|1/);
    // The binding is inherited; the new code is what runs from then on.
    await shop.deploy(WORKER.replace('"MARK"', '"second"'));
    await host.visit(shop.workersHost, "/two");
    await host.logged(/second orders\|'two'\|1/);
    const deleted = await shop.tryWrangler("queues", "delete", "orders");
    expect([deleted.code, deleted.output]).toEqual([1, expect.stringContaining("130050")]);
  });

  test("every kind of message arrives; what is wrong is refused as on Cloudflare", async () => {
    const { visit } = await worker("kinds", { settings: { batch_size: 4 } });
    expect(JSON.parse((await visit("/refusals")).body)).toEqual([
      "TypeError: Message body cannot be undefined",
      'TypeError: Content Type "text" requires a value of type string, but received: number',
      "Error: Queue send failed: Payload Too Large",
      "TypeError: sendBatch() requires at least one message",
      "Error: Queue send failed: Bad Request",
      expect.stringMatching(/^DataCloneError: /),
    ]);
    expect(JSON.parse((await visit("/kinds")).body)).toMatchObject({
      metadata: { metrics: { backlogCount: 4 } },
    });
    await host.logged(/mark-kinds kinds\|map/);
    expect(printed("kinds").map((line) => line?.split("|").slice(1, 3).join(" "))).toEqual([
      "{'json':[1,null]} 1",
      "'text' 1",
      "bytes:0,255 1",
      "map:a,1 1",
    ]);
  });

  test("what a consumer asks for comes again; what it never takes goes to the dead letter queue", async () => {
    await worker("dead", { settings: { max_retries: 0 } });
    const tries = await worker("tries", {
      dead_letter_queue: "dead",
      settings: { max_retries: 2 },
    });
    await tries.visit("/again");
    await tries.visit("/never");
    await host.logged(/mark-dead dead\|'never'\|1/);
    for (const body of ["again", "never"]) {
      const own = printed("tries").filter((line) => line?.includes(`'${body}'`));
      expect(own.map((line) => line?.split("|")[2])).toEqual(["1", "2", "3"]);
      expect(new Set(own.map((line) => line?.split("|")[3])).size).toBe(1);
    }
  });
});

describe("over the end of processes", () => {
  test("a handler that blocks its process is found out, its batch comes again, and the host goes on", async () => {
    const { visit } = await worker("blocks");
    await visit("/block");
    await host.logged(/gateway lost.*cause=blocked/);
    await host.logged(/mark-blocks blocks\|'block'\|2/);
    expect((await visit("/after")).body).toBe("sent");
  });

  test("what was sent survives the end of everything, and what was under way comes again", async () => {
    const { visit } = await worker("kept");
    await visit("/hang");
    await host.logged(/mark-kept kept\|'hang'\|1/);
    await host.killEverything();
    await host.start();
    await host.logged(/mark-kept kept\|'hang'\|2/);
  });
});
