/** KV, caches, rate limits and Analytics Engine with the real wrangler: what it stores, deployed code finds, and the other way round. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { ACCOUNT_ID, ROOT_TOKEN, TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const SOURCE = `const steps = {
  async "/put"(env, url) {
    await env.KV.put(url.searchParams.get("key"), "from the Worker", { metadata: { by: "code" }, expirationTtl: 600 });
    return "done";
  },
  async "/get"(env, url) { return env.KV.getWithMetadata(url.searchParams.get("key")); },
  async "/list"(env) { return env.KV.list(); },
  async "/large"(env) {
    const chunk = new Uint8Array(1024 * 1024).fill(7);
    let left = 20;
    await env.KV.put("large", new ReadableStream({ pull(c) { left-- > 0 ? c.enqueue(chunk) : c.close(); } }));
    let bytes = 0;
    for await (const part of await env.KV.get("large", "stream")) bytes += part.byteLength;
    await env.KV.delete("large");
    return bytes;
  },
  async "/wrong"(env) { return env.KV.put("k", "v", { expirationTtl: 30 }).catch((e) => e.name + ": " + e.message); },
  async "/cache"(env, url) {
    const key = "https://assets.example/logo";
    const before = await caches.default.match(key);
    await caches.default.put(key, new Response("logo", { headers: { "cache-control": "max-age=60" } }));
    const after = await caches.default.match(key);
    return [before === undefined, await after.text(), after.headers.get("cf-cache-status")];
  },
  async "/limit"(env) {
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push((await env.LIMITER.limit({ key: "visitor" })).success);
    return answers.includes(false);
  },
  async "/point"(env) { return String(env.STATS.writeDataPoint({ indexes: ["e2e"], blobs: ["/point"], doubles: [1.5] })); },
  async "/own"(env) { return [Object.keys(env).sort(), "__switchback" in env]; },
};
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    return Response.json(await steps[url.pathname](env, url));
  },
};
`;
const bindings = (
  id: string,
) => `ratelimits = [{ name = "LIMITER", namespace_id = "1001", simple = { limit = 1, period = 60 } }]
analytics_engine_datasets = [{ binding = "STATS", dataset = "e2e_stats" }]
kv_namespaces = [{ binding = "KV", id = "${id}" }]`;

const tools = new Project(host, "tools", says("never deployed"));
let id = "";
let worker: Project;
const ask = async (path: string) => JSON.parse((await host.visit(worker.workersHost, path)).body);

beforeAll(async () => {
  const created = await tools.wrangler("kv", "namespace", "create", "sessions");
  id = /"?id"?\s*[:=]\s*"([0-9a-f]{32})"/.exec(created.output)?.[1] ?? "";
  expect(id, created.output).not.toBe("");
  worker = new Project(host, "keeper", SOURCE, bindings(id));
  await worker.deploy(SOURCE);
});

const kv = (...args: string[]) => tools.wrangler("kv", ...args, "--namespace-id", id, "--remote");

test("a namespace is there once made, and its title cannot be taken again", async () => {
  const listed = await tools.wrangler("kv", "namespace", "list");
  expect(JSON.parse(listed.stdout)).toEqual([
    { id, title: "sessions", supports_url_encoding: true },
  ]);
  const again = await tools.tryWrangler("kv", "namespace", "create", "sessions");
  expect(again.code).toBe(1);
  expect(again.output).toMatch(/already exists/);
});

test("what wrangler puts, the Worker gets; what the Worker puts, wrangler gets", async () => {
  await kv("key", "put", "a/b c", "from wrangler", "--metadata", '{"m":1}', "--ttl", "600");
  expect(await ask("/get?key=a%2Fb%20c")).toEqual({
    value: "from wrangler",
    metadata: { m: 1 },
    cacheStatus: null,
  });
  await ask("/put?key=mine");
  expect((await kv("key", "get", "mine", "--text")).stdout.trim()).toBe("from the Worker");
  const listed = JSON.parse((await kv("key", "list")).stdout);
  expect(listed).toEqual([
    { name: "a/b c", expiration: expect.any(Number), metadata: { m: 1 } },
    { name: "mine", expiration: expect.any(Number), metadata: { by: "code" } },
  ]);
  expect((await ask("/list")).keys).toEqual(listed);
  await kv("key", "delete", "a/b c");
  expect((await ask("/get?key=a%2Fb%20c")).value).toBeNull();
});

test("many keys at once", async () => {
  tools.write(
    "bulk.json",
    JSON.stringify([
      { key: "b1", value: "1" },
      { key: "b2", value: "Mg==", base64: true },
    ]),
  );
  await kv("bulk", "put", "bulk.json");
  expect((await ask("/get?key=b2")).value).toBe("2");
  tools.write("keys.json", JSON.stringify(["b1", "b2"]));
  expect((await kv("bulk", "get", "keys.json")).stdout).toMatch(/"b2"/);
  await kv("bulk", "delete", "keys.json", "--force");
  expect((await ask("/get?key=b1")).value).toBeNull();
});

test("the SDK writes, reads and lists what the Worker sees", async () => {
  const { namespaces } = host.sdk().kv;
  const where = { account_id: ACCOUNT_ID, namespace_id: id };
  await namespaces.values.update("sdk/key", {
    ...where,
    value: "from the SDK",
    metadata: JSON.stringify({ s: 2 }),
  });
  expect(await ask("/get?key=sdk%2Fkey")).toMatchObject({
    value: "from the SDK",
    metadata: { s: 2 },
  });
  expect(await (await namespaces.values.get("sdk/key", where)).text()).toBe("from the SDK");
  expect(await namespaces.metadata.get("sdk/key", where)).toEqual({ s: 2 });
  const pairs = Array.from({ length: 25 }, (_, n) => ({ key: `page/${n + 10}`, value: "v" }));
  await namespaces.bulkUpdate(id, { account_id: ACCOUNT_ID, body: pairs });
  const names: string[] = [];
  const pages = namespaces.keys.list(id, { account_id: ACCOUNT_ID, prefix: "page/", limit: 10 });
  for await (const { name } of pages) names.push(name);
  expect(names).toEqual(pairs.map(({ key }) => key));
  await namespaces.bulkDelete(id, { account_id: ACCOUNT_ID, body: names });
  await expect(namespaces.values.get("page/10", where)).rejects.toThrow(/10009/);
});

test("streams, and refuses as Cloudflare does", async () => {
  expect(await ask("/large")).toBe(20 * 1024 * 1024);
  expect(await ask("/wrong")).toBe(
    "Error: KV PUT failed: 400 Invalid expiration_ttl of 30. Expiration TTL must be at least 60.",
  );
});

test("the code finds its bindings, a cache of its own, and nothing of what is behind them", async () => {
  expect(await ask("/own")).toEqual([["KV", "LIMITER", "STATS"], false]);
  expect(await ask("/cache")).toEqual([true, "logo", "HIT"]);
  expect((await ask("/cache"))[0]).toBe(false);
  expect(await ask("/limit")).toBe(true);
});

test("a data point can be asked for by SQL", async () => {
  expect(await ask("/point")).toBe("undefined");
  const sql =
    "SELECT index1, blob1, double1 FROM e2e_stats WHERE timestamp > NOW() - INTERVAL '1' HOUR";
  await expect
    .poll(async () => {
      const url = `http://127.0.0.1:${host.port}/client/v4/accounts/${ACCOUNT_ID}/analytics_engine/sql`;
      const headers = { authorization: `Bearer ${ROOT_TOKEN}` };
      return (await fetch(url, { method: "POST", headers, body: sql })).json();
    })
    .toMatchObject({ data: [{ index1: "e2e", blob1: "/point", double1: 1.5 }], rows: 1 });
});

test("a namespace in use is not deleted by mistake; by force it is, and its keys are gone at once", async () => {
  const refused = await tools.tryWrangler("kv", "namespace", "delete", "--namespace-id", id, "-y");
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/keeper \(KV\)/);
  expect((await ask("/get?key=mine")).value).toBe("from the Worker");
  const path = `A/storage/kv/namespaces/${id}`;
  expect((await host.api(`${path}?force=true`, { method: "DELETE" })).success).toBe(true);
  expect((await host.visit(worker.workersHost, "/put?key=late")).status).toBe(500);
});

test("wrangler makes the namespace that a configuration leaves open", async () => {
  const source = `export default { async fetch(request, env) { await env.AUTO.put("k", "v"); return new Response(await env.AUTO.get("k")); } };`;
  const project = new Project(
    host,
    "provisioned",
    source,
    `kv_namespaces = [{ binding = "AUTO" }]`,
  );
  await project.deploy(source, "--x-provision");
  expect((await host.visit(project.workersHost)).body).toBe("v");
});
