import { bytes, type Checks, fixedStream, outcome, outcomes, streamOf } from "../check.ts";
import { hello, keysOf, METADATA } from "../hello-object.ts";

const hex = (text: string) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const MD5_OF_HELLO = "5d41402abc4b2a76b9719d911017c592";
const SHA1_OF_HELLO = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
const SHA256_OF_HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

export const r2Put: Checks = {
  "put: the object that comes back": (scene) => hello(scene),
  "put: an object's class": async (scene) => {
    const object = await hello(scene);
    return {
      name: object.constructor.name,
      tag: String(object),
      keys: Object.keys(object),
      json: Object.keys(JSON.parse(JSON.stringify(object))),
      checksums: [object.checksums.constructor.name, JSON.stringify(object.checksums)],
      uploaded: object.uploaded instanceof Date,
      version: /^[0-9a-f]{32}$/.test(object.version),
      quoted: object.httpEtag === `"${object.etag}"`,
    };
  },
  "put: every kind of value": async ({ BUCKET, own }) => {
    const values: Record<string, unknown> = {
      string: "grüß",
      buffer: bytes(1, 2, 3).buffer,
      array: bytes(4, 5),
      part: bytes(1, 2, 3, 4).subarray(1, 3),
      view: new DataView(bytes(6, 7).buffer),
      blob: new Blob(["blob"], { type: "text/css" }),
      fixed: fixedStream("fixed"),
      body: new Response("body").body,
      request: new Request("https://x.example", { method: "POST", body: "request" }).body,
      empty: "",
      null: null,
    };
    const seen: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values))
      seen[name] = await outcome(async () => {
        const put = await BUCKET.put(own + name, value);
        const got = await BUCKET.get(own + name);
        return [put, await got.arrayBuffer()];
      });
    return seen;
  },
  "put: values that are none": ({ BUCKET, own }) =>
    outcomes({
      number: () => BUCKET.put(own, 5),
      object: () => BUCKET.put(own, { a: 1 }),
      undefined: () => BUCKET.put(own, undefined),
      list: () => BUCKET.put(own, [1]),
    }),
  "put: a stream of unknown length": ({ BUCKET, own }) =>
    outcome(() => BUCKET.put(own, streamOf("a", "b"))),
  "put: a stream shorter than it said": ({ BUCKET, own }) =>
    outcome(async () => {
      const { readable, writable } = new FixedLengthStream(10);
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode("short")).catch(() => undefined);
      void writer.close().catch(() => undefined);
      return BUCKET.put(own, readable);
    }),
  "put: all HTTP metadata": async (scene) => {
    await hello(scene, { httpMetadata: METADATA });
    return scene.BUCKET.head(scene.own);
  },
  "put: HTTP metadata from headers": async (scene) => {
    const headers = new Headers({
      "content-type": "text/x",
      "content-language": "en",
      "content-disposition": "inline",
      "content-encoding": "br",
      "cache-control": "no-store",
      expires: "Thu, 02 Jan 2031 03:04:05 GMT",
      "x-other": "left out",
    });
    await hello(scene, { httpMetadata: headers });
    return (await scene.BUCKET.head(scene.own)).httpMetadata;
  },
  "put: HTTP metadata of other types": (scene) =>
    outcomes({
      number: () => hello(scene, { httpMetadata: { contentType: 5 } }),
      expiry: () => hello(scene, { httpMetadata: { cacheExpiry: "tomorrow" } }),
      string: () => hello(scene, { httpMetadata: "text/plain" }),
      null: () => hello(scene, { httpMetadata: null }),
    }),
  "put: custom metadata": async (scene) => {
    await hello(scene, { customMetadata: { one: "1", Two: "zwei", empty: "", ü: "ü" } });
    return (await scene.BUCKET.head(scene.own)).customMetadata;
  },
  "put: custom metadata of other types": (scene) =>
    outcomes({
      number: async () => (await hello(scene, { customMetadata: { n: 5 } })).customMetadata,
      nested: async () => (await hello(scene, { customMetadata: { n: {} } })).customMetadata,
      string: () => hello(scene, { customMetadata: "x" }),
    }),
  "put: custom metadata that is too large": (scene) =>
    outcomes({
      most: () => hello(scene, { customMetadata: { k: "v".repeat(2047) } }),
      more: () => hello(scene, { customMetadata: { k: "v".repeat(9000) } }),
    }),
  "put: checksums that are right": (scene) =>
    outcomes({
      md5: () => hello(scene, { md5: MD5_OF_HELLO }),
      md5Bytes: () => hello(scene, { md5: hex(MD5_OF_HELLO).buffer }),
      md5View: () => hello(scene, { md5: hex(MD5_OF_HELLO) }),
      sha1: () => hello(scene, { sha1: SHA1_OF_HELLO }),
      sha256: () => hello(scene, { sha256: SHA256_OF_HELLO }),
    }),
  "put: checksums that are wrong": (scene) =>
    outcomes({
      md5: () => hello(scene, { md5: MD5_OF_HELLO.replace("5d", "5e") }),
      sha1: () => hello(scene, { sha1: SHA1_OF_HELLO.replace("aa", "ab") }),
      sha256: () => hello(scene, { sha256: SHA256_OF_HELLO.replace("2c", "2d") }),
    }),
  "put: checksums that are none": (scene) =>
    outcomes({
      short: () => hello(scene, { md5: "5d41" }),
      letters: () => hello(scene, { md5: "z".repeat(32) }),
      length: () => hello(scene, { sha256: new Uint8Array(5) }),
      two: () => hello(scene, { md5: MD5_OF_HELLO, sha1: SHA1_OF_HELLO }),
      number: () => hello(scene, { md5: 5 }),
    }),
  "put: checksums are kept": async (scene) => {
    await hello(scene, { sha256: SHA256_OF_HELLO });
    const { checksums } = await scene.BUCKET.head(scene.own);
    return [checksums, checksums.toJSON(), checksums.sha256.byteLength];
  },
  "put: storage classes": (scene) =>
    outcomes({
      standard: async () => (await hello(scene, { storageClass: "Standard" })).storageClass,
      infrequent: async () =>
        (await hello(scene, { storageClass: "InfrequentAccess" })).storageClass,
      wrong: () => hello(scene, { storageClass: "Glacier" }),
    }),
  "put: onlyIf on what is not there": ({ BUCKET, own }) =>
    outcomes({
      matches: () => BUCKET.put(`${own}a`, "x", { onlyIf: { etagMatches: "abc" } }),
      doesNotMatch: () => BUCKET.put(`${own}b`, "x", { onlyIf: { etagDoesNotMatch: "*" } }),
      before: () => BUCKET.put(`${own}c`, "x", { onlyIf: { uploadedBefore: new Date() } }),
    }),
  "put: onlyIf on what is there": async (scene) => {
    const { etag } = await hello(scene);
    const { BUCKET, own } = scene;
    return outcomes({
      other: () => BUCKET.put(own, "x", { onlyIf: { etagMatches: "0".repeat(32) } }),
      same: () => BUCKET.put(own, "hello", { onlyIf: { etagMatches: etag } }),
      notSame: () => BUCKET.put(own, "x", { onlyIf: { etagDoesNotMatch: etag } }),
      notAny: () => BUCKET.put(own, "x", { onlyIf: { etagDoesNotMatch: "*" } }),
      any: () => BUCKET.put(own, "hello", { onlyIf: { etagMatches: "*" } }),
      headers: () =>
        BUCKET.put(own, "x", { onlyIf: new Headers({ "if-none-match": `"${etag}"` }) }),
      after: () => BUCKET.put(own, "x", { onlyIf: { uploadedAfter: new Date(4e12) } }),
    });
  },
  "put: onlyIf that is none": (scene) =>
    outcomes({
      string: () => hello(scene, { onlyIf: "abc" }),
      number: () => hello(scene, { onlyIf: { etagMatches: 5 } }),
      quoted: () => hello(scene, { onlyIf: { etagMatches: '"abc"' } }),
      date: () => hello(scene, { onlyIf: { uploadedBefore: "yesterday" } }),
    }),
  "put: keys that are none": ({ BUCKET }) =>
    outcomes({
      longest: async () => (await BUCKET.put("k".repeat(1000), "x")).key.length,
      long: () => BUCKET.put("k".repeat(1025), "x"),
      empty: () => BUCKET.put("", "x"),
    }),
  "put: keys with odd characters": async ({ BUCKET, own }) => {
    const keys = ["a/b", "/a", "a//b", "../up", "a b", "a%20b", "a?b#c", "ü/👋", "new\nline"];
    for (const key of keys) await BUCKET.put(`${own}:${key}`, key);
    const values = [];
    for (const key of keys) values.push(await (await BUCKET.get(`${own}:${key}`)).text());
    return { values, listed: keysOf(await BUCKET.list({ prefix: `${own}:` })) };
  },
  "put: what is written last is read": async ({ BUCKET, own }) => {
    await BUCKET.put(own, "1", { customMetadata: { a: "1" } });
    await BUCKET.put(own, "22");
    return [await BUCKET.head(own), await (await BUCKET.get(own)).text()];
  },
  "writeHttpMetadata: all of it": async (scene) => {
    const object = await hello(scene, { httpMetadata: METADATA });
    const headers = new Headers({ "x-before": "1", "content-type": "old" });
    const result = object.writeHttpMetadata(headers);
    return [headers, result];
  },
  "writeHttpMetadata: none, and no headers": async (scene) => {
    const object = await hello(scene);
    const headers = new Headers();
    object.writeHttpMetadata(headers);
    return [
      headers,
      await outcomes({
        nothing: () => object.writeHttpMetadata(),
        plain: () => object.writeHttpMetadata({}),
        null: () => object.writeHttpMetadata(null),
      }),
    ];
  },
};
