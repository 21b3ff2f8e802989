import { bytes, type Checks, type Loose, outcome, outcomes, streamOf } from "../check.ts";

const at = (own: string, path = "") => `https://cache.example/${own}${path}`;
const response = (body: Loose, headers: Record<string, string> = {}, status = 200) =>
  new Response(body, { status, headers: { "cache-control": "max-age=600", ...headers } });

const tagOf = (value: Loose) => String(value);

/** Puts, then matches. */
async function kept(own: string, made: Response): Promise<unknown> {
  const put = await outcome(() => caches.default.put(at(own), made));
  return { put, match: await caches.default.match(at(own)) };
}

export const cache: Checks = {
  "caches itself": async () => ({
    name: caches.constructor.name,
    tag: tagOf(caches),
    default: caches.default.constructor.name,
    tagOfDefault: tagOf(caches.default),
    methods: ["match", "put", "delete", "add", "addAll", "keys"].map(
      (name) => `${name} ${typeof (caches.default as Loose)[name]}`,
    ),
    of: ["open", "has", "delete", "keys", "match"].map(
      (name) => `${name} ${typeof (caches as Loose)[name]}`,
    ),
    open: (await caches.open("x")).constructor.name,
    same: caches.default === caches.default,
  }),
  "match: nothing there": ({ own }) => outcome(() => caches.default.match(at(own))),
  "put: what comes back, and match": ({ own }) => kept(own, response("kept", { "x-own": "1" })),
  "put: bytes": async ({ own }) => {
    await caches.default.put(at(own), response(bytes(0, 255, 1)));
    return (await caches.default.match(at(own)))?.arrayBuffer();
  },
  "put: a stream": ({ own }) => kept(own, response(streamOf("one ", "two"))),
  "put: other statuses": ({ own }) =>
    outcomes({
      notFound: () => kept(`${own}a`, response("none", {}, 404)),
      moved: () => kept(`${own}b`, response(null, { location: "https://x.example/" }, 301)),
      part: () => kept(`${own}c`, response("part", { "content-range": "bytes 0-3/10" }, 206)),
      notModified: () => kept(`${own}d`, response(null, {}, 304)),
      error: () => kept(`${own}e`, response("error", {}, 500)),
      noContent: () => kept(`${own}f`, response(null, {}, 204)),
    }),
  "put: responses that are not kept": ({ own }) =>
    outcomes({
      noStore: () => kept(`${own}a`, response("x", { "cache-control": "no-store" })),
      private: () => kept(`${own}b`, response("x", { "cache-control": "private, max-age=60" })),
      cookie: () => kept(`${own}c`, response("x", { "set-cookie": "a=b" })),
      privateCookie: () =>
        kept(
          `${own}d`,
          response("x", { "set-cookie": "a=b", "cache-control": "private=set-cookie" }),
        ),
      noHeaders: () => kept(`${own}e`, new Response("x")),
      zero: () => kept(`${own}f`, response("x", { "cache-control": "max-age=0" })),
      shared: () => kept(`${own}g`, response("x", { "cache-control": "max-age=0, s-maxage=60" })),
      expired: () =>
        kept(
          `${own}h`,
          new Response("x", { headers: { expires: "Thu, 01 Jan 1970 00:00:00 GMT" } }),
        ),
    }),
  "put: Vary": ({ own }) =>
    outcomes({
      star: () => kept(`${own}a`, response("x", { vary: "*" })),
      header: () => kept(`${own}b`, response("x", { vary: "accept" })),
    }),
  "put: other methods": ({ own }) => {
    const put = (method: string) => () =>
      caches.default.put(new Request(at(own), { method }), response("x"));
    return outcomes({
      post: put("POST"),
      head: put("HEAD"),
      delete: put("DELETE"),
      get: put("GET"),
    });
  },
  "put: arguments that are none": ({ own }) =>
    outcomes({
      nothing: () => (caches.default as Loose).put(),
      noResponse: () => (caches.default as Loose).put(at(own)),
      string: () => (caches.default as Loose).put(at(own), "x"),
      path: () => caches.default.put("/path", response("x")),
      other: () => caches.default.put("ftp://x.example/", response("x")),
      used: async () => {
        const made = response("x");
        await made.text();
        return caches.default.put(at(own), made);
      },
    }),
  "match: other methods": async ({ own }) => {
    await caches.default.put(at(own), response("x"));
    const match = (method: string, options?: Loose) => async () =>
      (await caches.default.match(new Request(at(own), { method }), options)) !== undefined;
    return outcomes({
      post: match("POST"),
      head: match("HEAD"),
      ignored: match("POST", { ignoreMethod: true }),
    });
  },
  "match: by request and by address": async ({ own }) => {
    await caches.default.put(new Request(at(own)), response("x"));
    return outcomes({
      string: async () => (await caches.default.match(at(own)))?.text(),
      url: async () => (await caches.default.match(new URL(at(own))))?.text(),
      request: async () => (await caches.default.match(new Request(at(own))))?.text(),
      query: async () => (await caches.default.match(at(own, "?a=1"))) === undefined,
      fragment: async () => (await caches.default.match(at(own, "#part")))?.text(),
      scheme: async () =>
        (await caches.default.match(at(own).replace("https", "http"))) === undefined,
    });
  },
  "match: ranges": async ({ own }) => {
    await caches.default.put(at(own), response("0123456789", { "content-length": "10" }));
    const match = (range: string) => () =>
      caches.default.match(new Request(at(own), { headers: { range } }));
    return outcomes({
      part: match("bytes=2-4"),
      open: match("bytes=7-"),
      suffix: match("bytes=-2"),
      beyond: match("bytes=20-30"),
    });
  },
  "match: conditions": async ({ own }) => {
    await caches.default.put(
      at(own),
      response("x", { etag: '"tag"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }),
    );
    const match = (headers: Record<string, string>) => async () =>
      (await caches.default.match(new Request(at(own), { headers })))?.status;
    return outcomes({
      same: match({ "if-none-match": '"tag"' }),
      other: match({ "if-none-match": '"else"' }),
      since: match({ "if-modified-since": "Fri, 02 Jan 2026 00:00:00 GMT" }),
      before: match({ "if-modified-since": "Wed, 31 Dec 2025 00:00:00 GMT" }),
    });
  },
  "match: arguments that are none": () =>
    outcomes({
      nothing: () => (caches.default as Loose).match(),
      path: () => caches.default.match("/path"),
      number: () => (caches.default as Loose).match(5),
    }),
  "delete: what is there, and what is not": async ({ own }) => {
    await caches.default.put(at(own), response("x"));
    return [
      await outcomes({
        there: () => caches.default.delete(at(own)),
        gone: () => caches.default.delete(at(own)),
        post: () => caches.default.delete(new Request(at(own), { method: "POST" })),
      }),
      await caches.default.match(at(own)),
    ];
  },
  "open: caches of other names are others": async ({ own }) => {
    const one = await caches.open("one");
    const two = await caches.open("two");
    await one.put(at(own), response("in one"));
    return [
      await (await one.match(at(own)))?.text(),
      await two.match(at(own)),
      await caches.default.match(at(own)),
      await (await (await caches.open("one")).match(at(own)))?.text(),
    ];
  },
  "open: names that are none": () =>
    outcomes({
      empty: async () => (await caches.open("")).constructor.name,
      nothing: () => (caches as Loose).open(),
      number: async () => (await (caches as Loose).open(5)).constructor.name,
    }),
  "put: replaces": async ({ own }) => {
    await caches.default.put(at(own), response("old"));
    await caches.default.put(at(own), response("new"));
    return (await caches.default.match(at(own)))?.text();
  },
  "put: a clone stays readable": async ({ own }) => {
    const made = response("both");
    await caches.default.put(at(own), made.clone());
    return [await made.text(), await (await caches.default.match(at(own)))?.text()];
  },
  "match: headers can be changed": async ({ own }) => {
    await caches.default.put(at(own), response("x"));
    const found = await caches.default.match(at(own));
    return outcomes({
      direct: () => found?.headers.set("x-new", "1"),
      copy: () => {
        const copy = new Response(found?.body, found);
        copy.headers.set("x-new", "1");
        return copy.headers.get("x-new");
      },
    });
  },
  "match: a redirect's address": async ({ own }) => {
    await caches.default.put(at(own), response("x"));
    const found = await caches.default.match(at(own));
    return [found?.url, found?.redirected, found?.ok, found?.type];
  },
};
