/**
 * The binding that deployed code gets is held to the real one: the same calls on both, and what comes back has to be
 * equal to the letter. What differs on purpose stands at the end.
 */
import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { r2Bucket } from "../../src/injected/r2.ts";

let lastBucket = 100;
const brokerOf = (bucket: string): Fetcher =>
  (exports as unknown as { R2Binding(options: object): Fetcher }).R2Binding({ props: { bucket } });
const bucketOf = (id: string): R2Bucket =>
  r2Bucket({ name: "B", type: "r2_bucket", stub: brokerOf(id) }) as R2Bucket;

const bytes = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What differs from one run to the next, or is only empty in local storage. */
const same = (text: string): string =>
  text
    .replaceAll(/"version":"[0-9a-f]{32}"/g, `"version":"…"`)
    .replaceAll(/"uploaded":"[^"]+"/g, `"uploaded":"…"`)
    .replaceAll(`"storageClass":""`, `"storageClass":"Standard"`);

async function outcome(call: () => unknown): Promise<string> {
  try {
    return same(JSON.stringify((await call()) ?? null));
  } catch (error) {
    if (!(error instanceof Error)) return `threw ${String(error)}`;
    return `threw ${error.constructor.name} ${Object.getOwnPropertyNames(error).join()}: ${error.message}`;
  }
}

/** Calls with arguments of any type, as code without types makes them. */
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any;

/** Each finds an object `a`: "hello", text/x, with one entry of custom metadata. */
const CALLS: Record<string, (bucket: R2Bucket, untyped: Untyped) => unknown> = {
  "head of an object": (b) => b.head("a"),
  "head of nothing": (b) => b.head("nothing"),
  "head with a number for a key": (_, b) => b.head(5),
  "head without a key": (_, b) => b.head(),
  "head of a symbol": (_, b) => b.head(Symbol("a")),
  "head of too long a key": (b) => b.head("x".repeat(1025)),
  "a method without its bucket": (_, { head }) => Reflect.apply(head, {}, ["a"]),

  "names, and what an object has": async (b) => {
    const object = (await b.get("a"))!;
    const { checksums } = object;
    const shown = [b, object, (await b.head("a"))!, checksums].map((value) => [
      value.constructor.name,
      Object.prototype.toString.call(value),
      Object.keys(value),
    ]);
    return [shown, object.body === object.body, Object.getOwnPropertyDescriptor(object, "key")];
  },
  "an object's times and digests": async (b) => {
    const object = (await b.head("a"))!;
    const { md5, sha1 } = object.checksums;
    return [
      object.uploaded instanceof Date,
      Math.abs(object.uploaded.getTime() - Date.now()) < 60_000,
      object.httpMetadata?.cacheExpiry instanceof Date,
      md5 instanceof ArrayBuffer && [...new Uint8Array(md5)],
      sha1,
      object.httpEtag,
    ];
  },
  "an object is not to be made": (b) => Reflect.construct(b.constructor as never, []),

  "text of an object": async (b) => (await b.get("a"))!.text(),
  "JSON of an object": async (b) => (await b.get("a"))!.json(),
  "bytes of an object": async (b) => [...(await (await b.get("a"))!.bytes())],
  "buffer of an object": async (b) => (await (await b.get("a"))!.arrayBuffer()).byteLength,
  "blob of an object": async (b) => {
    const blob = await (await b.get("a"))!.blob();
    return [blob.type, await blob.text()];
  },
  "stream of an object": async (b) => new Response((await b.get("a"))!.body).text(),
  "a body read twice": async (b) => {
    const object = (await b.get("a"))!;
    const before = object.bodyUsed;
    await object.text();
    return [before, object.bodyUsed, await outcome(() => object.json())];
  },
  "a body that somebody reads": async (b) => {
    const object = (await b.get("a"))!;
    object.body.getReader();
    return object.text();
  },
  "a body of known length": async (b) => {
    const { body } = (await b.get("a"))!;
    return b.put("copy", body);
  },
  "get of nothing": (b) => b.get("nothing"),
  "get without options, said so": async (_, b) => (await b.get("a", null)).text(),

  "a range": async (b) => {
    const object = (await b.get("a", { range: { offset: 1, length: 3 } }))!;
    return [object, await object.text()];
  },
  "the end of an object": async (b) => {
    const object = (await b.get("a", { range: { suffix: 2 } }))!;
    return [object.range, await object.text()];
  },
  "a range in a header": async (b) => {
    const object = (await b.get("a", { range: new Headers({ range: "bytes=1-2" }) }))!;
    return [object.range, await object.text()];
  },
  "a range of an object of one's own": async (_, b) => {
    class Range {
      get offset() {
        return 3;
      }
    }
    return (await b.get("a", { range: new Range() })).text();
  },
  "a negative range": (b) => b.get("a", { range: { offset: -1 } }),
  "half a byte": (b) => b.get("a", { range: { offset: 0.5 } }),
  "a range beyond the end": (b) => b.get("a", { range: { offset: 10 } }),
  "two ranges at once": (_, b) => b.get("a", { range: { offset: 0, suffix: 1 } }),
  "a range that is none": (_, b) => b.get("a", { range: "1-2" }),

  "a condition that holds": async (b) => {
    const { etag } = (await b.head("a"))!;
    const object = (await b.get("a", { onlyIf: { etagMatches: etag } }))!;
    return "body" in object && object.text();
  },
  "a condition that does not hold": async (b) => {
    const object = (await b.get("a", { onlyIf: { etagMatches: "other" } }))!;
    return [object, object.constructor.name, "body" in object];
  },
  "a condition in headers": async (b) => {
    const { httpEtag } = (await b.head("a"))!;
    const object = (await b.get("a", { onlyIf: new Headers({ "if-none-match": httpEtag }) }))!;
    return "body" in object;
  },
  "a condition on the time": async (b) => {
    const uploadedAfter = new Date(Date.now() + 60_000);
    return "body" in (await b.get("a", { onlyIf: { uploadedAfter } }))!;
  },
  "headers that are no condition": (b) =>
    b.get("a", { onlyIf: new Headers({ "if-none-match": `"open` }) }),
  "an etag in quotes": (b) => b.get("a", { onlyIf: { etagMatches: `"x"` } }),
  "an etag that is a number": (_, b) => b.get("a", { onlyIf: { etagMatches: 5 } }),
  "a condition that is none": (_, b) => b.get("a", { onlyIf: "x" }),
  "options that are none": (_, b) => b.get("a", "x"),

  "put of text": (b) => b.put("b", "schön"),
  "put of a buffer": (_, b) => b.put("b", bytes("buffer").buffer),
  "put of a part of a buffer": async (b) => {
    await b.put("b", bytes("0123456789").subarray(2, 5));
    return (await b.get("b"))!.text();
  },
  "put of a blob": (b) => b.put("b", new Blob(["blob"])),
  "put of nothing": (b) => b.put("b", null),
  "put of undefined": (_, b) => b.put("b", undefined),
  "put of a body": (b) => b.put("b", new Response("response").body),
  "put of a stream of known length": (b) => {
    const { readable, writable } = new FixedLengthStream(3);
    const writer = writable.getWriter();
    void writer.write(bytes("abc")).then(() => writer.close());
    return b.put("b", readable);
  },
  "put of a stream of unknown length": (b) => {
    const { readable, writable } = new TransformStream();
    void writable.close().catch(() => undefined);
    return b.put("b", readable);
  },
  "put of code's own stream": (b) =>
    b.put(
      "b",
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes("x"));
          controller.close();
        },
      }),
    ),
  "put of a number": (_, b) => b.put("b", 5),
  "put of an object": (_, b) => b.put("b", {}),
  "put without a value": (_, b) => b.put("b"),
  "put with options that are none": (_, b) => b.put("b", "x", "y"),
  "put with metadata": async (b) => {
    const httpMetadata = {
      contentType: "text/html",
      contentLanguage: "de",
      contentDisposition: "inline",
      contentEncoding: "identity",
      cacheControl: "no-store",
      cacheExpiry: new Date(5000),
    };
    const put = await b.put("b", "x", { httpMetadata, customMetadata: { one: "1" } });
    const headers = new Headers();
    put.writeHttpMetadata(headers);
    return [put, await b.head("b"), [...headers]];
  },
  "put with metadata in headers": (b) =>
    b.put("b", "x", {
      httpMetadata: new Headers({
        "content-type": "text/x",
        expires: "Thu, 01 Jan 1970 00:00:05 GMT",
        other: "x",
      }),
    }),
  "put with the metadata of another object": async (b) => {
    const { httpMetadata, customMetadata } = (await b.head("a"))!;
    return b.put("b", "x", { httpMetadata: httpMetadata!, customMetadata: customMetadata! });
  },
  "put with metadata that has no prototype": (b) =>
    b.put("b", "x", { customMetadata: Object.assign(Object.create(null), { one: "1" }) }),
  "put with metadata that is no text": (_, b) => b.put("b", "x", { customMetadata: { a: 5 } }),
  "put with too much metadata": (b) =>
    b.put("b", "x", { customMetadata: { key: "v".repeat(9000) } }),
  "put with HTTP metadata that is none": (_, b) => b.put("b", "x", { httpMetadata: "x" }),
  "put with other options": (_, b) => b.put("b", "x", { unknown: () => 1 }),
  "put with a digest": async (b) => {
    const sha256 = await crypto.subtle.digest("SHA-256", bytes("x"));
    return [await b.put("b", "x", { sha256 }), await b.head("b")];
  },
  "put with a wrong digest": (b) => b.put("b", "x", { md5: "00".repeat(16) }),
  "put with a digest of the wrong length": (b) => b.put("b", "x", { sha1: new Uint8Array(3) }),
  "put with a digest that is none": (b) => b.put("b", "x", { md5: "zz".repeat(16) }),
  "put with two digests": (b) =>
    b.put("b", "x", { md5: new Uint8Array(16), sha1: new Uint8Array(20) }),
  "put if it is not there": async (b) => {
    const onlyIf = { etagDoesNotMatch: "*" };
    return [await b.put("b", "1", { onlyIf }), await b.put("b", "2", { onlyIf })];
  },
  "put if it is the same": (b) => b.put("a", "x", { onlyIf: { etagMatches: "other" } }),
  "put under too long a key": (b) => b.put("x".repeat(1025), "x"),

  "delete of one": async (b) => [await b.delete("a"), await b.head("a")],
  "delete of several": async (b) => {
    await b.put("b", "");
    return [await b.delete(["a", "b", "nothing"]), await b.head("a"), await b.head("b")];
  },
  "delete of none": (b) => b.delete([]),
  "delete of nothing": (b) => b.delete("nothing"),
  "delete of a number": (_, b) => b.delete(5),
  "delete without a key": (_, b) => b.delete(),

  "a list of everything": async (b) => {
    await Promise.all(["b", "c/1", "c/2", "d"].map((key) => b.put(key, key)));
    return b.list({ include: ["httpMetadata", "customMetadata"] });
  },
  "a list with a prefix": async (b) => {
    await Promise.all(["c/1", "c/2", "d"].map((key) => b.put(key, key)));
    return (await b.list({ prefix: "c/" })).objects.map(({ key }) => key);
  },
  "a list after a key": async (b) => {
    await Promise.all(["b", "c", "d"].map((key) => b.put(key, key)));
    return (await b.list({ startAfter: "b" })).objects.map(({ key }) => key);
  },
  "a list in groups, page by page": async (b) => {
    const keys = ["c/1", "c/2", "d", "e/\u{10FFFF}", "e/x", "f", "ä/1", "ä/2", "￿", "𐀀"];
    await Promise.all(keys.map((key) => b.put(key, key)));
    const pages: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page: R2Objects = await b.list({ delimiter: "/", limit: 2, ...(cursor && { cursor }) });
      pages.push([page.objects.map(({ key }) => key), page.delimitedPrefixes, page.truncated]);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    return pages;
  },
  "a list by cursor and start": async (b) => {
    await Promise.all(["b", "c", "d", "e"].map((key) => b.put(key, key)));
    const page = await b.list({ limit: 1 });
    const { cursor } = page as { cursor: string };
    const keys = async (startAfter: string) =>
      (await b.list({ cursor, startAfter })).objects.map(({ key }) => key);
    return [await keys("c"), await keys("0")];
  },
  "what a list has": async (b) => Object.keys(await b.list()),
  "a list with metadata": async (b) => {
    const { objects } = await b.list({ include: ["httpMetadata"], limit: 1 });
    const headers = new Headers();
    objects[0]!.writeHttpMetadata(headers);
    return [...headers];
  },
  "a list of no objects": (b) => b.list({ limit: 0 }),
  "a list that is too long": (b) => b.list({ limit: 1001 }),
  "a list with a prefix that is a number": (_, b) => b.list({ prefix: 5 }),
  "a list with a prefix that is null": (_, b) => b.list({ prefix: null }),
  "a list with what there is not": (_, b) => b.list({ include: ["x"] }),
  "a list with options that are none": (_, b) => b.list("x"),

  "HTTP metadata into what are no headers": async (b) => {
    const object: Untyped = await b.head("a");
    return object.writeHttpMetadata({});
  },

  "an upload in parts": async (b) => {
    const part = new Uint8Array(5 * 1024 * 1024).fill(97);
    const upload = await b.createMultipartUpload("m", {
      httpMetadata: { contentType: "text/m" },
      customMetadata: { m: "1" },
    });
    const again = b.resumeMultipartUpload("m", upload.uploadId);
    const first = await upload.uploadPart(1, part);
    const last = await again.uploadPart(2, "the end");
    const put = await again.complete([first, last]);
    const object = (await b.get("m", { range: { suffix: 8 } }))!;
    return [put, Object.keys(first), first.partNumber, object, await object.text()];
  },
  "what an upload has": async (b) => {
    const upload = await b.createMultipartUpload("m");
    return [
      upload.constructor.name,
      Object.prototype.toString.call(upload),
      Object.keys(upload),
      upload.key,
    ];
  },
  "an upload given up": async (b) => {
    const upload = await b.createMultipartUpload("m");
    await upload.uploadPart(1, "x");
    await upload.abort();
    return [await b.head("m"), await outcome(() => upload.uploadPart(2, "x"))];
  },
  "an upload of other parts": async (b) => {
    const upload = await b.createMultipartUpload("m");
    return upload.complete([{ partNumber: 1, etag: "x" }]);
  },
  "an upload of too small parts": async (b) => {
    const upload = await b.createMultipartUpload("m");
    return upload.complete([await upload.uploadPart(1, "x"), await upload.uploadPart(2, "x")]);
  },
  "an upload that there is not": (b) => b.resumeMultipartUpload("m", "x").uploadPart(1, "x"),
  "a part of no number": async (b) =>
    (await b.createMultipartUpload("m")).uploadPart(0, new Uint8Array(1)),
  "a part of nothing": async (_, b) => (await b.createMultipartUpload("m")).uploadPart(1, null),
  "parts that are no list": async (_, b) => (await b.createMultipartUpload("m")).complete("x"),
  "an upload without an id": (_, b) => b.resumeMultipartUpload("m"),
};

describe("the binding of an R2 bucket", () => {
  let bucket: R2Bucket;
  // The first call loads the whole of the main module.
  beforeAll(() => bucketOf("1").head("a"), 60_000);
  beforeEach(() => {
    bucket = bucketOf(String(++lastBucket));
  });

  describe("does what R2 does:", () => {
    const prepare = (target: R2Bucket) =>
      target.put("a", "hello", {
        httpMetadata: { contentType: "text/x", cacheExpiry: new Date(1000) },
        customMetadata: { x: "1" },
      });

    it.each(Object.entries(CALLS))("%s", async (_, call) => {
      const real = env.BLOBS;
      const { objects } = await real.list();
      await real.delete(objects.map(({ key }) => key));
      await prepare(real);
      await prepare(bucket);
      const wanted = await outcome(() => call(real, real));
      expect(await outcome(() => call(bucket, bucket))).toBe(wanted);
    });
  });

  it("stores large values of every kind as they were", async () => {
    const large = new Uint8Array(3 * 1024 * 1024 + 7).map((_, i) => i % 251);
    const text = "ä".repeat(2 * 1024 * 1024);
    await bucket.put("bytes", large);
    await bucket.put("blob", new Blob([large]));
    await bucket.put("body", new Response(large).body);
    await bucket.put("text", text);
    for (const key of ["bytes", "blob", "body"]) {
      expect(await (await bucket.get(key))!.bytes()).toEqual(large);
    }
    expect(await (await bucket.get("text"))!.text()).toBe(text);
  });

  it("stores nothing of a stream that ends before its length", async () => {
    const { readable, writable } = new FixedLengthStream(10);
    const writer = writable.getWriter();
    const fed = writer
      .write(bytes("abc"))
      .then(() => writer.abort(new Error("the client went away")));
    await expect(bucket.put("cut", readable)).rejects.toThrow();
    await fed.catch(() => undefined);
    expect(await bucket.head("cut")).toBeNull();
  });

  it("has no metadata on objects of a list that did not ask for any, as on Cloudflare", async () => {
    await bucket.put("a", "x", { httpMetadata: { contentType: "text/x" } });
    const [object] = (await bucket.list()).objects;
    expect(object).toMatchObject({ httpMetadata: undefined, customMetadata: undefined });
    expect(() => object!.writeHttpMetadata(new Headers())).toThrow(
      "HTTP metadata unknown for key `a`. Did you forget to add 'httpMetadata' to `include` when listing?",
    );
  });

  it("refuses what it would have to do otherwise than asked", async () => {
    const ssecKey = "00".repeat(32);
    await expect(bucket.put("a", "x", { ssecKey })).rejects.toThrow(
      "put: Objects cannot be encrypted",
    );
    await expect(bucket.get("a", { ssecKey })).rejects.toThrow("get: Objects cannot be encrypted");
    await expect(bucket.put("", "x")).rejects.toThrow(
      "put: The specified object name is not valid. (10020)",
    );
    await expect(bucket.list({ cursor: "???" })).rejects.toThrow("list: The cursor is not one");
  });

  it("says that a bucket is gone", async () => {
    await expect(bucketOf("").head("a")).rejects.toThrow(
      "head: The specified bucket does not exist. (10006)",
    );
  });

  it("shows no trace of how it is made", async () => {
    await bucket.put("dir/a", "x");
    const listed = await bucket.list({ delimiter: "/", limit: 1 });
    const shown = JSON.stringify([bucket, listed, await bucket.head("dir/a")]);
    expect(shown).not.toContain(`${lastBucket.toString(36)}/`);
    expect(json(bucket)).toEqual({});
    expect(Object.keys(globalThis).filter((name) => /r2|switchback/i.test(name))).toEqual([]);
  });
});
