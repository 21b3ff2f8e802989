import { bytes, type Checks, type Loose, outcomes } from "../check.ts";

const keysOf = (list: Loose) => list.keys.map((key: Loose) => key.name);

async function filled(KV: Loose, prefix: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await KV.put(`${prefix}:${String(n).padStart(3, "0")}`, `v${n}`);
}

export const kvRead: Checks = {
  "the binding itself": ({ KV }) => ({
    type: typeof KV,
    name: KV.constructor.name,
    tag: String(KV),
    keys: Object.keys(KV),
    methods: ["get", "getWithMetadata", "put", "delete", "list", "deleteBulk"].map(
      (name) => typeof KV[name],
    ),
    other: [typeof KV.fetch, typeof KV.foo, typeof KV.dup, "get" in KV, "foo" in KV],
  }),
  "the binding is no plain data": ({ KV }) =>
    outcomes({ json: () => JSON.stringify(KV), clone: () => structuredClone(KV) }),
  "methods need their binding": ({ KV }) => {
    const { get, put } = KV;
    return outcomes({ get: () => get("x"), put: () => put("x", "y") });
  },
  "no arguments": ({ KV }) =>
    outcomes({
      get: () => KV.get(),
      put: () => KV.put(),
      putKey: () => KV.put("x"),
      delete: () => KV.delete(),
      getWithMetadata: () => KV.getWithMetadata(),
    }),
  "get: a missing key": ({ KV }) =>
    outcomes({
      text: () => KV.get("missing"),
      json: () => KV.get("missing", "json"),
      arrayBuffer: () => KV.get("missing", "arrayBuffer"),
      stream: () => KV.get("missing", "stream"),
      withMetadata: () => KV.getWithMetadata("missing"),
    }),
  "get: text": async ({ KV, own }) => {
    await KV.put(own, "grüß dich 👋");
    return KV.get(own);
  },
  "get: every type": async ({ KV, own }) => {
    await KV.put(own, '{"a":[1,2,{"b":null}]}');
    return outcomes({
      text: () => KV.get(own, "text"),
      json: () => KV.get(own, "json"),
      arrayBuffer: () => KV.get(own, "arrayBuffer"),
      stream: () => KV.get(own, "stream"),
      option: () => KV.get(own, { type: "json" }),
      none: () => KV.get(own, {}),
      undefined: () => KV.get(own, undefined),
      null: () => KV.get(own, null),
    });
  },
  "get: a type that is none": async ({ KV, own }) => {
    await KV.put(own, "x");
    return outcomes({
      word: () => KV.get(own, "blob"),
      option: () => KV.get(own, { type: "blob" }),
      number: () => KV.get(own, 5),
      upper: () => KV.get(own, "JSON"),
    });
  },
  "get: JSON that is none": async ({ KV, own }) => {
    await KV.put(own, "{not json");
    return KV.get(own, "json");
  },
  "get: bytes that are no text": async ({ KV, own }) => {
    await KV.put(own, bytes(0xff, 0xfe, 0x00, 0x80));
    return outcomes({ text: () => KV.get(own), bytes: () => KV.get(own, "arrayBuffer") });
  },
  "get: an empty value": async ({ KV, own }) => {
    await KV.put(own, "");
    return outcomes({
      text: () => KV.get(own),
      arrayBuffer: () => KV.get(own, "arrayBuffer"),
      stream: () => KV.get(own, "stream"),
      json: () => KV.get(own, "json"),
    });
  },
  "get: keys that are none": ({ KV }) =>
    outcomes({
      empty: () => KV.get(""),
      dot: () => KV.get("."),
      dots: () => KV.get(".."),
      long: () => KV.get("k".repeat(513)),
      longInBytes: () => KV.get("ü".repeat(257)),
    }),
  "get: keys that are no strings": async ({ KV, own }) => {
    await KV.put(12, own);
    return outcomes({
      number: () => KV.get(12),
      string: () => KV.get("12"),
      null: () => KV.get(null),
      undefined: () => KV.get(undefined),
      object: () => KV.get({}),
      symbol: () => KV.get(Symbol("s")),
    });
  },
  "get: cacheTtl": async ({ KV, own }) => {
    await KV.put(own, "x");
    return outcomes({
      tooShort: () => KV.get(own, { cacheTtl: 10 }),
      zero: () => KV.get(own, { cacheTtl: 0 }),
      least: () => KV.get(own, { cacheTtl: 30 }),
      minute: () => KV.get(own, { cacheTtl: 60 }),
      word: () => KV.get(own, { cacheTtl: "soon" }),
      negative: () => KV.get(own, { cacheTtl: -1 }),
    });
  },
  "get: several keys": async ({ KV, own }) => {
    await KV.put(`${own}a`, "1");
    await KV.put(`${own}b`, "2");
    return KV.get([`${own}a`, `${own}missing`, `${own}b`, `${own}a`]);
  },
  "get: several keys as JSON": async ({ KV, own }) => {
    await KV.put(`${own}a`, '{"n":1}');
    return KV.get([`${own}a`, `${own}b`], "json");
  },
  "get: several keys, one of which is no JSON": async ({ KV, own }) => {
    await KV.put(`${own}a`, "{");
    return KV.get([`${own}a`], "json");
  },
  "get: several keys in types that are not for several": async ({ KV, own }) => {
    await KV.put(`${own}a`, "1");
    return outcomes({
      arrayBuffer: () => KV.get([`${own}a`], "arrayBuffer"),
      stream: () => KV.get([`${own}a`], { type: "stream" }),
    });
  },
  "get: no keys": ({ KV }) => KV.get([]),
  "get: as many keys as there may be, and one more": ({ KV }) =>
    outcomes({
      hundred: async () => (await KV.get(Array.from({ length: 100 }, (_, n) => `k${n}`))).size,
      more: () => KV.get(Array.from({ length: 101 }, (_, n) => `k${n}`)),
    }),
  "get: several keys, one of which is none": ({ KV }) =>
    outcomes({ empty: () => KV.get(["a", ""]), long: () => KV.get(["a", "k".repeat(513)]) }),
  "getWithMetadata: none was put": async ({ KV, own }) => {
    await KV.put(own, "x");
    return KV.getWithMetadata(own);
  },
  "getWithMetadata: every type": async ({ KV, own }) => {
    await KV.put(own, "[1]", { metadata: { a: 1, b: ["ü"] } });
    return outcomes({
      text: () => KV.getWithMetadata(own),
      json: () => KV.getWithMetadata(own, "json"),
      arrayBuffer: () => KV.getWithMetadata(own, "arrayBuffer"),
      stream: () => KV.getWithMetadata(own, { type: "stream" }),
      wrong: () => KV.getWithMetadata(own, "blob"),
    });
  },
  "getWithMetadata: several keys": async ({ KV, own }) => {
    await KV.put(`${own}a`, "1", { metadata: "m" });
    await KV.put(`${own}b`, "2");
    return KV.getWithMetadata([`${own}a`, `${own}b`, `${own}c`]);
  },
  "getWithMetadata: several keys as JSON": async ({ KV, own }) => {
    await KV.put(`${own}a`, "[2]", { metadata: 5 });
    return KV.getWithMetadata([`${own}a`], { type: "json" });
  },
  "getWithMetadata: the order of its fields": async ({ KV, own }) => {
    await KV.put(own, "x", { metadata: 1 });
    return Object.keys(await KV.getWithMetadata(own));
  },
  "list: the order is that of the keys' bytes": async ({ KV, own }) => {
    const letters = ["b", "a", "B", "ä", "z", "1", "10", "2", "_", "👋", "\uffee", "aa"];
    for (const letter of letters) await KV.put(`${own}:${letter}`, "x");
    return keysOf(await KV.list({ prefix: `${own}:` }));
  },
  "list: a prefix is no pattern": async ({ KV, own }) => {
    for (const key of ["a%b", "a_b", "axb", "a*b", "A%b"]) await KV.put(`${own}:${key}`, "x");
    return {
      percent: keysOf(await KV.list({ prefix: `${own}:a%` })),
      underscore: keysOf(await KV.list({ prefix: `${own}:a_` })),
      star: keysOf(await KV.list({ prefix: `${own}:a*` })),
    };
  },
  "list: nothing": ({ KV }) => KV.list({ prefix: "there is nothing like this" }),
  "list: the fields of an answer": async ({ KV, own }) => {
    await filled(KV, own, 2);
    const part = await KV.list({ prefix: own, limit: 1 });
    const whole = await KV.list({ prefix: own });
    return [Object.keys(part), Object.keys(whole), part.keys, whole];
  },
  "list: page by page": async ({ KV, own }) => {
    await filled(KV, own, 7);
    const pages: unknown[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 9; page++) {
      const list: Loose = await KV.list({ prefix: own, limit: 3, cursor });
      pages.push([keysOf(list), list.list_complete, typeof list.cursor, list.cacheStatus]);
      if (list.list_complete) break;
      cursor = list.cursor;
    }
    return pages;
  },
  "list: a page that is just full": async ({ KV, own }) => {
    await filled(KV, own, 3);
    const list = await KV.list({ prefix: own, limit: 3 });
    return [list.list_complete, typeof list.cursor];
  },
  "list: limits": ({ KV, own }) =>
    outcomes({
      most: () => KV.list({ prefix: own, limit: 1_000 }),
      more: () => KV.list({ prefix: own, limit: 1_001 }),
      zero: () => KV.list({ prefix: own, limit: 0 }),
      negative: () => KV.list({ prefix: own, limit: -1 }),
      part: () => KV.list({ prefix: own, limit: 1.5 }),
      digits: () => KV.list({ prefix: own, limit: "2" }),
      word: () => KV.list({ prefix: own, limit: "many" }),
      null: () => KV.list({ prefix: own, limit: null }),
    }),
  "list: cursors that are none": ({ KV, own }) =>
    outcomes({
      word: () => KV.list({ prefix: own, cursor: "not a cursor" }),
      empty: () => KV.list({ prefix: own, cursor: "" }),
      null: () => KV.list({ prefix: own, cursor: null }),
    }),
  "list: prefixes that are none": ({ KV }) =>
    outcomes({
      long: () => KV.list({ prefix: "p".repeat(513) }),
      number: () => KV.list({ prefix: 12345678 }),
    }),
  "list: a thousand keys a page": async ({ KV, own }) => {
    const puts = Array.from({ length: 1_001 }, (_, n) => KV.put(`${own}:${n}`, ""));
    await Promise.all(puts);
    const list = await KV.list({ prefix: `${own}:` });
    const next = await KV.list({ prefix: `${own}:`, cursor: list.cursor });
    return [list.keys.length, list.list_complete, next.keys.length, next.list_complete];
  },
  "list: keys deleted meanwhile do not stop it": async ({ KV, own }) => {
    await filled(KV, own, 4);
    const first = await KV.list({ prefix: own, limit: 2 });
    await KV.delete(`${own}:001`);
    await KV.delete(`${own}:002`);
    return keysOf(await KV.list({ prefix: own, cursor: first.cursor }));
  },
  "a stream is read bit by bit": async ({ KV, own }) => {
    await KV.put(own, "x".repeat(300_000));
    const stream: ReadableStream = await KV.get(own, "stream");
    const reader = stream.getReader();
    const first = await reader.read();
    await reader.cancel();
    return [first.done, first.value instanceof Uint8Array, (first.value?.length ?? 0) > 0];
  },
  "a stream becomes a response": async ({ KV, own }) => {
    await KV.put(own, "body");
    return new Response(await KV.get(own, "stream"), { headers: { "content-type": "text/plain" } });
  },
};
