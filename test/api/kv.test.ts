import { beforeAll, describe, expect, it } from "vitest";
import { KV_VALUE_BYTES_MAX } from "../../src/domain/limits-kv.ts";
import { ACCOUNT, apiClient, type Client } from "./api-fixture.ts";

const KV = `${ACCOUNT}/storage/kv/namespaces`;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
}, 60_000);

let made = 0;
async function newNamespace(): Promise<string> {
  const answer = await client.call("POST", KV, { title: `namespace ${made++}` });
  expect(answer).toMatchObject({ status: 200, success: true });
  return answer.result.id;
}

const code = (answer: {
  readonly status: number;
  readonly errors: readonly { code: number }[];
}) => [answer.status, answer.errors[0]?.code];

describe("…/storage/kv/namespaces", () => {
  it("makes, shows, renames and deletes one", async () => {
    const { result } = await client.call("POST", KV, { title: "first" });
    expect(result).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      title: "first",
      supports_url_encoding: true,
    });
    const path = `${KV}/${result.id}`;
    expect((await client.call("GET", path)).result).toEqual(result);
    const renamed = await client.call("PUT", path, { title: "second" });
    expect(renamed.result).toEqual({ ...result, title: "second" });
    expect((await client.call("GET", path)).result.title).toBe("second");
    expect(await client.call("DELETE", path)).toMatchObject({ status: 200, result: null });
    expect(code(await client.call("GET", path))).toEqual([404, 10013]);
    expect(code(await client.call("DELETE", path))).toEqual([404, 10013]);
  });

  it("refuses a title that is taken, with the code by which wrangler says so", async () => {
    await client.call("POST", KV, { title: "taken" });
    const id = await newNamespace();
    expect(code(await client.call("POST", KV, { title: "taken" }))).toEqual([400, 10014]);
    expect(code(await client.call("PUT", `${KV}/${id}`, { title: "taken" }))).toEqual([400, 10014]);
  });

  it("gives a deleted namespace's title free", async () => {
    const { result } = await client.call("POST", KV, { title: "again" });
    await client.call("DELETE", `${KV}/${result.id}`);
    const second = await client.call("POST", KV, { title: "again" });
    expect(second.status).toBe(200);
    expect(second.result.id).not.toBe(result.id);
  });

  it.each([
    [{}, 10019],
    [{ title: "" }, 10019],
    [{ title: 7 }, 130001],
    [{ title: "x".repeat(513) }, 130001],
    [[], 130001],
    ["{", 10026],
  ])("refuses to make %j", async (body, expected) => {
    expect(code(await client.call("POST", KV, body))).toEqual([400, expected]);
  });

  it("lists in pages that end, as the SDK and wrangler need", async () => {
    const fresh = await Promise.all([newNamespace(), newNamespace()]);
    const query = "per_page=1000&order=title&direction=asc";
    const first = await client.call("GET", `${KV}?${query}`);
    const ids = first.result.map((namespace: { id: string }) => namespace.id);
    expect(ids).toEqual(expect.arrayContaining(fresh));
    const titles = first.result.map((namespace: { title: string }) => namespace.title);
    expect(titles).toEqual(titles.toSorted());
    const second = await client.call("GET", `${KV}?${query}&page=2`);
    expect(second.result).toEqual([]);
    expect(second.result_info).toMatchObject({ page: 2, count: 0, total_count: ids.length });
    expect((await client.call("GET", `${KV}?per_page=1`)).result).toHaveLength(1);
  });

  it.each(["page=0", "per_page=x", "order=size", "direction=up", "page=-1"])(
    "refuses the list with %s",
    async (query) => {
      expect(code(await client.call("GET", `${KV}?${query}`))).toEqual([400, 130001]);
    },
  );
});

describe("…/values", () => {
  const encoder = new TextEncoder();
  const get = async (path: string) => {
    const answer = await client.raw("GET", path);
    return [answer.status, await answer.text()];
  };

  it("keeps bytes under a key, whatever the key is made of", async () => {
    const id = await newNamespace();
    for (const key of ["a/b c", "100%", "%25", "ключ", "?#&=+", "a/../b", "x".repeat(512)]) {
      const path = `${KV}/${id}/values/${encodeURIComponent(key)}`;
      expect((await client.call("PUT", path, `value of ${key}`)).success).toBe(true);
      expect(await get(path)).toEqual([200, `value of ${key}`]);
      const { result } = await client.call("GET", `${KV}/${id}/keys`);
      expect(result).toEqual([{ name: key }]);
      expect((await client.call("DELETE", path)).status).toBe(200);
      expect(code(await client.call("GET", path))).toEqual([404, 10009]);
    }
  });

  it("keeps metadata and an expiration beside it", async () => {
    const id = await newNamespace();
    const form = new FormData();
    form.set("value", "v2");
    form.set("metadata", '{"m":1}');
    const path = `${KV}/${id}/values/k2`;
    expect((await client.call("PUT", `${path}?expiration_ttl=300`, form)).success).toBe(true);
    const answer = await client.raw("GET", path);
    const expiration = Number(answer.headers.get("expiration"));
    expect(await answer.text()).toBe("v2");
    expect(expiration - Date.now() / 1000).toBeGreaterThan(290);
    expect((await client.call("GET", `${KV}/${id}/metadata/k2`)).result).toEqual({ m: 1 });
    const { result } = await client.call("GET", `${KV}/${id}/keys`);
    expect(result).toEqual([{ name: "k2", expiration, metadata: { m: 1 } }]);
    // A plain write takes both away.
    await client.call("PUT", path, "v3");
    expect((await client.call("GET", `${KV}/${id}/metadata/k2`)).result).toBeNull();
    expect((await client.raw("GET", path)).headers.get("expiration")).toBeNull();
  });

  it("takes 25 MiB and not a byte more; what was there stays", async () => {
    const id = await newNamespace();
    const path = `${KV}/${id}/values/large`;
    const put = async (bytes: number, isDeclared: boolean) => {
      const whole = new Uint8Array(bytes).fill(7);
      const body = isDeclared
        ? whole
        : new Response(whole).body!.pipeThrough(new TransformStream());
      return (await client.raw("PUT", path, { body })).json<{
        success: boolean;
        errors: { code: number }[];
      }>();
    };
    expect((await put(KV_VALUE_BYTES_MAX, true)).success).toBe(true);
    for (const isDeclared of [true, false]) {
      const refused = await put(KV_VALUE_BYTES_MAX + 1, isDeclared);
      expect(refused.success).toBe(false);
    }
    const kept = await (await client.raw("GET", path)).arrayBuffer();
    expect(kept.byteLength).toBe(KV_VALUE_BYTES_MAX);
  }, 30_000);

  it.each([
    ["k?expiration_ttl=59", "v", [400, 130061]],
    ["k?expiration_ttl=x", "v", [400, 130001]],
    ["k?expiration=1000", "v", [400, 130061]],
    ["k".repeat(513), "v", [414, 130061]],
    ["%FF", "v", [400, 130001]],
  ])("refuses to put %s", async (rest, body, expected) => {
    const id = await newNamespace();
    expect(code(await client.call("PUT", `${KV}/${id}/values/${rest}`, body))).toEqual(expected);
    expect((await client.call("GET", `${KV}/${id}/keys`)).result).toEqual([]);
  });

  it("refuses forms without a value, and metadata that is no JSON or too large", async () => {
    const id = await newNamespace();
    const put = async (fields: Record<string, string>) => {
      const form = new FormData();
      for (const [name, text] of Object.entries(fields)) form.set(name, text);
      return code(await client.call("PUT", `${KV}/${id}/values/k`, form));
    };
    expect(await put({ metadata: "{}" })).toEqual([400, 10026]);
    expect(await put({ value: "v", metadata: "{" })).toEqual([400, 10026]);
    expect(await put({ value: "v", "metadata[m]": "1" })).toEqual([400, 10026]);
    expect(await put({ value: "v", metadata: `"${"x".repeat(1023)}"` })).toEqual([413, 130061]);
    expect(await put({ value: "v", metadata: `"${"x".repeat(1022)}"` })).toEqual([200, undefined]);
  });

  it("of a namespace that is not there are not found", async () => {
    const path = `${KV}/${"0".repeat(32)}/values/k`;
    expect(code(await client.call("GET", path))).toEqual([404, 10013]);
    expect(code(await client.call("PUT", path, "v"))).toEqual([404, 10013]);
    expect(code(await client.call("DELETE", path))).toEqual([404, 10013]);
    expect(code(await client.call("GET", `${KV}/no-id/keys`))).toEqual([404, 10013]);
  });

  it("go with their namespace", async () => {
    const id = await newNamespace();
    const path = `${KV}/${id}/values/k`;
    await client.raw("PUT", path, { body: encoder.encode("secret") });
    await client.call("DELETE", `${KV}/${id}`);
    expect(code(await client.call("GET", path))).toEqual([404, 10013]);
  });
});

describe("…/bulk and …/keys", () => {
  it("writes, reads and deletes many", async () => {
    const id = await newNamespace();
    const path = `${KV}/${id}/bulk`;
    const pairs = [
      { key: "b1", value: "1", metadata: { m: 1 } },
      { key: "b2", value: "Mg==", base64: true, expiration_ttl: 600 },
      { key: "j", value: '{"a":[1]}' },
    ];
    const put = await client.call("PUT", path, pairs);
    expect(put.result).toEqual({ successful_key_count: 3, unsuccessful_keys: [] });
    const get = (body: unknown) => client.call("POST", `${path}/get`, body);
    expect((await get({ keys: ["b1", "b2", "no"] })).result).toEqual({
      values: { b1: "1", b2: "2", no: null },
    });
    expect((await get({ keys: ["j"], type: "json" })).result.values).toEqual({ j: { a: [1] } });
    expect((await get({ keys: ["b1"], withMetadata: true })).result.values).toEqual({
      b1: { value: "1", metadata: { m: 1 } },
    });
    expect(code(await get({ keys: ["j"], type: "blob" }))).toEqual([400, 130001]);
    expect(code(await get({ keys: [] }))).toEqual([400, 130001]);
    expect((await client.call("DELETE", path, ["b1", "no"])).result.successful_key_count).toBe(2);
    await client.call("POST", `${path}/delete`, ["b2"]);
    expect((await client.call("GET", `${KV}/${id}/keys`)).result).toEqual([{ name: "j" }]);
  });

  it("writes nothing of a bulk in which one is refused", async () => {
    const id = await newNamespace();
    const path = `${KV}/${id}/bulk`;
    for (const wrong of [
      { key: "", value: "v" },
      { key: "k", value: "v", expiration_ttl: 1 },
      { key: "k", value: "%%", base64: true },
      { key: "k" },
    ]) {
      const answer = await client.call("PUT", path, [{ key: "fine", value: "v" }, wrong]);
      expect(answer.status).toBe(400);
    }
    expect((await client.call("GET", `${KV}/${id}/keys`)).result).toEqual([]);
  });

  it("lists in pages with a cursor, by prefix", async () => {
    const id = await newNamespace();
    const names = Array.from({ length: 1200 }, (_, index) => `k${String(index).padStart(4, "0")}`);
    const pairs = [...names, "other"].map((key) => ({ key, value: "v" }));
    expect((await client.call("PUT", `${KV}/${id}/bulk`, pairs)).success).toBe(true);
    const listed: string[] = [];
    let cursor = "";
    do {
      const page = await client.call("GET", `${KV}/${id}/keys?prefix=k&limit=500&cursor=${cursor}`);
      listed.push(...page.result.map((key: { name: string }) => key.name));
      expect(page.result_info).toMatchObject({ count: page.result.length });
      cursor = encodeURIComponent(String(page.result_info?.["cursor"]));
    } while (cursor !== "");
    expect(listed).toEqual(names);
    expect((await client.call("GET", `${KV}/${id}/keys`)).result).toHaveLength(1000);
    for (const query of ["limit=1001", "limit=x", "cursor=%", "cursor=!!!"]) {
      expect((await client.call("GET", `${KV}/${id}/keys?${query}`)).status).toBe(400);
    }
  }, 20_000);
});
