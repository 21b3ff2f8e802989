/** What is around bindings: variables, service bindings, rate limits, events, streams, WebSockets, ctx. */
import { env as importedEnv, waitUntil as importedWaitUntil } from "cloudflare:workers";
import {
  type Checks,
  eventually,
  fixedStream,
  type Loose,
  outcome,
  outcomes,
  streamOf,
} from "../check.ts";

/** As it is while the module starts. */
const atTopLevel = {
  env: Object.keys(importedEnv).sort(),
  kv: typeof (importedEnv as Loose).KV?.get,
  text: (importedEnv as Loose).TEXT,
  caches: typeof caches.default,
};

/** Each side makes tags, and counts its hits, in its own way. */
function withoutTag(response: Response): Response {
  const copy = new Response(response.body, response);
  copy.headers.delete("etag");
  copy.headers.delete("cf-cache-status");
  return copy;
}

const post = (body: Loose, headers: Record<string, string> = {}) => ({
  method: "POST",
  body,
  headers,
});

export const platform: Checks = {
  "env: what is in it": ({ env }) => [Object.keys(env).sort(), typeof env, env.constructor?.name],
  "env: values": ({ TEXT, LIST }) => [TEXT, LIST],
  "env: imported": ({ env }) => ({
    atTopLevel,
    same: ["KV", "DB", "BUCKET"].map((name) => (importedEnv as Loose)[name] === env[name]),
    keys: Object.keys(importedEnv).sort(),
  }),
  "env: kinds of bindings": ({ env }) =>
    Object.fromEntries(
      Object.keys(env)
        .sort()
        .map((name) => [name, env[name]?.constructor?.name]),
    ),
  "ctx: what is in it": ({ ctx }) => ({
    name: ctx.constructor.name,
    methods: ["waitUntil", "passThroughOnException", "abort"].map((name) => typeof ctx[name]),
    props: ctx.props,
    // The reference adds a class of its own.
    exports: Object.keys(ctx.exports ?? {})
      .filter((name) => !name.startsWith("__INTERNAL"))
      .sort(),
  }),
  "ctx: exports call": async ({ ctx }) => ctx.exports.Api.add(1, 2),
  "ctx: exports with props": ({ ctx }) => ctx.exports.Api({ props: { who: "me" } }).props(),
  "ctx: waitUntil goes on": async ({ ctx, KV, own }) => {
    ctx.waitUntil(scheduler.wait(30).then(() => KV.put(own, "done")));
    return eventually(() => KV.get(own));
  },
  "ctx: waitUntil by import": async ({ KV, own }) => {
    importedWaitUntil(KV.put(own, "done"));
    return eventually(() => KV.get(own));
  },
  "globals that are there": () =>
    [
      "caches",
      "crypto",
      "navigator",
      "scheduler",
      "performance",
      "WebSocketPair",
      "HTMLRewriter",
      "EventSource",
      "process",
      "Buffer",
      "setImmediate",
      "Cloudflare",
      "MessageChannel",
      "CompressionStream",
      "URLPattern",
      "addEventListener",
    ].map((name) => `${name} ${typeof (globalThis as Loose)[name]}`),
  "globals of nobody else": () =>
    Object.keys(globalThis).filter((name) => /switchback|__/i.test(name)),
  navigator: () => navigator.userAgent,
  "service: fetch": ({ SELF }) =>
    SELF.fetch("https://self.example/echo?x=1", post("body", { "x-sent": "1" })),
  "service: fetch of a stream": ({ SELF }) =>
    SELF.fetch("https://self.example/echo", post(streamOf("one ", "two "))),
  "service: fetch of a request": ({ SELF }) =>
    SELF.fetch(new Request("https://self.example/echo", { method: "PUT", body: "put" })),
  "service: a fetch that throws": ({ SELF }) =>
    outcomes({
      throws: () => SELF.fetch("https://self.example/throw"),
      path: () => SELF.fetch("/path"),
      nothing: () => SELF.fetch(),
    }),
  "service: a redirect": async ({ SELF }) => {
    const response = await SELF.fetch("https://self.example/redirect", { redirect: "manual" });
    return [response.status, response.headers.get("location")];
  },
  "service: a redirect that is followed": ({ SELF }) => SELF.fetch("https://self.example/redirect"),
  "service: empty answers": async ({ SELF }) => {
    const statuses = [];
    for (const status of [204, 205, 304, 404, 500]) {
      const response = await SELF.fetch(`https://self.example/status/${status}`);
      statuses.push([response.status, response.statusText, response.body === null]);
    }
    return statuses;
  },
  "service: cookies": async ({ SELF }) =>
    (await SELF.fetch("https://self.example/cookies")).headers.getSetCookie(),
  "service: a long answer, bit by bit": async ({ SELF }) => {
    const response = await SELF.fetch("https://self.example/slow");
    const sizes: number[] = [];
    for await (const chunk of response.body) sizes.push(chunk.length);
    return sizes;
  },
  "service: an answer that breaks off": async ({ SELF }) => {
    const response = await SELF.fetch("https://self.example/broken");
    return [response.status, await outcome(() => response.text())];
  },
  "service: a call that is aborted": ({ SELF }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    return outcome(() => SELF.fetch("https://self.example/hang", { signal: controller.signal }));
  },
  "service: a WebSocket": async ({ SELF }) => {
    const { webSocket: socket, status } = await SELF.fetch("https://self.example/socket", {
      headers: { upgrade: "websocket" },
    });
    const heard: unknown[] = [];
    socket.addEventListener("message", ({ data }: Loose) => heard.push(data));
    socket.addEventListener("close", ({ code, reason }: Loose) => heard.push([code, reason]));
    socket.accept();
    socket.send("text");
    socket.send(new Uint8Array([1, 2]));
    socket.send("close");
    await eventually(async () => heard[2] ?? null, 3_000);
    return [status, heard];
  },
  "service: a WebSocket that is refused": ({ SELF }) =>
    outcome(() => SELF.fetch("https://self.example/echo", { headers: { upgrade: "websocket" } })),
  "service: the binding itself": ({ SELF, API }) => [
    SELF.constructor.name,
    String(SELF),
    typeof SELF.fetch,
    typeof SELF.connect,
    typeof API.add,
    typeof API.then,
    Object.keys(SELF),
  ],
  "rpc: calls": ({ API }) =>
    outcomes({
      add: () => API.add(1, 2),
      echo: () => API.echo({ a: new Map([[1, new Date(0)]]) }),
      missing: () => API.nothing(),
      getter: () => API.version,
      private: () => API.ctx,
      env: () => API.env,
    }),
  "rpc: props": ({ API }) => API.props(),
  "rpc: a stream": async ({ API }) => new Response(await API.stream("streamed")).text(),
  "rpc: targets and functions": async ({ API }) => {
    using counter = await API.counter();
    return [await counter.add(1), await counter.add(1), await API.callBack((n: number) => n + 1)];
  },
  "rpc: pipelining": ({ API }) => API.counter().add(5),
  "rpc: a stub of a stub": async ({ API }) => {
    const counter = await API.counter();
    const copy = counter.dup();
    counter[Symbol.dispose]();
    return [await copy.add(1), await outcome(() => counter.add(1))];
  },
  "rpc: errors": async ({ API }) => {
    const { rejected } = (await outcome(() => API.fails())) as Loose;
    return [rejected, rejected instanceof TypeError];
  },
  "rpc: bindings cross it": async ({ API, KV, own }) => outcome(() => API.useKv(KV, own)),
  "ratelimit: itself": ({ LIMITER }) => [
    LIMITER.constructor.name,
    typeof LIMITER.limit,
    Object.keys(LIMITER),
  ],
  "ratelimit: counts by key": async ({ LIMITER, own }) => {
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push(await LIMITER.limit({ key: own }));
    return [answers, await LIMITER.limit({ key: `${own}-other` })];
  },
  "ratelimit: arguments that are none": ({ LIMITER }) =>
    outcomes({
      nothing: () => LIMITER.limit(),
      empty: () => LIMITER.limit({}),
      number: () => LIMITER.limit({ key: 5 }),
      string: () => LIMITER.limit("key"),
      null: () => LIMITER.limit({ key: null }),
      unknown: () => LIMITER.limit({ key: "k", other: 1 }),
      emptyKey: () => LIMITER.limit({ key: "" }),
    }),
  "analytics: itself": ({ EVENTS }) => [
    EVENTS.constructor.name,
    typeof EVENTS.writeDataPoint,
    Object.keys(EVENTS),
  ],
  "analytics: writeDataPoint": ({ EVENTS }) =>
    outcomes({
      point: () => EVENTS.writeDataPoint({ indexes: ["i"], blobs: ["b", null], doubles: [1, 2.5] }),
      empty: () => EVENTS.writeDataPoint({}),
      nothing: () => EVENTS.writeDataPoint(),
      bytes: () => EVENTS.writeDataPoint({ blobs: [new Uint8Array([1]).buffer] }),
      indexes: () => EVENTS.writeDataPoint({ indexes: ["a", "b"] }),
      blobs: () => EVENTS.writeDataPoint({ blobs: Array.from({ length: 21 }, () => "b") }),
      doubles: () => EVENTS.writeDataPoint({ doubles: Array.from({ length: 21 }, () => 1) }),
      word: () => EVENTS.writeDataPoint({ doubles: ["x"] }),
      string: () => EVENTS.writeDataPoint("x"),
    }),
  "assets: by the binding": ({ ASSETS }) => {
    const ask = (path: Loose, init?: Loose) => async () =>
      withoutTag(
        await ASSETS.fetch(
          path.startsWith("//") ? path.slice(1) : `https://assets.example${path}`,
          init,
        ),
      );
    return outcomes({
      file: ask("/app.css"),
      page: ask("/about"),
      index: ask("/"),
      missing: ask("/nothing.txt"),
      head: ask("/app.css", { method: "HEAD" }),
      post: ask("/app.css", { method: "POST", body: "x" }),
      request: async () =>
        withoutTag(await ASSETS.fetch(new Request("https://assets.example/docs/"))),
      range: ask("/app.css", { headers: { range: "bytes=0-3" } }),
      noHost: ask("//app.css"),
      redirect: ask("/about.html", { redirect: "manual" }),
      followed: ask("/about.html"),
    });
  },
  "assets: the binding itself": ({ ASSETS }) => [
    ASSETS.constructor.name,
    String(ASSETS),
    typeof ASSETS.fetch,
    Object.keys(ASSETS),
  ],
  "request: of this call": ({ request }) => ({
    method: request.method,
    class: request.constructor.name,
    cf: typeof request.cf,
    path: new URL(request.url).pathname,
    ip: typeof request.headers.get("cf-connecting-ip"),
    signal: request.signal.aborted,
  }),
  "streams: fixed length": ({ SELF }) =>
    SELF.fetch("https://self.example/echo", post(fixedStream("exactly"))),
  "streams: identity": async ({ SELF }) => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const answer = SELF.fetch("https://self.example/echo", post(readable));
    const written = (async () => {
      await writer.write(new TextEncoder().encode("piece "));
      await writer.write(new TextEncoder().encode("by piece"));
      await writer.close();
    })();
    const text = await (await answer).text();
    return [text, await outcome(() => written)];
  },
  "streams: compressed": async ({ SELF }) => {
    const stream = streamOf("zip me").pipeThrough(new CompressionStream("gzip"));
    const response = await SELF.fetch("https://self.example/echo", post(stream));
    return new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text();
  },
  HTMLRewriter: () =>
    new HTMLRewriter()
      .on("b", { element: (element) => void element.setInnerContent("new") })
      .transform(new Response("<p><b>old</b></p>")),
};
