/** The KV binding of loaded code, held against the runtime's own: the same calls give the same answers and errors. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { kvNamespace } from "../../src/injected/kv.ts";

interface Exports {
  readonly KvBinding: (options: { props: { namespaceId: string } }) => Fetcher;
}

const id = () => crypto.randomUUID().replaceAll("-", "");
const bound = (namespaceId: string): KVNamespace => {
  const stub = (exports as unknown as Exports).KvBinding({ props: { namespaceId } });
  return kvNamespace({ name: "KV", type: "kv_namespace", stub }) as KVNamespace;
};

const reference = (env as unknown as { REFERENCE_KV: KVNamespace }).REFERENCE_KV;
const soon = Math.floor(Date.now() / 1000);

type Call = (kv: KVNamespace) => unknown;
/** What a client sees of an answer: errors by name and text, bodies by what is in them. */
async function seen(call: Call, kv: KVNamespace): Promise<unknown> {
  try {
    return await shown(await call(kv));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}
async function shown(value: unknown): Promise<unknown> {
  if (value instanceof ReadableStream) return ["stream", await new Response(value).text()];
  if (value instanceof ArrayBuffer) return ["bytes", [...new Uint8Array(value)]];
  if (value instanceof Map) {
    return ["map", await Promise.all([...value].map(async ([k, v]) => [k, await shown(v)]))];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).map(async ([k, v]) => [k, await shown(v)] as const);
  return Object.fromEntries(await Promise.all(fields));
}

const streamed = (...chunks: string[]) => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const writer = writable.getWriter();
  void (async () => {
    for (const chunk of chunks) await writer.write(new TextEncoder().encode(chunk));
    await writer.close();
  })();
  return readable;
};
const chunks = (chunk: unknown) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(chunk);
      controller.close();
    },
  });
const failing = () =>
  new ReadableStream({
    pull(controller) {
      controller.error(new RangeError("upstream is gone"));
    },
  });
const used = () => {
  const { body } = new Response("used");
  body?.getReader();
  return body!;
};
const any = <T>(value: unknown) => value as T;

const CALLS: readonly (readonly [name: string, call: Call])[] = [
  ["a text", (kv) => kv.put("text", "hällo")],
  ["reads it", (kv) => kv.get("text")],
  ["reads it as bytes", (kv) => kv.get("text", "arrayBuffer")],
  ["reads it as a stream", (kv) => kv.get("text", "stream")],
  ["reads it as what it is not", (kv) => kv.get("text", "json")],
  ["reads it as nothing known", (kv) => kv.get("text", any<"text">("blob"))],
  ["with options", (kv) => kv.get("text", { type: "text", cacheTtl: 60 })],
  ["with too short a cacheTtl", (kv) => kv.get("text", { cacheTtl: 10 })],
  ["with its metadata", (kv) => kv.getWithMetadata("text")],
  ["an empty text", (kv) => kv.put("empty", "")],
  ["reads that", (kv) => kv.get("empty")],
  ["reads that as bytes", (kv) => kv.get("empty", "arrayBuffer")],
  ["reads that as a stream", (kv) => kv.get("empty", "stream")],
  ["JSON", (kv) => kv.put("json", JSON.stringify({ a: [1, null] }))],
  ["reads JSON", (kv) => kv.get("json", "json")],
  ["reads JSON with metadata", (kv) => kv.getWithMetadata("json", { type: "json" })],
  ["a buffer", (kv) => kv.put("buffer", new Uint8Array([0, 255, 128]).buffer)],
  ["reads the buffer", (kv) => kv.get("buffer", "arrayBuffer")],
  ["reads the buffer as text", (kv) => kv.get("buffer")],
  ["part of a buffer", (kv) => kv.put("view", new Uint8Array([1, 2, 3, 4]).subarray(1, 3))],
  ["reads the part", (kv) => kv.get("view", "arrayBuffer")],
  ["a stream", (kv) => kv.put("stream", streamed("one ", "two"))],
  ["reads what was streamed", (kv) => kv.get("stream")],
  ["a response's body", (kv) => kv.put("body", any<ReadableStream>(new Response("body").body))],
  ["reads the body", (kv) => kv.get("body")],
  ["a stream of code", (kv) => kv.put("code", chunks(new Uint8Array([104, 105])))],
  ["reads the code's stream", (kv) => kv.get("code")],
  ["a stream of texts", (kv) => kv.put("code", chunks("text"))],
  ["a stream that fails", (kv) => kv.put("code", failing())],
  ["a stream that was read", (kv) => kv.put("code", used())],
  ["a byte order mark", (kv) => kv.put("bom", "\uFEFFx")],
  ["reads the mark", async (kv) => (await kv.get("bom"))?.length],
  ["metadata", (kv) => kv.put("meta", "v", { metadata: { a: [1, "ü"] }, expirationTtl: 600 })],
  ["reads metadata", (kv) => kv.getWithMetadata("meta", "text")],
  ["null as metadata", (kv) => kv.put("null-meta", "v", { metadata: null })],
  ["reads null metadata", (kv) => kv.getWithMetadata("null-meta")],
  ["0 as metadata", (kv) => kv.put("zero-meta", "v", { metadata: 0 })],
  ["reads 0", (kv) => kv.getWithMetadata("zero-meta")],
  ["metadata of 1,024 bytes", (kv) => kv.put("m", "v", { metadata: "x".repeat(1022) })],
  ["metadata of 1,025 bytes", (kv) => kv.put("m", "v", { metadata: "x".repeat(1023) })],
  ["an expiration", (kv) => kv.put("expires", "v", { expiration: soon + 1000 })],
  ["a TTL of 60 s", (kv) => kv.put("ttl", "v", { expirationTtl: 60 })],
  ["a TTL of 59 s", (kv) => kv.put("ttl", "v", { expirationTtl: 59 })],
  ["a TTL of 30 s", (kv) => kv.put("ttl", "v", { expirationTtl: 30 })],
  ["a TTL of 0 s", (kv) => kv.put("ttl", "v", { expirationTtl: 0 })],
  ["a negative TTL", (kv) => kv.put("ttl", "v", { expirationTtl: -5 })],
  ["a TTL with a fraction", (kv) => kv.put("ttl", "v", { expirationTtl: 60.9 })],
  ["a TTL as text", (kv) => kv.put("ttl", "v", { expirationTtl: any<number>("300") })],
  ["a TTL that is no number", (kv) => kv.put("ttl", "v", { expirationTtl: any<number>("x") })],
  ["an infinite TTL", (kv) => kv.put("ttl", "v", { expirationTtl: Infinity })],
  ["null as TTL", (kv) => kv.put("ttl", "v", { expirationTtl: any<number>(null) })],
  ["an expiration in the past", (kv) => kv.put("past", "v", { expiration: 1000 })],
  ["the past's key", (kv) => kv.get("past")],
  ["an empty key", (kv) => kv.get("")],
  ["an empty key to write", (kv) => kv.put("", "v")],
  ["an empty key to delete", (kv) => kv.delete("")],
  ["the key .", (kv) => kv.get(".")],
  ["the key ..", (kv) => kv.put("..", "v")],
  ["a key of 512 bytes", (kv) => kv.put("k".repeat(512), "v")],
  ["a key of 513 bytes", (kv) => kv.put("k".repeat(513), "v")],
  ["reading a key of 513 bytes", (kv) => kv.get("k".repeat(513))],
  ["deleting a key of 514 bytes", (kv) => kv.delete("ü".repeat(257))],
  ["an odd key", (kv) => kv.put("a/b?c=%20#d\u0000e", "odd")],
  ["reads the odd key", (kv) => kv.get("a/b?c=%20#d\u0000e")],
  ["a number as key", (kv) => kv.put(any<string>(7), any<string>(8))],
  ["reads the number", (kv) => kv.get("7")],
  ["null as value", (kv) => kv.put("null", any<string>(null))],
  ["reads null", (kv) => kv.get("null")],
  ["an object as value", (kv) => kv.put("object", any<string>({ a: 1 }))],
  ["a date as value", (kv) => kv.put("object", any<string>(new Date(0)))],
  ["what is not there", (kv) => kv.get("nothing")],
  ["what is not there as JSON", (kv) => kv.get("nothing", "json")],
  ["what is not there with metadata", (kv) => kv.getWithMetadata("nothing")],
  ["deletes what is not there", (kv) => kv.delete("nothing")],
  ["deletes", (kv) => kv.delete("empty")],
  ["the deleted", (kv) => kv.get("empty")],
  ["several", (kv) => kv.get(["text", "nothing", "meta"])],
  ["several as JSON", (kv) => kv.get(["json", "nothing"], "json")],
  ["several that are no JSON", (kv) => kv.get(["json", "text"], "json")],
  ["several as bytes", (kv) => kv.get(["json"], any<"text">("arrayBuffer"))],
  ["several with metadata", (kv) => kv.getWithMetadata(["text", "meta", "nothing"])],
  ["several with metadata as JSON", (kv) => kv.getWithMetadata(["json"], { type: "json" })],
  ["none", (kv) => kv.get([])],
  ["one too many", (kv) => kv.get(Array.from({ length: 101 }, (_, i) => `k${i}`))],
  ["several, one of them empty", (kv) => kv.get(["text", ""])],
  ["lists", (kv) => kv.list({ prefix: "e" })],
  ["lists with metadata", (kv) => kv.list({ prefix: "zero" })],
  ["lists nothing", (kv) => kv.list({ prefix: "nothing" })],
  ["lists with limit 0", async (kv) => (await kv.list({ limit: 0, prefix: "m" })).keys],
  ["lists with null", async (kv) => (await kv.list({ prefix: null, cursor: null })).list_complete],
  ["lists with too high a limit", (kv) => kv.list({ limit: 1001 })],
  ["lists with a negative limit", async (kv) => (await kv.list({ limit: -1 })).list_complete],
  ["a value over 25 MiB", (kv) => kv.put("large", new Uint8Array(25 * 1024 * 1024 + 1))],
];

const ours = bound(id());

describe("a KV binding", { timeout: 30_000 }, () => {
  beforeAll(async () => {
    await ours.get("warm");
  }, 60_000);

  it.each(CALLS)("%s: the answer is the runtime's", async (_, call) => {
    expect(await seen(call, ours)).toEqual(await seen(call, reference));
  });

  it("is shaped like the runtime's", () => {
    const shape = (kv: KVNamespace) => [
      kv.constructor.name,
      Object.prototype.toString.call(kv),
      Object.keys(kv),
      JSON.stringify(kv),
      ["get", "getWithMetadata", "put", "delete", "list"].map((name) => [
        name in kv,
        typeof Reflect.get(kv, name),
      ]),
    ];
    expect(shape(ours)).toEqual(shape(reference));
  });

  it("pages through keys in the order of their bytes, as the runtime's does", async () => {
    const names = ["a", "B", "ä", "z", "\u{1F600}", "\uFFFD", "a\u0000", "aa"].map(
      (n) => `page/${n}`,
    );
    const paged = async (kv: KVNamespace) => {
      for (const name of names) await kv.put(name, "v");
      const pages: string[][] = [];
      let cursor: string | undefined;
      for (;;) {
        const page = await kv.list({ prefix: "page/", limit: 3, ...(cursor && { cursor }) });
        pages.push(page.keys.map((key) => key.name));
        if (page.list_complete) return pages;
        cursor = page.cursor;
      }
    };
    expect(await paged(ours)).toEqual(await paged(reference));
  });

  it("takes and gives 25 MiB, as a whole and as a stream", async () => {
    const bytes = new Uint8Array(25 * 1024 * 1024).map((_, index) => index % 251);
    const digest = async (value: ArrayBuffer | null) =>
      value && [value.byteLength, ...new Uint8Array(await crypto.subtle.digest("SHA-256", value))];
    const wanted = await digest(bytes.buffer);
    await ours.put("large", bytes);
    expect(await digest(await ours.get("large", "arrayBuffer"))).toEqual(wanted);
    await ours.put("large", new Response(bytes).body!);
    const stream = await ours.get("large", "stream");
    expect(await digest(await new Response(stream).arrayBuffer())).toEqual(wanted);
  });

  it("reads several large values at once", async () => {
    const sizes = [1_500_000, 0, 900_000];
    for (const [n, size] of sizes.entries()) await ours.put(`many${n}`, `${n}`.repeat(size));
    const found = await ours.get(["many2", "many0", "none", "many1"]);
    expect([...found].map(([key, value]) => [key, value?.length, value?.at(-1)])).toEqual([
      ["many2", 900_000, "2"],
      ["many0", 1_500_000, "0"],
      ["none", undefined, undefined],
      ["many1", 0, undefined],
    ]);
  });

  it("refuses a stream that turns out to be too long, and keeps the old value", async () => {
    await ours.put("kept", "old");
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const endless = new ReadableStream({
      type: "bytes",
      pull: (controller) => controller.enqueue((sent++, chunk.slice())),
    });
    await expect(ours.put("kept", endless)).rejects.toThrow(/^KV PUT failed: 413 Value length of /);
    expect(sent).toBeLessThan(40);
    expect(await ours.get("kept")).toBe("old");
  });

  it("keeps the old value when the stream fails", async () => {
    await ours.put("kept", "old");
    let sent = 0;
    const failing = new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (sent++ > 3) controller.error(new Error("upstream is gone"));
        else controller.enqueue(new Uint8Array(700_000));
      },
    });
    await expect(ours.put("kept", failing)).rejects.toThrow();
    expect(await ours.get("kept")).toBe("old");
  });

  it("reads to the end what is replaced meanwhile", async () => {
    await ours.put("moving", "a".repeat(3 * 1024 * 1024));
    const stream = await ours.get("moving", "stream");
    await ours.put("moving", "b");
    const text = await new Response(stream).text();
    expect(text).toBe("a".repeat(3 * 1024 * 1024));
    expect(await ours.get("moving")).toBe("b");
  });

  it("sees its own namespace alone", async () => {
    const other = bound(id());
    await ours.put("mine", "1");
    expect(await other.get("mine")).toBeNull();
    expect((await other.list()).keys).toEqual([]);
  });

  it("of a namespace that is gone finds nothing and makes nothing", async () => {
    const gone = bound("");
    await expect(gone.get("k")).rejects.toThrow("KV GET failed: 404 namespace not found");
    await expect(gone.put("k", "v")).rejects.toThrow("KV PUT failed: 404 namespace not found");
  });
});
