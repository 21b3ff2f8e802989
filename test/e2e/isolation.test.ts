/**
 * Two Workers of one account, each with what Cloudflare gives it, and the second one hostile: it takes its bindings apart,
 * gets hold of what is behind them, and asks for what is the first one's. See also tenant-isolation.test.ts, for the way out.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

/** Only the first Worker has it, in each of its stores. */
const CANARY = "canary-7f3a9c";

const SOURCE = `import { DurableObject, WorkerEntrypoint, env as importedEnv, exports as importedExports } from "cloudflare:workers";

/** Every name that one of the gateway's entrypoints answers to, or might. */
const NAMES = ["get", "getMany", "put", "delete", "list", "head", "query", "send", "metrics", "call", "match", "limit", "write",
  "createMultipartUpload", "completeMultipartUpload", "abortMultipartUpload", "setAlarm", "getAlarm", "deleteAlarm", "isCurrent"];

/** What is behind a binding: a getter on the prototype of all stubs sees the stub as soon as the injected code uses it. */
async function behind(env, use) {
  const prototype = Object.getPrototypeOf(env.SELF);
  const fetch = Object.getOwnPropertyDescriptor(prototype, "fetch");
  let stub = null;
  for (const name of NAMES) {
    Object.defineProperty(prototype, name, { configurable: true, get() { stub ??= this; return undefined; } });
  }
  Object.defineProperty(prototype, "fetch", { configurable: true, get() { stub ??= this; return fetch.value.bind(this); } });
  try { await use(); } catch {} finally {
    for (const name of NAMES) delete prototype[name];
    Object.defineProperty(prototype, "fetch", fetch);
  }
  return stub;
}

const attempt = async (work) => {
  try {
    const got = await work();
    if (got instanceof Response) return { reached: got.status + " " + (await got.text()) + " " + JSON.stringify([...got.headers]) };
    return { reached: typeof got === "function" ? "function" : (JSON.stringify(got) ?? String(got)) };
  } catch (error) {
    return { refused: String(error?.message ?? error), stack: String(error?.stack ?? "") };
  }
};
const all = async (works) => Object.fromEntries(await Promise.all(Object.entries(works).map(async ([name, work]) => [name, await attempt(work)])));

const stubs = (env) => ({
  KV: () => behind(env, () => env.KV.get("x")),
  BUCKET: () => behind(env, () => env.BUCKET.head("x")),
  DB: () => behind(env, () => env.DB.prepare("SELECT 1").all()),
  QUEUE: () => behind(env, () => env.QUEUE.send("x")),
  ROOM: () => behind(env, () => env.ROOM.getByName("x").read()),
  CACHE: () => behind(env, () => caches.default.match("http://cache.example/")),
});

const ORDERS = {
  async store({ canary }, env) {
    await env.KV.put("secret", canary);
    await env.BUCKET.put("secret.txt", canary);
    const upload = await env.BUCKET.createMultipartUpload("draft.txt");
    await env.DB.exec("CREATE TABLE secrets (text TEXT)");
    await env.DB.prepare("INSERT INTO secrets VALUES (?)").bind(canary).run();
    await env.ROOM.getByName("vault").write(canary);
    await caches.default.put("http://cache.example/secret", new Response(canary, { headers: { "cache-control": "max-age=600" } }));
    return { uploadId: upload.uploadId, objectId: env.ROOM.idFromName("vault").toString() };
  },
  async read(_, env) {
    return [await env.KV.get("secret"), await (await env.BUCKET.get("secret.txt"))?.text(),
      (await env.DB.prepare("SELECT text FROM secrets").first())?.text, await env.ROOM.getByName("vault").read(),
      await (await caches.default.match("http://cache.example/secret"))?.text(),
      await (await env.ASSETS.fetch("http://assets.example/secret.txt")).text()];
  },
  /** Names that are there, in all the places in which something could have been left. */
  async look(_, env, ctx) {
    const prelude = await attempt(async () => Object.keys(await import(["./__switchback", "prelude.js"].join("_"))));
    return {
      env: Reflect.ownKeys(env).map(String), importedEnv: Reflect.ownKeys(importedEnv).map(String),
      processEnv: Object.keys(process.env), prelude,
      globals: Object.getOwnPropertyNames(globalThis).filter((name) => /switchback|loader|raw|stub/i.test(name)),
      exports: Object.keys(importedExports), ctxExports: Object.keys(ctx.exports), props: JSON.stringify(ctx.props ?? null),
      room: await env.ROOM.getByName("vault").look(),
    };
  },
  /** What stands behind each binding, and what it says of itself. */
  async inside(_, env) {
    const seen = {};
    for (const [binding, find] of Object.entries(stubs(env))) {
      const stub = await find();
      if (stub === null) { seen[binding] = null; continue; }
      seen[binding] = await all(Object.fromEntries(
        ["env", "ctx", "props", "prototype", "__proto__.env", "#reach", "alarm", "describe", "evict", "secrets"].map((name) =>
          [name, async () => { let at = stub; for (const part of name.split(".")) at = await at[part]; return at; }])));
      seen[binding].called = await attempt(() => stub.env());
      seen[binding].constructed = await attempt(() => stub["constructor"]("return 1")());
    }
    return seen;
  },
  async kv({ alice }, env) {
    const stub = await stubs(env).KV();
    return all({
      own: () => env.KV.get("secret"),
      path: () => env.KV.get("../" + alice.kv + "/secret"),
      slash: () => env.KV.get(alice.kv + "/secret"),
      colon: () => env.KV.get(alice.kv + ":secret"),
      firstArgument: () => stub.get(alice.kv, "secret"),
      many: () => stub.getMany([alice.kv, "secret"]),
      object: () => stub.get({ toString: () => "secret", namespaceId: alice.kv }),
      list: () => stub.list({ prefix: "", limit: 1000, namespaceId: alice.kv }),
      listOptions: () => env.KV.list({ prefix: "" }),
      nothing: () => stub.list(null),
      cursor: () => stub.list({ cursor: btoa("") }),
    });
  },
  async r2({ alice }, env) {
    const stub = await stubs(env).BUCKET();
    const get = (key, headers = {}) => stub.fetch(new Request("http://r2/" + alice.ordinal + "/", { headers: {
      "x-switchback-r2": JSON.stringify({ action: "get", key }), ...headers } }));
    return all({
      own: () => env.BUCKET.get("secret.txt"),
      up: () => env.BUCKET.get("../" + alice.ordinal + "/secret.txt"),
      ordinal: () => env.BUCKET.get(alice.ordinal + "/secret.txt"),
      absolute: () => env.BUCKET.get("/" + alice.ordinal + "/secret.txt"),
      listUp: () => env.BUCKET.list({ prefix: "../" }),
      listAll: async () => (await env.BUCKET.list({ startAfter: "", include: ["customMetadata"] })).objects.map(({ key }) => key),
      cursor: async () => (await env.BUCKET.list({ cursor: btoa(alice.ordinal + "/a") })).objects.map(({ key }) => key),
      delimiter: async () => (await env.BUCKET.list({ delimiter: "/" })).delimitedPrefixes,
      rawList: () => stub.list({ prefix: "../" + alice.ordinal, bucket: alice.ordinal }),
      rawHead: () => stub.head(alice.ordinal, "secret.txt"),
      rawFetch: () => get("secret.txt"),
      rawBucket: () => get("secret.txt", { "x-switchback-r2-bucket": alice.ordinal }),
      rawCall: () => stub.fetch(new Request("http://r2/", { headers: { "x-switchback-r2": JSON.stringify({ action: "get", key: "secret.txt", bucket: alice.ordinal, prefix: "" }) } })),
      upload: () => env.BUCKET.resumeMultipartUpload("draft.txt", alice.uploadId).uploadPart(1, "mine"),
      complete: () => env.BUCKET.resumeMultipartUpload("draft.txt", alice.uploadId).complete([]),
      abort: () => env.BUCKET.resumeMultipartUpload("draft.txt", alice.uploadId).abort(),
      remove: () => env.BUCKET.delete(["../" + alice.ordinal + "/secret.txt", alice.ordinal + "/secret.txt"]),
    });
  },
  async d1({ alice }, env) {
    const stub = await stubs(env).DB();
    const sql = (text) => env.DB.prepare(text).all().then(({ results }) => results);
    return all({
      own: () => sql("SELECT * FROM secrets"),
      attach: () => sql("ATTACH DATABASE '" + alice.database + "' AS other"),
      attachFile: () => sql("ATTACH DATABASE '../" + alice.database + ".sqlite' AS other"),
      databases: () => sql("PRAGMA database_list"),
      tables: () => sql("SELECT name FROM sqlite_master"),
      schemas: () => sql("SELECT * FROM pragma_database_list"),
      other: () => sql('SELECT * FROM "' + alice.database + '".secrets'),
      extension: () => sql("SELECT load_extension('x')"),
      file: () => sql("SELECT readfile('/etc/passwd')"),
      vacuum: () => sql("VACUUM INTO '/tmp/stolen.sqlite'"),
      raw: () => stub.query(alice.database, { queries: [{ sql: "SELECT * FROM secrets", params: [] }] }),
      rawNamed: () => stub.query({ databaseId: alice.database, queries: [{ sql: "SELECT * FROM secrets", params: [] }] }),
    });
  },
  async objects({ alice }, env) {
    const stub = await stubs(env).ROOM();
    const target = { workerId: alice.workerId, namespaceId: alice.namespaceId, objectId: alice.objectId, name: "vault" };
    const forged = encodeURIComponent(JSON.stringify({ target, url: "http://x/" }));
    const dispatched = encodeURIComponent(JSON.stringify({ target: { address: target, dispatch: { seq: 1e9, versionId: alice.versionId } }, url: "http://x/" }));
    const rawFetch = (value) => stub.fetch(new Request("http://x/", { headers: { "x-switchback-object": value } }));
    const call = (path, id = alice.objectId) => stub.call(id, "vault", path, []);
    return all({
      own: () => env.ROOM.getByName("vault").read(),
      fromString: () => env.ROOM.idFromString(alice.objectId),
      get: () => env.ROOM.get({ toString: () => alice.objectId, equals: () => true, name: "vault" }).read(),
      header: () => env.ROOM.getByName("vault").fetch("http://x/", { headers: { "x-switchback-object": forged } }),
      rawHeader: () => rawFetch(forged),
      rawDispatched: () => rawFetch(dispatched),
      rawPair: () => rawFetch(encodeURIComponent(JSON.stringify([alice.objectId, "vault"]))),
      rawId: () => call(["read"]),
      rawTarget: () => stub.call(target, "vault", ["read"], []),
      namespace: () => stub.call(alice.namespaceId + ":" + alice.objectId, null, ["read"], []),
      alarm: () => call(["__switchbackAlarm"]),
      constructor: () => call(["constructor"]),
      inherited: () => call(["__proto__", "constructor"]),
      context: () => call(["ctx"]),
      environment: () => call(["env", "KV"]),
      storage: () => call(["ctx", "storage", "list"]),
      hosts: () => call(["erase"]),
      hostsAlarm: () => call(["setAlarm"]),
      getContext: () => stub.get(alice.objectId, "vault", ["ctx"]),
      empty: () => call([]),
      text: () => stub.call(alice.objectId, "vault", "read", []),
    });
  },
  async caches(_, env) {
    const stub = await stubs(env).CACHE();
    const cache = await caches.open("default");
    return all({
      own: () => caches.default.match("http://cache.example/secret"),
      named: () => cache.match("http://cache.example/secret"),
      raw: () => stub.match(null, "http://cache.example/secret", []),
      rawNamed: () => stub.match("../default", "http://cache.example/secret", []),
      remove: () => caches.default.delete("http://cache.example/secret"),
    });
  },
  async assets({ alice }, env) {
    const headers = { host: "alice.localhost", "x-switchback-asset": "secret.txt", "x-switchback-version": alice.versionId, "x-switchback-worker": alice.workerId };
    const get = (path, init) => env.ASSETS.fetch(new Request("http://mallory.localhost" + path, { headers, ...init }));
    return all({
      plain: () => get("/secret.txt"),
      host: () => env.ASSETS.fetch("http://alice.localhost/secret.txt"),
      up: () => get("/../alice/secret.txt"),
      encoded: () => get("/%2e%2e%2fsecret.txt"),
      version: () => get("/" + alice.versionId + "/secret.txt"),
      method: () => env.ASSETS.subject(), props: () => env.ASSETS.props,
    });
  },
  async queues({ alice }, env) {
    const stub = await stubs(env).QUEUE();
    return all({
      firstArgument: () => stub.send(alice.queue, [{ body: "x", contentType: "text" }]),
      bad: () => stub.send(null), badDelay: () => stub.send([], { queueId: alice.queue }), takes: () => stub.takeBatch(alice.queue, "x"),
      purges: () => stub.purge(alice.queue), destroys: () => stub.destroy(),
    });
  },
  async control(_, env, ctx) {
    return all({
      bound: () => env.CONTROL.evict(),
      described: () => env.CONTROL.describe(),
      prefixed: () => env.NEIGHBOUR.__switchback(),
      neighbourEnv: () => env.NEIGHBOUR.env, neighbourCtx: () => env.NEIGHBOUR.ctx,
      parent: () => ctx.exports.KvBinding?.({ props: { namespaceId: "x" } }) ?? Promise.reject(new Error("not there")),
      imported: () => importedExports.ControlPlaneEntrypoint ?? Promise.reject(new Error("not there")),
    });
  },
  /** Without what every object has, its name is asked for on the other side; there it would be the gateway's own. */
  async prototypes(_, env) {
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      if (name !== "constructor") delete Object.prototype[name];
    }
    const far = () => env.NEIGHBOUR.anything;
    return all({
      getter: () => far()["__proto__"]["__proto__"]["__defineGetter__"]("then", () => "spoiled"),
      setter: () => far()["__proto__"]["__defineSetter__"]("secret", (value) => value),
      lookup: () => far()["__proto__"]["__lookupSetter__"]("__proto__"),
      define: () => far()["__defineGetter__"]("then", () => "spoiled"),
      text: () => far()["toString"](),
    });
  },
  /** What it does to its own isolate stays there. */
  async spoil() {
    for (const type of [Array, Map, Promise, Function, Object]) {
      for (const name of Object.getOwnPropertyNames(type.prototype)) {
        if (name === "constructor") continue;
        try { type.prototype[name] = () => { throw new Error("spoiled"); }; } catch {}
      }
    }
    globalThis.Response = class {};
    return null;
  },
};

export class Room extends DurableObject {
  #made;
  constructor(ctx, env) { super(ctx, env); this.#made = Object.keys(ctx.props ?? {}); }
  write(text) { this.ctx.storage.kv.put("text", text); }
  read() { return this.ctx.storage.kv.get("text") ?? null; }
  look() {
    return { props: [...this.#made, ...Object.keys(this.ctx.props ?? {})], keys: [...this.ctx.storage.kv.list()].map(([key]) => key),
      tables: this.ctx.storage.sql.exec("SELECT name FROM sqlite_master").toArray().map(({ name }) => name) };
  }
  fetch(request) { return Response.json({ text: this.read(), headers: [...request.headers.keys()] }); }
}

export default {
  async fetch(request, env, ctx) {
    const order = await request.json();
    const answer = await ORDERS[order.kind](order, env, ctx);
    return Response.json(answer ?? null);
  },
};
`;

interface Attempt {
  readonly reached?: string;
  readonly refused?: string;
  readonly stack?: string;
}
type Attempts = Readonly<Record<string, Attempt>>;

const host = new TestHost();
/** Everything that is known of the victim: none of it is a secret that protects. */
const alice = {
  kv: "",
  database: "",
  ordinal: "1",
  queue: "",
  uploadId: "",
  objectId: "",
  workerId: "",
  namespaceId: "",
  versionId: "",
};
/** What the first Worker finds in its KV, R2, D1, object, cache and assets. */
const EVERYTHING = Array.from({ length: 6 }, () => CANARY);
/** All that the hostile Worker was ever told. */
let heard = "";

async function order<T = Attempts>(worker: string, kind: string): Promise<T> {
  const body = JSON.stringify({ kind, alice, canary: CANARY });
  const { status, body: answer } = await host.visit(`${worker}.localhost`, {
    method: "POST",
    body,
  });
  expect(status, answer).toBe(200);
  if (worker === "mallory") heard += answer;
  return JSON.parse(answer) as T;
}

const made = async (path: string, body: unknown, method = "POST") => {
  const answer = await host.send(method, path, body);
  expect(answer.errors).toEqual([]);
  return answer.result;
};

async function deployed(name: string, services: string): Promise<string> {
  const kv = (await made("A/storage/kv/namespaces", { title: name })).id as string;
  await made("A/r2/buckets", { name: `${name}-bucket` });
  const database = (await made("A/d1/database", { name })).uuid as string;
  const queue = (await made("A/queues", { queue_name: `${name}-queue` })).queue_id as string;
  if (name === "alice") Object.assign(alice, { kv, database, queue });
  const config = `compatibility_flags = ["nodejs_compat"]
assets = { directory = "public", binding = "ASSETS", run_worker_first = true }
kv_namespaces = [{ binding = "KV", id = "${kv}" }]
r2_buckets = [{ binding = "BUCKET", bucket_name = "${name}-bucket" }]
d1_databases = [{ binding = "DB", database_name = "${name}", database_id = "${database}" }]
services = [${services}]
durable_objects.bindings = [{ name = "ROOM", class_name = "Room" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["Room"] }]
queues.producers = [{ binding = "QUEUE", queue = "${name}-queue" }]`;
  // The binding to itself can be made when it is there.
  await new Project(host, name, `export default { fetch: () => new Response("") }`).wrangler(
    "deploy",
  );
  return new Project(host, name, SOURCE, config)
    .write(`public/${name === "alice" ? "secret" : "own"}.txt`, name === "alice" ? CANARY : "own")
    .deploy(SOURCE);
}

const SELF = (name: string) => `{ binding = "SELF", service = "${name}" }`;

beforeAll(async () => {
  await host.start();
  alice.versionId = await deployed("alice", SELF("alice"));
  await deployed("mallory", `${SELF("mallory")}, { binding = "NEIGHBOUR", service = "alice" }`);
  Object.assign(alice, await order<object>("alice", "store"));
  const workers = (await host.api("A/workers/workers")).result as { id: string; name: string }[];
  alice.workerId = workers.find(({ name }) => name === "alice")?.id ?? "";
  const classes = (await host.api("A/workers/durable_objects/namespaces")).result as {
    id: string;
    script: string;
  }[];
  alice.namespaceId = classes.find(({ script }) => script === "alice")?.id ?? "";
  expect(Object.values(alice).every((known) => known !== "")).toBe(true);
});
afterAll(() => host.dispose());

/** What an attempt may find: nothing, or a refusal as an answer. */
const NOTHING =
  /^(?:null|undefined|false|\[(?:null(?:,null)*)?\]|\{\}|\{"ok":true,"value":(?:null|\[null(?:,null)*\])\}|\{"ok":false,.*)$/s;
const emptyHanded = (attempts: Attempts, but: readonly string[] = []) =>
  Object.entries(attempts)
    .filter(
      ([name, { reached }]) =>
        reached !== undefined && !NOTHING.test(reached) && !but.includes(name),
    )
    .map(([name, { reached }]) => `${name}: ${reached}`);

describe("a Worker's own environment", () => {
  test("holds its bindings, and no trace of how they came", async () => {
    const seen = await order<Record<string, unknown>>("mallory", "look");
    const names = ["ASSETS", "BUCKET", "DB", "KV", "NEIGHBOUR", "QUEUE", "ROOM", "SELF"];
    expect([...(seen["env"] as string[])].sort()).toEqual(names);
    expect([...(seen["importedEnv"] as string[])].sort()).toEqual(names);
    expect((seen["processEnv"] as string[]).filter((name) => /switchback/i.test(name))).toEqual([]);
    expect(seen).toMatchObject({ globals: [], props: "{}", room: { props: [], keys: [] } });
    const exported = [...(seen["exports"] as string[]), ...(seen["ctxExports"] as string[])];
    expect(exported.filter((name) => !["default", "Room", "__switchback"].includes(name))).toEqual(
      [],
    );
  });
});

describe("what is behind a binding", () => {
  test("is within reach of whoever wants it, and shows neither environment nor context", async () => {
    const seen = await order<Record<string, Attempts | null>>("mallory", "inside");
    for (const [binding, attempts] of Object.entries(seen)) {
      expect(attempts, `${binding} was not found`).not.toBeNull();
      for (const [name, { reached }] of Object.entries(attempts!)) {
        expect(reached ?? "undefined", `${binding}.${name}`).toBe("undefined");
      }
    }
  });

  test("of a KV namespace finds nothing of another one", async () => {
    expect(
      emptyHanded(await order("mallory", "kv"), ["list", "listOptions", "cursor", "many"]),
    ).toEqual([]);
  });

  test("of an R2 bucket finds and changes nothing of another one", async () => {
    const seen = await order("mallory", "r2");
    const but = [
      "listUp",
      "rawList",
      "rawHead",
      "rawFetch",
      "rawBucket",
      "rawCall",
      "abort",
      "remove",
    ];
    expect(emptyHanded(seen, but)).toEqual([]);
    expect(seen["rawHead"]!.reached ?? "").not.toContain("secret.txt");
    expect(seen["listAll"]!.reached).toBe("[]");
  });

  test("of a D1 database finds nothing of another one, nor of the machine", async () => {
    const seen = await order("mallory", "d1");
    expect(emptyHanded(seen, ["databases", "schemas", "raw", "rawNamed"])).toEqual([]);
    for (const name of ["attach", "attachFile", "other", "extension", "file", "vacuum"]) {
      expect(seen[name]!.refused, name).toBeDefined();
    }
    // No paths of the machine, and no tables of the host's own.
    expect(JSON.stringify(seen)).not.toContain(host.directory);
  });

  test("of a class of Durable Objects reaches no object of another one, and none of what runs them", async () => {
    const seen = await order("mallory", "objects");
    const found = ["header", "rawHeader", "rawDispatched", "rawPair"];
    expect(emptyHanded(seen, found)).toEqual([]);
    expect(seen["fromString"]!.refused).toMatch(/not valid for this namespace/);
    for (const name of [
      "alarm",
      "constructor",
      "inherited",
      "context",
      "environment",
      "storage",
      "hosts",
      "hostsAlarm",
      "getContext",
      "empty",
      "text",
      "rawTarget",
      "namespace",
    ]) {
      expect(seen[name]!.refused, name).toBeDefined();
    }
    // Its own object, and the header is no one's to see.
    expect(seen["header"]!.reached).toContain('"text":null');
    expect(seen["header"]!.reached).not.toContain("x-switchback");
  });

  test("of the caches finds nothing of another Worker's, and takes nothing away", async () => {
    expect(emptyHanded(await order("mallory", "caches"))).toEqual([]);
  });

  test("of assets has its own files, whatever it says about itself", async () => {
    const seen = await order("mallory", "assets");
    for (const name of ["plain", "host", "up", "encoded", "version"]) {
      expect(seen[name]!.reached, name).toMatch(/^404 /);
    }
    for (const name of ["method", "props"]) expect(seen[name]!.refused, name).toBeDefined();
  });

  test("of a queue sends to no other one, and takes nothing out", async () => {
    const before = (await host.api(`A/queues/${alice.queue}`)).result;
    const seen = await order("mallory", "queues");
    for (const name of ["takes", "purges", "destroys"])
      expect(seen[name]!.refused, name).toBeDefined();
    expect((await host.api(`A/queues/${alice.queue}`)).result).toEqual(before);
  });
});

describe("the code that is injected into another Worker", () => {
  test("cannot be bound", async () => {
    const project = new Project(
      host,
      "mallory-control",
      SOURCE,
      `services = [{ binding = "CONTROL", service = "alice", entrypoint = "__switchback" }]`,
    );
    const { code, output } = await project.tryWrangler("deploy");
    expect(code).not.toBe(0);
    expect(output).toContain("__switchback");
  });

  test("cannot be called, nor can anything that is the gateway's", async () => {
    const seen = await order("mallory", "control");
    for (const [name, { reached }] of Object.entries(seen)) expect(reached, name).toBeUndefined();
  });
});

describe("after all of it", () => {
  test("the hostile Worker has not heard the secret, and no error told it of the machine", () => {
    expect(heard).not.toContain(CANARY);
    expect(heard).not.toContain(host.directory);
    expect(heard).not.toMatch(/\/work\/|\.sock|node_modules/);
  });

  test("what the gateway's own objects inherit is out of reach through a service binding", async () => {
    const seen = await order("mallory", "prototypes");
    for (const [name, { reached }] of Object.entries(seen)) expect(reached, name).toBeUndefined();
  });

  test("the other one has everything that it had", async () => {
    expect(await order<string[]>("alice", "read")).toEqual(EVERYTHING);
  });

  test("what a Worker does to its own globals nobody else notices", async () => {
    await host
      .visit("mallory.localhost", { method: "POST", body: JSON.stringify({ kind: "spoil" }) })
      .catch(() => undefined);
    expect(await order<string[]>("alice", "read")).toEqual(EVERYTHING);
    const other = new Project(
      host,
      "bystander",
      `export default { fetch: () => new Response([1, 2].map(String).join()) }`,
    );
    await other.wrangler("deploy");
    expect((await host.visit("bystander.localhost")).body).toBe("1,2");
  });
});
