/** Whatever process is killed while a Worker writes: what a binding has acknowledged is there, and work goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostProcess, ProcessKind } from "./support/host-processes.ts";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const WAYS = ["kv", "r2", "d1", "queue", "object", "alarm"] as const;
type Way = (typeof WAYS)[number];

/** How often each kind of process is killed, all of that kind at once. */
const KILLS: Readonly<Record<string, number>> = {
  // More losses of gateways would be laid to the Worker that they serve, and its version stopped.
  pool: 2,
  data: 4,
  sql: 4,
  objects: 4,
  control: 4,
  // Takes all the others along.
  supervisor: 1,
};
/** Of each way, between two kills: everything works again before the next blow. */
const ACKNOWLEDGED_BETWEEN_KILLS = 3;
/** A way that does not come back within that has failed, in milliseconds. */
const RECOVERY_MS_MAX = 20_000;
const PAUSE_MS = 30;

const SOURCE = `import { DurableObject } from "cloudflare:workers";

export class Book extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS records (n INTEGER PRIMARY KEY, fired INTEGER)");
  }
  write(n) {
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO records VALUES (?, NULL)", n);
  }
  async writeAndWake(n) {
    this.write(n);
    await this.ctx.storage.setAlarm(Date.now() + 100);
  }
  alarm() {
    this.ctx.storage.sql.exec("UPDATE records SET fired = 1 WHERE fired IS NULL");
  }
  all() {
    return this.ctx.storage.sql.exec("SELECT n FROM records").toArray().map(({ n }) => n);
  }
  fired() {
    return this.ctx.storage.sql.exec("SELECT n FROM records WHERE fired = 1").toArray().map(({ n }) => n);
  }
}

async function names(list) {
  const all = [];
  let cursor;
  do {
    const page = await list(cursor);
    all.push(...(page.keys ?? page.objects).map(({ name, key }) => Number((name ?? key).split("/")[1])));
    cursor = page.list_complete === true || page.truncated === false ? undefined : page.cursor;
  } while (cursor !== undefined);
  return all;
}

const write = {
  kv: (env, n) => env.KV.put(\`kv/\${n}\`, "x"),
  r2: (env, n) => env.BUCKET.put(\`r2/\${n}\`, "x"),
  d1: (env, n) => env.DB.prepare("INSERT OR IGNORE INTO records (n) VALUES (?)").bind(n).run(),
  queue: (env, n) => env.QUEUE.send({ n }),
  object: (env, n) => env.BOOKS.getByName("plain").write(n),
  alarm: (env, n) => env.BOOKS.getByName("waking").writeAndWake(n),
};

const read = {
  kv: (env) => names((cursor) => env.KV.list({ prefix: "kv/", cursor })),
  r2: (env) => names((cursor) => env.BUCKET.list({ prefix: "r2/", cursor })),
  d1: async (env) => (await env.DB.prepare("SELECT n FROM records").raw()).flat(),
  queue: (env) => names((cursor) => env.KV.list({ prefix: "queue/", cursor })),
  object: (env) => env.BOOKS.getByName("plain").all(),
  alarm: (env) => env.BOOKS.getByName("waking").fired(),
  cron: (env) => names((cursor) => env.KV.list({ prefix: "cron/", cursor })),
};

export default {
  async fetch(request, env) {
    const [, act, way, n] = new URL(request.url).pathname.split("/");
    if (act === "read") return Response.json(await read[way](env));
    await write[way](env, Number(n));
    return new Response("written");
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) await env.KV.put(\`queue/\${body.n}\`, "x");
  },
  async scheduled({ scheduledTime }, env) {
    await env.KV.put(\`cron/\${scheduledTime}\`, "x");
  },
};
`;

const host = new TestHost();
const project = (kv: string, d1: string) =>
  new Project(
    host,
    "writer",
    SOURCE,
    `kv_namespaces = [{ binding = "KV", id = "${kv}" }]
r2_buckets = [{ binding = "BUCKET", bucket_name = "records" }]
d1_databases = [{ binding = "DB", database_name = "records", database_id = "${d1}" }]
triggers = { crons = ["* * * * *"] }
[[queues.producers]]
binding = "QUEUE"
queue = "records"
[[queues.consumers]]
queue = "records"
max_batch_timeout = 1
[[durable_objects.bindings]]
name = "BOOKS"
class_name = "Book"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Book"]`,
  );

const acknowledged = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
let writing = true;
let deployedAt = 0;

beforeAll(async () => {
  await host.start();
  const make = async (path: string, body: unknown) => {
    const answer = await host.send("POST", path, body);
    if (!answer.success) throw new Error(`${path}: ${JSON.stringify(answer.errors)}`);
    return answer.result;
  };
  const { id } = await make("A/storage/kv/namespaces", { title: "records" });
  const { uuid } = await make("A/d1/database", { name: "records" });
  await make("A/r2/buckets", { name: "records" });
  await make("A/queues", { queue_name: "records" });
  await make(`A/d1/database/${uuid}/query`, {
    sql: "CREATE TABLE records (n INTEGER PRIMARY KEY)",
  });
  await project(id, uuid).wrangler("deploy");
  deployedAt = Date.now();
});
afterAll(() => host.dispose());

/** Writes one record after the other, each under a number of its own, and notes what is acknowledged. */
async function write(way: Way): Promise<void> {
  for (let n = 1; writing; n++) {
    try {
      const { body } = await host.visit("writer.localhost", `/write/${way}/${n}`);
      if (body === "written") acknowledged.get(way)?.push(n);
    } catch {
      // A process is being killed; whether this one was written, nobody has said.
    }
    await sleep(PAUSE_MS);
  }
}

async function read(what: string): Promise<number[]> {
  const visit = await host.visit("writer.localhost", `/read/${what}`);
  return visit.status === 200 ? (JSON.parse(visit.body) as number[]) : [];
}

/** The processes of a kind, as soon as there are any: the last ones may have been killed just now. */
async function running(kind: ProcessKind): Promise<readonly HostProcess[]> {
  const deadline = Date.now() + RECOVERY_MS_MAX;
  for (;;) {
    const found = host.processes(kind);
    if (found.length > 0) return found;
    if (Date.now() > deadline) {
      const all = host.processes().map((process) => `${process.name} ${process.kind}`);
      throw new Error(`there is no process of ${kind} any more: ${all.join()}`);
    }
    await sleep(10);
  }
}

const counts = () => WAYS.map((way) => acknowledged.get(way)?.length ?? 0);

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Until each way has had some more records acknowledged. */
async function progress(after: string): Promise<void> {
  const goal = counts().map((count) => count + ACKNOWLEDGED_BETWEEN_KILLS);
  const deadline = Date.now() + RECOVERY_MS_MAX;
  while (counts().some((count, at) => count < (goal[at] ?? 0))) {
    if (Date.now() > deadline)
      throw new Error(`after ${after}: ${WAYS.join()} have ${counts().join()} of ${goal.join()}`);
    await sleep(10);
  }
}

/** What was acknowledged and is not there, after a while for what may take its time. */
async function missing(way: Way): Promise<number[]> {
  const deadline = Date.now() + RECOVERY_MS_MAX;
  for (;;) {
    const there = new Set(await read(way));
    const lost = (acknowledged.get(way) ?? []).filter((n) => !there.has(n));
    if (lost.length === 0 || Date.now() > deadline) return lost;
    await sleep(100);
  }
}

test("nothing acknowledged is lost, and queues and alarms come to their end", async () => {
  const clients = WAYS.map(write);
  await progress("the start");
  const order = Object.entries(KILLS).flatMap(([kind, times]) => Array(times).fill(kind));
  for (const kind of shuffled(order as ProcessKind[])) {
    for (const { pid } of await running(kind)) process.kill(pid, "SIGKILL");
    await progress(`killing ${kind}`);
  }
  writing = false;
  await Promise.all(clients);
  await host.killEverything();
  await host.start();
  const lost = await Promise.all(WAYS.map(async (way) => [way, await missing(way)] as const));
  expect(Object.fromEntries(lost)).toEqual(Object.fromEntries(WAYS.map((way) => [way, []])));
});

test("no minute of a cron trigger was missed", async () => {
  const fired = new Set(await read("cron"));
  const minutes = [];
  const MINUTE_MS = 60_000;
  for (
    let at = Math.ceil(deployedAt / MINUTE_MS) * MINUTE_MS;
    at < Date.now() - 5_000;
    at += MINUTE_MS
  )
    minutes.push(at);
  expect(minutes.filter((at) => !fired.has(at))).toEqual([]);
});
