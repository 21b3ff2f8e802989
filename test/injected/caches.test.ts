/** `caches` of loaded code, held against the runtime's own. */
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { installCaches } from "../../src/injected/caches.ts";

interface Exports {
  readonly CacheBinding: (options: { props: { workerId: string } }) => Fetcher;
}

const global = globalThis as unknown as { readonly caches: CacheStorage };
const reference = global.caches;
function cachesOf(workerId: string): CacheStorage {
  installCaches((exports as unknown as Exports).CacheBinding({ props: { workerId } }));
  const { caches } = global;
  // The store behind it is in this isolate too, and uses the runtime's.
  Object.defineProperty(globalThis, "caches", { value: reference, configurable: true });
  return caches;
}
const someWorker = () => crypto.randomUUID().replaceAll("-", "");

const ours = cachesOf(someWorker());

const URL_ = "https://shop.example/a?b=c";
const keep = { "cache-control": "max-age=60" };
const page = (text: string, headers: HeadersInit = keep, status = 200) =>
  new Response(text, { status, headers });

type Call = (storage: CacheStorage) => unknown;
async function seen(call: Call, storage: CacheStorage): Promise<unknown> {
  try {
    const value = await call(storage);
    if (!(value instanceof Response)) return value;
    const { status, statusText } = value;
    const headers = [...value.headers].filter(([name]) => !["date", "age"].includes(name));
    return { status, statusText, headers, url: value.url, text: await value.text() };
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

const CALLS: readonly (readonly [name: string, call: Call])[] = [
  ["a miss", (c) => c.default.match(URL_)],
  ["a put", (c) => c.default.put(URL_, page("one"))],
  ["a hit", (c) => c.default.match(URL_)],
  ["a hit by a request", (c) => c.default.match(new Request(URL_))],
  ["a hit by a URL object", (c) => c.default.match(new URL(URL_))],
  ["another query", (c) => c.default.match(`${URL_}&d`)],
  ["a fragment", (c) => c.default.match(`${URL_}#top`)],
  ["a POST", (c) => c.default.match(new Request(URL_, { method: "POST" }))],
  [
    "a POST whose method is ignored",
    (c) => c.default.match(new Request(URL_, { method: "POST" }), { ignoreMethod: true }),
  ],
  ["another cache", async (c) => (await c.open("other")).match(URL_)],
  ["a put there", async (c) => (await c.open("other")).put(URL_, page("other"))],
  ["a hit there", async (c) => (await c.open("other")).match(URL_)],
  ["the first is as it was", (c) => c.default.match(URL_)],
  ["a cache with an odd name", async (c) => (await c.open("a/b?c#d")).put(URL_, page("odd"))],
  ["a hit in it", async (c) => (await c.open("a/b?c#d")).match(URL_)],
  ["a replacement", (c) => c.default.put(URL_, page("two", { ...keep, etag: '"v2"', "x-a": "b" }))],
  ["a hit of it", (c) => c.default.match(URL_)],
  [
    "a condition that is met",
    (c) => c.default.match(new Request(URL_, { headers: { "if-none-match": '"v2"' } })),
  ],
  [
    "a condition that is not",
    (c) => c.default.match(new Request(URL_, { headers: { "if-none-match": '"v1"' } })),
  ],
  ["a range", (c) => c.default.match(new Request(URL_, { headers: { range: "bytes=1-2" } }))],
  ["a delete", (c) => c.default.delete(URL_)],
  ["a second delete", (c) => c.default.delete(URL_)],
  ["a delete by POST", (c) => c.default.delete(new Request(URL_, { method: "POST" }))],
  ["a miss after it", (c) => c.default.match(URL_)],
  ["a put by POST", (c) => c.default.put(new Request(URL_, { method: "POST" }), page("x"))],
  ["a put of a part", (c) => c.default.put(URL_, page("x", keep, 206))],
  ["a put of 304", (c) => c.default.put(URL_, new Response(null, { status: 304, headers: keep }))],
  ["a put that varies by all", (c) => c.default.put(URL_, page("x", { ...keep, vary: "*" }))],
  ["a put of a used body", async (c) => c.default.put(URL_, await used())],
  ["a put of no response", (c) => c.default.put(URL_, "x" as unknown as Response)],
  ["no URL", (c) => c.default.match("shop")],
  ["no URL to put", (c) => c.default.put("/path", page("x"))],
  ["a miss after all these", (c) => c.default.match(URL_)],
  [
    "a put of what must not be stored",
    (c) => c.default.put(URL_, page("x", { "cache-control": "no-store" })),
  ],
  ["a miss of it", (c) => c.default.match(URL_)],
  ["a put with a cookie", (c) => c.default.put(URL_, page("x", { ...keep, "set-cookie": "a=b" }))],
  ["a miss of that", (c) => c.default.match(URL_)],
  [
    "a put with a private cookie",
    (c) =>
      c.default.put(
        URL_,
        page("x", { "cache-control": "private=set-cookie, max-age=60", "set-cookie": "a=b" }),
      ),
  ],
  ["a put of 404", (c) => c.default.put("https://shop.example/404", page("gone", keep, 404))],
  ["a hit of 404", (c) => c.default.match("https://shop.example/404")],
  [
    "a put without a body",
    (c) => c.default.put("https://shop.example/e", new Response(null, { headers: keep })),
  ],
  ["a hit without a body", (c) => c.default.match("https://shop.example/e")],
  [
    "a put of a stream",
    (c) => c.default.put("https://shop.example/s", new Response(streamed(), { headers: keep })),
  ],
  ["a hit of the stream", async (c) => (await c.default.match("https://shop.example/s"))?.text()],
  [
    "what it is",
    (c) => [tag(c), tag(c.default), c instanceof CacheStorage, c.default instanceof Cache],
  ],
];

const tag = (value: unknown): string => Object.prototype.toString.call(value);

async function used(): Promise<Response> {
  const response = page("used");
  await response.text();
  return response;
}
function streamed(): ReadableStream {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  void (async () => {
    for (const part of ["one ", "two"]) await writer.write(new TextEncoder().encode(part));
    await writer.close();
  })();
  return readable;
}

describe("caches", { timeout: 20_000 }, () => {
  beforeAll(async () => {
    await ours.default.match("https://warm.example/");
  }, 60_000);

  it.each(CALLS)("%s: the answer is the runtime's", async (_, call) => {
    expect(await seen(call, ours)).toEqual(await seen(call, reference));
  });

  it("are a Worker's own", async () => {
    const theirs = cachesOf(someWorker());
    await ours.default.put("https://shop.example/own", page("mine"));
    expect(await theirs.default.match("https://shop.example/own")).toBeUndefined();
    expect(await theirs.default.delete("https://shop.example/own")).toBe(false);
    expect(await (await ours.default.match("https://shop.example/own"))?.text()).toBe("mine");
  });

  it("keep what is large, whole", async () => {
    const large = new Uint8Array(3 * 1024 * 1024).map((_, index) => index % 251);
    const { body } = new Response(large);
    await ours.default.put("https://shop.example/large", new Response(body, { headers: keep }));
    const found = await ours.default.match("https://shop.example/large");
    expect(new Uint8Array((await found?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(large);
  });

  it("do not store what fails on the way", async () => {
    let sent = 0;
    const failing = new ReadableStream({
      pull(controller) {
        if (sent++ < 10) controller.enqueue(new Uint8Array(100_000));
        else controller.error(new Error("upstream is gone"));
      },
    });
    const response = new Response(failing, { headers: keep });
    await ours.default.put("https://shop.example/failing", response).catch(() => undefined);
    expect(await ours.default.match("https://shop.example/failing")).toBeUndefined();
  });

  it("use up the body at once, as the runtime's do", async () => {
    const response = page("gone");
    const putting = ours.default.put("https://shop.example/body", response);
    expect(response.bodyUsed).toBe(true);
    await putting;
  });
});
