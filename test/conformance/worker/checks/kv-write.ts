import {
  bytes,
  type Checks,
  fixedStream,
  type Loose,
  outcome,
  outcomes,
  streamOf,
} from "../check.ts";

const MIB = 1024 * 1024;
const keysOf = (list: Loose) => list.keys.map((key: Loose) => key.name);

export const kvWrite: Checks = {
  "put: nothing comes back": ({ KV, own }) => outcome(() => KV.put(own, "x")),
  "put: every kind of value": async ({ KV, own }) => {
    const values: Record<string, unknown> = {
      string: "s",
      buffer: bytes(1, 2, 3).buffer,
      array: bytes(4, 5),
      part: bytes(1, 2, 3, 4).subarray(1, 3),
      view: new DataView(bytes(6, 7).buffer),
      words: new Uint16Array([1, 2]),
      stream: fixedStream("streamed"),
    };
    const seen: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      seen[name] = await outcome(async () => {
        await KV.put(own + name, value);
        return KV.get(own + name, "arrayBuffer");
      });
    }
    return seen;
  },
  "put: values that are none": ({ KV, own }) =>
    outcomes({
      number: () => KV.put(own, 5),
      boolean: () => KV.put(own, true),
      object: () => KV.put(own, { a: 1 }),
      array: () => KV.put(own, ["a"]),
      null: () => KV.put(own, null),
      undefined: () => KV.put(own, undefined),
      date: () => KV.put(own, new Date(0)),
      blob: () => KV.put(own, new Blob(["b"])),
      function: () => KV.put(own, () => 1),
    }),
  "put: a stream of unknown length": async ({ KV, own }) => {
    const put = await outcome(() => KV.put(own, streamOf("one ", "two ", "three")));
    return { put, value: await KV.get(own) };
  },
  "put: a body": async ({ KV, own }) => {
    await KV.put(own, new Response("from a response").body);
    return KV.get(own);
  },
  "put: a stream that was read": async ({ KV, own }) => {
    const stream = streamOf("x");
    await new Response(stream).text();
    return outcome(() => KV.put(own, stream));
  },
  "put: a stream that fails": ({ KV, own }) =>
    outcome(() =>
      KV.put(
        own,
        new ReadableStream({
          pull(controller) {
            controller.error(new RangeError("the source broke"));
          },
        }),
      ),
    ),
  "put: keys that are none": ({ KV }) =>
    outcomes({
      empty: () => KV.put("", "x"),
      dot: () => KV.put(".", "x"),
      dots: () => KV.put("..", "x"),
      long: () => KV.put("k".repeat(513), "x"),
      longest: () => KV.put("k".repeat(512), "x"),
      longInBytes: () => KV.put("ü".repeat(257), "x"),
    }),
  "put: keys with odd characters": async ({ KV, own }) => {
    const keys = [
      "a/b",
      "a b",
      "a%20b",
      "a?b=c#d",
      "../up",
      "ü/👋",
      'quo"te',
      "new\nline",
      "\u0000",
    ];
    for (const key of keys) await KV.put(`${own}:${key}`, key);
    const values = [];
    for (const key of keys) values.push(await KV.get(`${own}:${key}`));
    return { values, listed: keysOf(await KV.list({ prefix: `${own}:` })) };
  },
  "put: expirationTtl": ({ KV, own }) =>
    outcomes({
      least: () => KV.put(own, "x", { expirationTtl: 60 }),
      tooShort: () => KV.put(own, "x", { expirationTtl: 59 }),
      zero: () => KV.put(own, "x", { expirationTtl: 0 }),
      negative: () => KV.put(own, "x", { expirationTtl: -1 }),
      part: () => KV.put(own, "x", { expirationTtl: 60.5 }),
      digits: () => KV.put(own, "x", { expirationTtl: "60" }),
      word: () => KV.put(own, "x", { expirationTtl: "soon" }),
      notANumber: () => KV.put(own, "x", { expirationTtl: Number.NaN }),
      null: () => KV.put(own, "x", { expirationTtl: null }),
    }),
  "put: expiration": ({ KV, own }) =>
    outcomes({
      past: () => KV.put(own, "x", { expiration: 1_000 }),
      zero: () => KV.put(own, "x", { expiration: 0 }),
      word: () => KV.put(own, "x", { expiration: "tomorrow" }),
      notANumber: () => KV.put(own, "x", { expiration: Number.NaN }),
      far: () => KV.put(own, "x", { expiration: 2_000_000_000 }),
    }),
  "put: an expiration that is soon": async ({ KV, own }) => {
    const soon = Math.floor(Date.now() / 1_000) + 30;
    const { rejected } = (await outcome(() => KV.put(own, "x", { expiration: soon }))) as Loose;
    return [rejected?.name, rejected?.message.replaceAll(/\d{10}/g, "<time>")];
  },
  "put: an expiration is listed": async ({ KV, own }) => {
    await KV.put(own, "x", { expiration: 2_000_000_000, metadata: { m: 1 } });
    return KV.list({ prefix: own });
  },
  "put: both expiration and expirationTtl": async ({ KV, own }) => {
    await KV.put(own, "x", { expiration: 2_000_000_000, expirationTtl: 60 });
    return (await KV.list({ prefix: own })).keys[0].expiration === 2_000_000_000;
  },
  "put: every kind of metadata": async ({ KV, own }) => {
    const seen: Record<string, unknown> = {};
    const kinds = { object: { a: 1 }, string: "s", number: 0, list: [1], false: false, null: null };
    for (const [name, metadata] of Object.entries(kinds)) {
      await KV.put(own + name, "x", { metadata });
      seen[name] = (await KV.getWithMetadata(own + name)).metadata;
    }
    return { seen, listed: (await KV.list({ prefix: own })).keys };
  },
  "put: metadata that JSON changes": async ({ KV, own }) => {
    await KV.put(own, "x", {
      metadata: { d: new Date(0), u: undefined, n: Number.NaN, m: new Map() },
    });
    return (await KV.getWithMetadata(own)).metadata;
  },
  "put: metadata that is no JSON": ({ KV, own }) => {
    const circle: Loose = {};
    circle.self = circle;
    return outcomes({
      circle: () => KV.put(own, "x", { metadata: circle }),
      bigint: () => KV.put(own, "x", { metadata: 5n }),
      function: () => KV.put(own, "x", { metadata: () => 1 }),
    });
  },
  "put: metadata as long as it may be, and longer": ({ KV, own }) =>
    outcomes({
      longest: () => KV.put(own, "x", { metadata: "m".repeat(1022) }),
      longer: () => KV.put(own, "x", { metadata: "m".repeat(1023) }),
      inBytes: () => KV.put(own, "x", { metadata: "ü".repeat(512) }),
    }),
  "put: a new value takes metadata and expiration away": async ({ KV, own }) => {
    await KV.put(own, "x", { metadata: 1, expirationTtl: 600 });
    await KV.put(own, "y");
    return [await KV.getWithMetadata(own), await KV.list({ prefix: own })];
  },
  "put: options that are none": ({ KV, own }) =>
    outcomes({
      null: () => KV.put(own, "x", null),
      string: () => KV.put(own, "x", "soon"),
      unknown: () => KV.put(own, "x", { unknown: 1 }),
    }),
  "put: the largest value": async ({ KV, own }) => {
    await KV.put(own, new Uint8Array(25 * MIB).fill(7));
    const value = new Uint8Array(await KV.get(own, "arrayBuffer"));
    await KV.delete(own);
    return [value.length, value[0], value.at(-1)];
  },
  "put: a value that is too large": ({ KV, own }) =>
    outcomes({
      bytes: () => KV.put(own, new Uint8Array(25 * MIB + 1)),
      stream: () => KV.put(own, fixedStream("x".repeat(25 * MIB + 1))),
    }),
  "put: what is written last is read": async ({ KV, own }) => {
    const seen = [];
    for (const value of ["1", "2", "3"]) {
      await KV.put(own, value);
      seen.push(await KV.get(own));
    }
    return seen;
  },
  "delete: of what is there, and what is not": async ({ KV, own }) => {
    await KV.put(own, "x");
    return {
      ...((await outcomes({ there: () => KV.delete(own), gone: () => KV.delete(own) })) as object),
      value: await KV.get(own),
    };
  },
  "delete: keys that are none": ({ KV }) =>
    outcomes({
      empty: () => KV.delete(""),
      dot: () => KV.delete("."),
      long: () => KV.delete("k".repeat(513)),
    }),
  "delete: several keys at once": async ({ KV, own }) => {
    await KV.put(`${own}a`, "1");
    const act = await outcome(() => KV.delete([`${own}a`, `${own}b`]));
    return { act, value: await KV.get(`${own}a`) };
  },
  "many at once": async ({ KV, own }) => {
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    await Promise.all(numbers.map((n) => KV.put(`${own}:${n}`, `v${n}`)));
    return Promise.all(numbers.map((n) => KV.get(`${own}:${n}`)));
  },
};
