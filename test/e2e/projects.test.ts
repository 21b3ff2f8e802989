/** Small but real projects, deployed by wrangler as they are and used over HTTP. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CopiedProject } from "./support/copied-project.ts";
import { openWebSocket, RawWebSocket } from "./support/raw-web-socket.ts";
import { TestHost } from "./support/test-host.ts";
import type { VisitOptions } from "./support/visit.ts";

const VITE = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url));
/** An object without work is put to sleep after about ten seconds; in milliseconds. */
const HIBERNATES_AFTER_MS = 13_000;
const run = promisify(execFile);
const host = new TestHost();

async function json(project: CopiedProject, path: string, options: VisitOptions = {}) {
  const { status, body } = await host.visit(project.address, { ...options, path });
  return { status, body: body === "" ? null : JSON.parse(body) };
}

const send = (method: string, body: unknown): VisitOptions => ({
  method,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

/** Looks until it holds; gives what it saw last. */
async function until<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  ms: number,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (holds(seen) || Date.now() > deadline) return seen;
    await sleep(100);
  }
}

/** By wrangler, as its users do it; gives the id that it prints. */
async function namespaceNamed(project: CopiedProject, name: string): Promise<string> {
  const { output } = await project.wrangler("kv", "namespace", "create", name);
  const id = /[0-9a-f]{32}/.exec(output)?.[0];
  if (id === undefined) throw new Error(output);
  return id;
}

/** Deployed first: while it waits for its minute, the others do their work. */
let report: CopiedProject;

beforeAll(async () => {
  await host.start();
  report = new CopiedProject(host, "daily-report");
  report.withId("REPORTS_NAMESPACE_ID", await namespaceNamed(report, "reports"));
  await report.deploy();
});
afterAll(() => host.dispose());

describe("tasks-api: Hono, D1 and drizzle", () => {
  let project: CopiedProject;

  beforeAll(async () => {
    project = new CopiedProject(host, "tasks-api");
    const { output } = await project.wrangler("d1", "create", "tasks");
    project.withId("TASKS_DATABASE_ID", /[0-9a-f-]{36}/.exec(output)?.[0] ?? "no id");
    await project.wrangler("d1", "migrations", "apply", "DB", "--remote");
    await project.deploy();
  });

  test("migrations are applied once, and the rows that they make are there", async () => {
    const again = await project.wrangler("d1", "migrations", "apply", "DB", "--remote");
    expect(again.output).toContain("No migrations to apply");
    expect(await json(project, "/lists")).toEqual({
      status: 200,
      body: [{ id: 1, name: "inbox; and more", tasks: [] }],
    });
  });

  test("insert, batch, join, update, cascade and relations", async () => {
    const made = await json(project, "/lists", send("POST", { name: "groceries" }));
    expect(made).toEqual({ status: 201, body: { id: 2, name: "groceries" } });
    const tasks = await json(project, "/lists/2/tasks", send("POST", ["tea", "green tea", "milk"]));
    expect(tasks.body).toHaveLength(3);
    expect(tasks.body[0]).toEqual({
      id: 1,
      listId: 2,
      title: "tea",
      done: false,
      createdAt: "1970-01-01T00:00:00.000Z",
    });
    expect((await json(project, "/tasks/1", send("PATCH", {}))).body.done).toBe(true);
    expect((await json(project, "/tasks?q=tea")).body).toEqual([
      { title: "green tea", list: "groceries", done: false },
    ]);
    expect((await json(project, "/lists")).body[1].tasks).toHaveLength(3);
    expect((await json(project, "/lists/2", { method: "DELETE" })).body).toEqual({ left: 0 });
  });

  test("an error of the database is one that the code can read", async () => {
    const { status, body } = await json(
      project,
      "/lists",
      send("POST", { name: "inbox; and more" }),
    );
    expect(status).toBe(500);
    expect(body.error).toContain("UNIQUE constraint failed: lists.name");
    expect((await json(project, "/tasks/999", send("PATCH", {}))).status).toBe(404);
  });
});

/** Joins a room of the chat. */
async function join(name: string, room = "lobby"): Promise<RawWebSocket> {
  const socket = await openWebSocket(host.port, "chat.localhost", `/${room}?name=${name}`);
  if (!(socket instanceof RawWebSocket)) throw new Error(`no WebSocket but ${socket}`);
  return socket;
}

async function heard(socket: RawWebSocket, text: string): Promise<void> {
  await until(
    async () => socket.received,
    (received) => received.includes(text),
    5_000,
  );
  expect(socket.received).toContain(text);
}

/** Somebody in a room of their own, who says nothing for long. */
let sleeper: { socket: RawWebSocket; silentSince: number };

describe("chat: WebSockets of hibernating Durable Objects", () => {
  let project: CopiedProject;

  beforeAll(async () => {
    project = new CopiedProject(host, "chat");
    await project.deploy();
  });

  test("everybody in a room hears everybody, and a whisper is heard by one", async () => {
    const ann = await join("ann");
    const bob = await join("bob");
    await heard(ann, "* bob is here");
    bob.send("hello");
    await heard(ann, "bob: hello");
    ann.send("/whisper bob psst");
    await heard(bob, "ann whispers psst");
    expect(ann.received).not.toContain("whispers");
    ann.send("ping");
    await heard(ann, "pong");
    expect((await json(project, "/lobby/presence")).body.sockets).toBe(2);
    await heard(bob, "* it is quiet here");
    ann.cut();
    await heard(bob, "* ann has left");
    bob.cut();
  });

  test("a room keeps its history, and another room has its own", async () => {
    expect((await json(project, "/lobby/history")).body).toEqual([{ name: "bob", text: "hello" }]);
    expect((await json(project, "/kitchen/history")).body).toEqual([]);
    expect((await host.visit(project.address, "/lobby")).status).toBe(426);
  });

  test("the history outlives a new version", async () => {
    project.edit("src/index.ts", (text) => text.replaceAll("* it is quiet", "* it is very quiet"));
    await project.deploy();
    expect((await json(project, "/lobby/history")).body).toEqual([{ name: "bob", text: "hello" }]);
    const cleo = await join("cleo");
    cleo.send("anybody here?");
    await heard(cleo, "* it is very quiet here");
    cleo.cut();
  });

  test("a room of its own is there for whoever is silent in it", async () => {
    const socket = await join("dora", "attic");
    socket.send("good night");
    await heard(socket, "* it is very quiet here");
    expect((await json(project, "/attic/presence")).body).toEqual({ sockets: 1, sinceStart: 1 });
    sleeper = { socket, silentSince: performance.now() };
  });
});

describe("single-page-app: what vite builds, with an API", () => {
  let project: CopiedProject;
  const build = () =>
    run(process.execPath, [VITE, "build", "--logLevel", "error"], { cwd: project.directory });
  const page = async (path: string) =>
    host.visit(project.address, {
      path,
      headers: { "sec-fetch-mode": "navigate", accept: "text/html" },
    });

  beforeAll(async () => {
    project = new CopiedProject(host, "single-page-app");
    await build();
    await project.deploy();
  });

  test("every page of a browser is the app, with its script and style by hashed names", async () => {
    const index = await page("/");
    const deep = await page("/some/page");
    expect(index.status).toBe(200);
    expect(index.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect([deep.status, deep.body]).toEqual([200, index.body]);
    const files = [...index.body.matchAll(/"(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(files).toHaveLength(2);
    for (const file of files) {
      const { status, headers } = await host.visit(project.address, file);
      expect(status, file).toBe(200);
      expect(headers["content-type"]).toContain(file.endsWith(".js") ? "javascript" : "css");
      const again = await host.visit(project.address, {
        path: file,
        headers: { "if-none-match": headers.etag ?? "" },
      });
      expect([again.status, again.body]).toEqual([304, ""]);
    }
  });

  test("the API is the Worker's", async () => {
    expect(await json(project, "/api/greeting")).toEqual({
      status: 200,
      body: { greeting: "hello" },
    });
    expect((await json(project, "/api/nothing")).status).toBe(404);
    expect((await page("/api/greeting")).body).toBe('{"greeting":"hello"}');
  });

  test("an app that a browser has open still finds its files after the next deployment", async () => {
    const old = /src="(\/assets\/[^"]+\.js)"/.exec((await page("/")).body)?.[1] ?? "";
    const before = await host.visit(project.address, old);
    project.edit("src/greet.js", (text) => text.replace("version one", "version two"));
    await build();
    await project.deploy();
    const fresh = /src="(\/assets\/[^"]+\.js)"/.exec((await page("/")).body)?.[1] ?? "";
    expect(fresh).not.toBe(old);
    expect((await host.visit(project.address, fresh)).body).toContain("version two");
    const after = await host.visit(project.address, old);
    expect([after.status, after.body]).toEqual([200, before.body]);
  });
});

describe("thumbnails: one Worker sends to a queue, another one works it off", () => {
  let producer: CopiedProject;

  beforeAll(async () => {
    producer = new CopiedProject(host, "thumbnails-producer");
    const consumer = new CopiedProject(host, "thumbnails-consumer");
    const id = await namespaceNamed(producer, "results");
    for (const queue of ["thumbnails", "thumbnails-failed"])
      await producer.wrangler("queues", "create", queue);
    await producer.withId("RESULTS_NAMESPACE_ID", id).deploy();
    await consumer.withId("RESULTS_NAMESPACE_ID", id).deploy();
  });

  test("each message is worked off, again if need be, or ends in the other queue", async () => {
    const images = ["a.png", "b.png", "flaky.png", "broken.png"];
    expect((await json(producer, "/", send("POST", images))).status).toBe(202);
    const { body } = await until(
      () => json(producer, "/"),
      (seen) => seen.body.length === images.length,
      20_000,
    );
    expect(body).toEqual([
      { name: "a.png@128", attempts: 1, queue: "thumbnails" },
      { name: "b.png@128", attempts: 1, queue: "thumbnails" },
      { name: "failed/broken.png", attempts: 1, queue: "thumbnails-failed" },
      { name: "flaky.png@128", attempts: 2, queue: "thumbnails" },
    ]);
  });
});

describe("shop and inventory: a service binding with RPC", () => {
  let shop: CopiedProject;

  beforeAll(async () => {
    const inventory = new CopiedProject(host, "inventory");
    inventory.withId("STOCK_NAMESPACE_ID", await namespaceNamed(inventory, "stock"));
    await inventory.deploy();
    shop = new CopiedProject(host, "shop");
    await shop.deploy();
  });

  test("values, targets, errors and props cross it", async () => {
    expect((await json(shop, "/stock?item=tea&quantity=5")).body).toBe(5);
    expect((await json(shop, "/buy?item=tea&quantity=2")).body).toEqual({ left: 3 });
    expect(await json(shop, "/buy?item=tea&quantity=9")).toEqual({
      status: 409,
      body: { name: "RangeError", message: "only 3 of tea for the corner shop" },
    });
    expect((await host.visit(shop.address, "/page")).body).toBe("the inventory");
  });
});

describe("file-store: R2 with ranges, conditions and parts", () => {
  let project: CopiedProject;

  beforeAll(async () => {
    project = new CopiedProject(host, "file-store");
    await project.wrangler("r2", "bucket", "create", "file-store");
    await project.deploy();
  });

  test("a file goes in and out, whole, in part and by its tag", async () => {
    const put = await json(project, "/notes/a%20b.txt", {
      method: "PUT",
      body: "0123456789",
      headers: { "content-type": "text/x-notes" },
    });
    const get = (headers: Record<string, string> = {}) =>
      host.visit(project.address, { path: "/notes/a%20b.txt", headers });
    expect(await get()).toMatchObject({ status: 200, body: "0123456789" });
    expect((await get()).headers).toMatchObject({
      "content-type": "text/x-notes",
      etag: put.body.etag,
      "content-length": "10",
    });
    const part = await get({ range: "bytes=2-4" });
    expect([part.status, part.body, part.headers["content-range"]]).toEqual([
      206,
      "234",
      "bytes 2-4/10",
    ]);
    expect((await get({ "if-none-match": put.body.etag })).status).toBe(304);
    const stale = await host.visit(project.address, {
      path: "/notes/a%20b.txt",
      method: "PUT",
      body: "lost update",
      headers: { "if-match": '"0123456789abcdef0123456789abcdef"' },
    });
    expect(stale.status).toBe(412);
  });

  test("a large file goes in by parts", async () => {
    const ask = (query: string, options: VisitOptions) =>
      json(project, `/big.bin?multipart&${query}`, options);
    const size = 5 * 1024 * 1024;
    const { uploadId } = (await ask("", { method: "POST" })).body;
    const parts = [];
    for (const part of [1, 2]) {
      const body = new Uint8Array(part === 1 ? size : 10).fill(48 + part);
      parts.push((await ask(`uploadId=${uploadId}&part=${part}`, { method: "PUT", body })).body);
    }
    expect((await host.visit(project.address, "/big.bin")).status).toBe(404);
    const whole = await ask(`uploadId=${uploadId}`, send("POST", parts));
    expect(whole.body.size).toBe(size + 10);
    const end = await host.visit(project.address, {
      path: "/big.bin",
      headers: { range: `bytes=${size - 2}-${size + 1}` },
    });
    expect(end.body).toBe("1122");
    expect((await json(project, "/")).body).toContainEqual({
      key: "big.bin",
      size: size + 10,
      customMetadata: { from: "multipart" },
    });
  });
});

describe("chat, a while later", () => {
  test("a room has slept, and whoever was silent in it still hears what is said", async () => {
    // To look would be to wake it.
    await sleep(Math.max(0, sleeper.silentSince + HIBERNATES_AFTER_MS - performance.now()));
    const { body } = await host.visit("chat.localhost", "/attic/presence");
    expect(JSON.parse(body)).toEqual({ sockets: 1, sinceStart: 0 });
    const eve = await join("eve", "attic");
    eve.send("good morning");
    await heard(sleeper.socket, "eve: good morning");
    sleeper.socket.send("already?");
    await heard(eve, "dora: already?");
  });
});

describe("daily-report: a cron trigger that writes to KV", () => {
  test("fires at the full minute, by the schedule that is due", async () => {
    const { body } = await until(
      () => json(report, "/"),
      (seen) => seen.body.length > 0,
      65_000,
    );
    expect(body[0]).toEqual({ at: expect.stringMatching(/:00\.000Z$/), cron: "* * * * *" });
  });
});
