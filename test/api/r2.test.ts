import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { R2_KEY_BYTES_MAX } from "../../src/domain/limits-r2.ts";
import { ACCOUNT, apiClient, type Client, deployedWorker, SCRIPTS } from "./api-fixture.ts";

const R2 = `${ACCOUNT}/r2/buckets`;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
  // The first call to the door loads the whole of the main module.
  await client.call("GET", `${R2}/${await newBucket()}/objects`);
}, 60_000);

let made = 0;
async function newBucket(): Promise<string> {
  const name = `bucket-${made++}`;
  expect(await client.call("POST", R2, { name })).toMatchObject({ status: 200, success: true });
  return name;
}

const put = (bucket: string, key: string, body: BodyInit = "x", headers = {}) =>
  client.raw("PUT", `${R2}/${bucket}/objects/${key}`, { body, headers: sized(body, headers) });
/** What every HTTP client sends, and a request that is made here has not. */
const sized = (body: BodyInit, headers: Record<string, string>) =>
  typeof body === "string" ? { "content-length": String(body.length), ...headers } : headers;

const code = (answer: {
  readonly status: number;
  readonly errors: readonly { code: number }[];
}) => [answer.status, answer.errors[0]?.code];

describe("…/r2/buckets", () => {
  it("makes, shows and deletes one", async () => {
    const created = await client.call("POST", R2, { name: "first", locationHint: "weur" });
    expect(created.result).toEqual({
      name: "first",
      creation_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      location: "WEUR",
      storage_class: "Standard",
      jurisdiction: "default",
    });
    expect((await client.call("GET", `${R2}/first`)).result).toEqual(created.result);
    expect((await client.call("DELETE", `${R2}/first`)).result).toEqual({});
    expect(code(await client.call("GET", `${R2}/first`))).toEqual([404, 10006]);
    expect(code(await client.call("DELETE", `${R2}/first`))).toEqual([404, 10006]);
  });

  it("refuses a name that is taken or that no bucket can have, with the codes that wrangler knows", async () => {
    const name = await newBucket();
    expect(code(await client.call("POST", R2, { name }))).toEqual([400, 10004]);
    for (const wrong of ["", "ab", "a".repeat(64), "Upper", "-a-", "a_b", "a.b", "../x"]) {
      expect(code(await client.call("POST", R2, { name: wrong }))).toEqual([400, 10005]);
    }
    for (const right of ["abc", "a".repeat(63), "0-0"]) {
      expect((await client.call("POST", R2, { name: right })).success).toBe(true);
    }
    expect(code(await client.call("POST", R2, { storageClass: "Standard" }))).toEqual([
      400, 130001,
    ]);
    const storageClass = "Cheap";
    expect(code(await client.call("POST", R2, { name: "abcd", storageClass }))).toEqual([
      400, 130001,
    ]);
    expect(code(await client.call("GET", `${R2}/abcd`))).toEqual([404, 10006]);
  });

  it("lists by name, in pages, either way and by a part of the name", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await client.call("POST", R2, { name });
    const list = async (query: string) => {
      const answer = await client.call("GET", `${R2}?name_contains=page-&${query}`);
      const names = answer.result.buckets.map(({ name }: { name: string }) => name.at(-1));
      return [names.join(""), answer.result_info?.["cursor"]];
    };
    expect(await list("")).toEqual(["abc", ""]);
    expect(await list("per_page=2")).toEqual(["ab", "page-b"]);
    expect(await list("per_page=2&cursor=page-b")).toEqual(["c", ""]);
    expect(await list("direction=desc&per_page=1")).toEqual(["c", "page-c"]);
    expect(await list("direction=desc&cursor=page-c")).toEqual(["ba", ""]);
    expect(await list("start_after=page-a")).toEqual(["bc", ""]);
    for (const query of ["per_page=0", "per_page=x", "order=size", "direction=up"]) {
      expect(code(await client.call("GET", `${R2}?${query}`))).toEqual([400, 130001]);
    }
  });

  it("changes the storage class of what is stored from then on", async () => {
    const name = await newBucket();
    const headers = { "cf-r2-storage-class": "InfrequentAccess" };
    const patched = await client.call("PATCH", `${R2}/${name}`, undefined, headers);
    expect(patched.result).toMatchObject({ name, storage_class: "InfrequentAccess" });
    expect(code(await client.call("PATCH", `${R2}/${name}`))).toEqual([400, 130001]);
    const wrong = { "cf-r2-storage-class": "Cheap" };
    expect(code(await client.call("PATCH", `${R2}/${name}`, undefined, wrong))).toEqual([
      400, 130001,
    ]);
  });

  it("does not delete a bucket with objects, and goes on with it", async () => {
    const name = await newBucket();
    await put(name, "a");
    expect(code(await client.call("DELETE", `${R2}/${name}`))).toEqual([400, 10008]);
    expect(code(await client.call("DELETE", `${R2}/${name}?force=true`))).toEqual([400, 10008]);
    expect((await put(name, "b")).status).toBe(200);
  });

  it("does not delete a bucket that a current deployment is bound to, unless forced", async () => {
    const name = await newBucket();
    const bindings = [{ type: "r2_bucket", name: "FILES", bucket_name: name }];
    await deployedWorker(client, "bound", { bindings });
    const refused = await client.call("DELETE", `${R2}/${name}`);
    expect(refused.errors[0]?.message).toContain("bound (FILES)");
    expect((await client.call("GET", `${R2}/${name}`)).success).toBe(true);
    expect((await client.call("DELETE", `${R2}/${name}?force=true`)).success).toBe(true);
    await client.call("DELETE", `${SCRIPTS}/bound`);
  });

  it("leaves nothing to bindings that are still held, nor to a new bucket of the name", async () => {
    const name = await newBucket();
    const row = await env.DB.prepare("SELECT ordinal FROM r2_buckets WHERE name = ?")
      .bind(name)
      .first<{ ordinal: number }>();
    const props = { bucket: String(row?.ordinal) };
    const binding = (
      exports as unknown as { R2Binding(o: object): { list(): Promise<unknown> } }
    ).R2Binding({ props });
    expect(await binding.list()).toMatchObject({ ok: true });
    await client.call("DELETE", `${R2}/${name}`);
    expect(await binding.list()).toEqual({
      ok: false,
      error: { name: "Error", message: "list: The specified bucket does not exist. (10006)" },
    });
    await client.call("POST", R2, { name });
    expect((await put(name, "a")).status).toBe(200);
    expect(await binding.list()).toMatchObject({ ok: false });
  });

  it("tells what was done in the audit", async () => {
    const name = await newBucket();
    await client.call("DELETE", `${R2}/${name}`);
    const { results } = await env.DB.prepare("SELECT action FROM audit WHERE target = ?")
      .bind(`r2_bucket:${name}`)
      .all();
    expect(results.map(({ action }) => action)).toEqual(["r2_bucket.create", "r2_bucket.delete"]);
  });

  it("says what it has not, and has none of what it says it has none of", async () => {
    const name = await newBucket();
    expect((await client.call("GET", `${R2}/${name}/lifecycle`)).result).toEqual({ rules: [] });
    expect(code(await client.call("GET", `${R2}/none/lifecycle`))).toEqual([404, 10006]);
    for (const [method, path] of [
      ["PUT", "lifecycle"],
      ["PUT", "cors"],
      ["PUT", "sippy"],
      ["POST", "domains/custom"],
    ] as const) {
      expect(code(await client.call(method, `${R2}/${name}/${path}`, {}))).toEqual([400, 130090]);
    }
    expect(code(await client.call("GET", `${ACCOUNT}/r2/metrics`))).toEqual([400, 130090]);
  });
});

describe("…/r2/buckets/:bucket/objects", () => {
  it("stores, gives, shows and deletes an object with its headers", async () => {
    const bucket = await newBucket();
    const kept = {
      "content-type": "text/html; charset=utf-8",
      "content-language": "de",
      "content-disposition": `attachment; filename="a.html"`,
      "content-encoding": "gzip",
      "cache-control": "max-age=60",
      expires: "Thu, 01 Jan 2026 00:00:00 GMT",
    };
    const stored = await put(bucket, "dir/a.html", "not really gzip", kept);
    const { result } = await stored.json<{ result: Record<string, unknown> }>();
    expect(result).toMatchObject({ key: "dir/a.html", size: "15", storage_class: "Standard" });

    const path = `${R2}/${bucket}/objects/dir/a.html`;
    const got = await client.raw("GET", path);
    expect(await got.text()).toBe("not really gzip");
    expect(Object.fromEntries(got.headers)).toMatchObject({
      ...kept,
      etag: `"${String(result["etag"])}"`,
    });
    const head = await client.raw("HEAD", path);
    expect(head.status).toBe(200);
    expect(head.headers.get("etag")).toBe(got.headers.get("etag"));
    const etag = got.headers.get("etag")!;
    expect((await client.raw("GET", path, { headers: { "if-none-match": etag } })).status).toBe(
      304,
    );

    const deleted = await client.call("DELETE", path);
    expect(deleted.result).toEqual({ key: "dir/a.html" });
    expect(code(await client.call("GET", path))).toEqual([404, 10007]);
    expect((await client.raw("HEAD", path)).status).toBe(404);
    expect((await client.call("DELETE", path)).success).toBe(true);
  });

  it("stores an empty object", async () => {
    const bucket = await newBucket();
    expect((await put(bucket, "empty", "")).status).toBe(200);
    const got = await client.raw("GET", `${R2}/${bucket}/objects/empty`);
    expect([got.status, await got.text()]).toEqual([200, ""]);
  });

  it("takes keys as they are spelled in the path", async () => {
    const bucket = await newBucket();
    const keys = [
      "ä ü",
      "100%",
      "a//b",
      "/a",
      "a?b#c",
      "objects/x",
      "👋",
      "x".repeat(R2_KEY_BYTES_MAX),
    ];
    for (const key of keys) {
      expect((await put(bucket, encodeURIComponent(key), key)).status).toBe(200);
      const got = await client.raw("GET", `${R2}/${bucket}/objects/${encodeURIComponent(key)}`);
      expect(await got.text()).toBe(key);
    }
    const listed = await client.call("GET", `${R2}/${bucket}/objects`);
    const found = listed.result.map(({ key }: { key: string }) => key) as string[];
    expect(found.toSorted()).toEqual(keys.toSorted());
    const long = `${R2}/${bucket}/objects/${"x".repeat(R2_KEY_BYTES_MAX + 1)}`;
    expect(code(await client.call("PUT", long, "x", { "content-length": "1" }))).toEqual([
      400, 10020,
    ]);
    expect(code(await client.call("GET", `${R2}/${bucket}/objects/%ff`))).toEqual([400, 130001]);
  });

  it("lists in pages and groups, with metadata", async () => {
    const bucket = await newBucket();
    await put(bucket, "a", "12", { "content-type": "text/a" });
    for (const key of ["d/1", "d/2", "e"]) await put(bucket, key);
    const path = `${R2}/${bucket}/objects`;
    const first = await client.call("GET", `${path}?delimiter=/&per_page=2`);
    expect(first.result).toEqual([
      {
        key: "a",
        etag: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        size: 2,
        last_modified: expect.stringMatching(/Z$/) as string,
        http_metadata: { contentType: "text/a" },
        custom_metadata: {},
        storage_class: "Standard",
      },
    ]);
    expect(first.result_info).toMatchObject({ is_truncated: true, delimited: ["d/"], per_page: 2 });
    const cursor = String(first.result_info?.["cursor"]);
    const rest = await client.call("GET", `${path}?delimiter=/&cursor=${cursor}`);
    expect(rest.result.map(({ key }: { key: string }) => key)).toEqual(["e"]);
    expect(rest.result_info).toMatchObject({ is_truncated: false, delimited: [], cursor: "" });
    const after = await client.call("GET", `${path}?prefix=d/&start_after=d/1`);
    expect(after.result.map(({ key }: { key: string }) => key)).toEqual(["d/2"]);
    expect(code(await client.call("GET", `${path}?cursor=none`))).toEqual([400, 10029]);
    expect(code(await client.call("GET", `${path}?per_page=-1`))).toEqual([400, 130001]);
  });

  it("refuses what has no length, no bucket or an unknown storage class", async () => {
    const bucket = await newBucket();
    const { readable, writable } = new TransformStream();
    void writable.close();
    const chunked = await client.raw("PUT", `${R2}/${bucket}/objects/a`, { body: readable });
    expect(chunked.status).toBe(411);
    expect((await put("no-such-bucket", "a")).status).toBe(404);
    expect((await put(bucket, "a", "x", { "cf-r2-storage-class": "Cheap" })).status).toBe(400);
    expect((await put(bucket, "a", "x", { "content-length": "5368709121" })).status).toBe(413);
    expect((await client.call("GET", `${R2}/${bucket}/objects`)).result).toEqual([]);
  });

  it("says so when the store does not answer", async () => {
    const lost = () => Promise.reject(new Error("Network connection lost."));
    const away = await apiClient({
      stores: { R2Store: { list: lost, delete: lost, fetch: lost } } as never,
    });
    await away.call("POST", R2, { name: "away" });
    const asked = await away.call("PUT", `${R2}/away/objects/a`, "x", { "content-length": "1" });
    expect([code(asked), asked.headers.get("retry-after")]).toEqual([[503, 130062], "1"]);
  });
});
