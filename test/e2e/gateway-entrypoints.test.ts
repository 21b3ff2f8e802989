import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGatewayFixture } from "./support/gateway-fixture.ts";

/** What loaded code can reach through its way out and its service bindings, in a real runtime. */
const PRIVATE = "its address is not public";

interface Fixture {
  readonly runtime: Miniflare;
  setUp(...workers: readonly object[]): Promise<Record<string, string[]>>;
  /** Answers how many questions the locks have been asked so far. */
  setLocks(locks: { leaseMs: number; answerMs: number | null }): Promise<number>;
  fetch(url: string, headers?: Record<string, string>): Promise<string>;
}

async function startFixture(egress: "public" | "open"): Promise<Fixture> {
  const runtime = await startGatewayFixture(egress);
  return {
    runtime,
    async setUp(...workers) {
      const body = JSON.stringify(workers);
      const response = await runtime.dispatchFetch("http://setup.test/", { method: "POST", body });
      return (await response.json()) as Record<string, string[]>;
    },
    async setLocks(locks) {
      const init = { method: "PUT", body: JSON.stringify(locks) };
      const response = await runtime.dispatchFetch("http://setup.test/", init);
      return ((await response.json()) as { asked: number }).asked;
    },
    fetch: async (url, headers = {}) => (await runtime.dispatchFetch(url, { headers })).text(),
  };
}

/** A Worker that answers with what `expression` gives, or with the error's message. */
const trying = (expression: string): string => `export default { async fetch(request, env, ctx) {
  try { return new Response(String(await (${expression}))); } catch (error) { return new Response("threw " + error.message); }
} };`;
const textOf = (url: string, init = "{}"): string =>
  `(async () => { const r = await fetch(${JSON.stringify(url)}, ${init}); return r.status + " " + await r.text(); })()`;
const service = (name: string, target: string, fields: object = {}) => ({
  name,
  type: "service",
  service: target,
  ...fields,
});
const WEB = "http://web.workers.example/";

let origin: http.Server;
let port: number;
const seen: (string | undefined)[] = [];
let closed: Fixture;
let open: Fixture;

beforeAll(async () => {
  origin = http
    .createServer((request, response) => {
      seen.push(request.url);
      if (request.url === "/to-control")
        response.writeHead(302, { location: "http://control.example/" });
      if (request.url === "/to-self") response.writeHead(302, { location: WEB });
      if (request.url === "/to-origin") response.writeHead(302, { location: "/landed" });
      response.end(`origin ${request.url}`);
    })
    .on("upgrade", (request, socket) => {
      const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    })
    .listen(0, "127.0.0.1");
  await new Promise((resolve) => origin.once("listening", resolve));
  port = (origin.address() as AddressInfo).port;
  [closed, open] = await Promise.all([startFixture("public"), startFixture("open")]);
});

afterAll(async () => {
  await Promise.all([closed?.runtime.dispose(), open?.runtime.dispose()]);
  origin.close();
});

describe("loaded code on the network", () => {
  it("cannot call this machine: by address, by name, or by socket", async () => {
    const before = seen.length;
    for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433"]) {
      await closed.setUp({ name: "web", sources: [trying(textOf(`http://${host}:${port}/`))] });
      expect(await closed.fetch(WEB)).toMatch(/^threw fetch to .* is refused: /);
    }
    const socket = `(async () => { const { connect } = await import("cloudflare:sockets");
      const socket = connect("127.0.0.1:${port}"); await socket.opened; return "opened"; })()`;
    await closed.setUp({ name: "web", sources: [trying(socket)] });
    expect(await closed.fetch(WEB)).toMatch(/^threw /);
    expect(seen.length).toBe(before);
  });

  it("cannot call private addresses that a public-looking name leads to", async () => {
    // No such name resolves without a network; the refusal of the runtime's network service is the same sentence.
    await closed.setUp({ name: "web", sources: [trying(textOf("http://no-such-name.example/"))] });
    expect(await closed.fetch(WEB)).toContain(PRIVATE);
  });

  it("calls private addresses when the operator has opened them, redirects followed", async () => {
    const url = `http://127.0.0.1:${port}/to-origin`;
    await open.setUp({ name: "web", sources: [trying(textOf(url))] });
    expect(await open.fetch(WEB)).toBe("200 origin /landed");
    await open.setUp({ name: "web", sources: [trying(textOf(url, `{ redirect: "manual" }`))] });
    expect(await open.fetch(WEB)).toBe("302 origin /to-origin");
  });

  it.each([
    ["/to-control", "a host of the control plane"],
    ["/to-self", "use a service binding"],
  ])("is checked again on every redirect: %s", async (path, reason) => {
    const url = `http://127.0.0.1:${port}${path}`;
    await open.setUp({ name: "web", sources: [trying(textOf(url))] });
    expect(await open.fetch(WEB)).toContain(reason);
  });

  it("can open a WebSocket", async () => {
    const url = `http://127.0.0.1:${port}/socket`;
    const expression = `(async () => { const r = await fetch(${JSON.stringify(url)}, { headers: { upgrade: "websocket" } });
      return r.status + " " + Boolean(r.webSocket); })()`;
    await open.setUp({ name: "web", sources: [trying(expression)] });
    expect(await open.fetch(WEB)).toBe("101 true");
  });

  it("has no method of the way out to call but fetch", async () => {
    const expression = `(async () => { const { exports } = await import("cloudflare:workers"); return Object.keys(exports ?? {}).join(); })()`;
    await closed.setUp({ name: "web", sources: [trying(expression)] });
    expect(await closed.fetch(WEB)).not.toContain("Egress");
  });
});

describe("a service binding", () => {
  const api = (extra = "") => `import { WorkerEntrypoint, RpcTarget } from "cloudflare:workers";
    class Shop extends RpcTarget { get open() { return "till 8"; } item(n) { return "item " + n; } }
    class Counter extends RpcTarget { n = 0; add(by) { return this.n += by; } }
    export default class extends WorkerEntrypoint {
      fetch(request) { return new Response("api " + new URL(request.url).pathname); }
      sum(a, b) { return a + b; }
      counter() { return new Counter(); }
      fail() { throw new TypeError("api failed"); }
      apply(f) { return f(20); }
      get name() { return "the api"; }
      get shop() { return new Shop(); }
    }
    export class Admin extends WorkerEntrypoint { hello() { return "admin " + this.ctx.props?.tenant; } }
    ${extra}`;
  const call = async (expression: string, binding = service("API", "api"), source = api()) => {
    await closed.setUp(
      { name: "web", sources: [trying(expression)], bindings: [binding] },
      { name: "api", sources: [source] },
    );
    return closed.fetch(WEB);
  };

  it.each([
    [`(await env.API.fetch("http://x/path")).text()`, "api /path"],
    [`env.API.sum(1, 2)`, "3"],
    [
      `(async () => { using c = await env.API.counter(); await c.add(1); return c.add(2); })()`,
      "3",
    ],
    [`env.API.counter().add(5)`, "5"],
    [`env.API.name`, "the api"],
    [`env.API.shop.open`, "till 8"],
    [`env.API.shop.item(7)`, "item 7"],
    [`(async () => (await env.API.shop).item(8))()`, "item 8"],
    [
      `env.API.noSuchProperty`,
      `threw The RPC receiver does not implement the method "noSuchProperty".`,
    ],
    [`env.API.apply((n) => n + 1)`, "21"],
    [`env.API.fail()`, "threw api failed"],
    [
      `env.API.noSuchMethod()`,
      `threw The RPC receiver does not implement the method "noSuchMethod".`,
    ],
  ])("%s gives %s", async (expression, expected) => {
    expect(await call(expression)).toBe(expected);
  });

  it("reaches a named entrypoint, with its props", async () => {
    const binding = service("API", "api", { entrypoint: "Admin", props: { tenant: "t1" } });
    expect(await call(`env.API.hello()`, binding)).toBe("admin t1");
  });

  it.each([
    [service("API", "none"), `threw Service binding "API": there is no Worker named "none".`],
    [
      service("API", "api", { entrypoint: "__switchback" }),
      `threw Service binding "API" cannot name the entrypoint "__switchback": it is reserved.`,
    ],
    [service("API", "api", { entrypoint: "No" }), "threw Worker has no such entrypoint: No"],
  ])("that leads nowhere says so: %j", async (binding, message) => {
    expect(await call(`env.API.evict()`, binding)).toBe(message);
  });

  it("says so when its target does not start", async () => {
    const text = await call(`env.API.sum(1, 2)`, undefined, `throw new Error("boom")`);
    expect(text).toMatch(/^threw Version .* could not be started: Uncaught Error: boom/);
  });

  it("says so when its target has no deployment", async () => {
    await closed.setUp(
      { name: "web", sources: [trying(`env.API.sum(1, 2)`)], bindings: [service("API", "api")] },
      { name: "api", sources: [] },
    );
    expect(await closed.fetch(WEB)).toBe(
      `threw Service binding "API": the Worker "api" has no deployment yet.`,
    );
  });

  it("obeys the override header of the request it carries", async () => {
    const answer = (text: string) => `export default { fetch: () => new Response("${text}") }`;
    const ids = await closed.setUp(
      {
        name: "web",
        sources: [`export default { fetch: (request, env) => env.API.fetch(request) }`],
        bindings: [service("API", "api")],
      },
      { name: "api", sources: [answer("v1"), answer("v2")] },
    );
    expect(await closed.fetch(WEB)).toBe("v1");
    const overrides = { "Cloudflare-Workers-Version-Overrides": `api="${ids["api"]![1]}"` };
    expect(await closed.fetch(WEB, overrides)).toBe("v2");
  });

  it("ends a loop with an error instead of taking the gateway down", async () => {
    const loop = `export default { fetch: (request, env) => env.NEXT.fetch(request) }`;
    await closed.setUp(
      { name: "web", sources: [loop], bindings: [service("NEXT", "api")] },
      { name: "api", sources: [loop], bindings: [service("NEXT", "web")] },
    );
    expect(await closed.fetch(WEB)).toContain("1101");
    await closed.setUp({ name: "web", sources: [trying(`"still here"`)] });
    expect(await closed.fetch(WEB)).toBe("still here");
  });
});

describe("questions to the locks, each within a request of the real runtime", () => {
  it("are shared by requests that come at once", async () => {
    const fixture = await startFixture("public");
    try {
      await fixture.setUp({ name: "web", sources: [trying(`"answer"`)] });
      await fixture.setLocks({ leaseMs: 60_000, answerMs: 30 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => fixture.fetch(WEB)));
      expect(answers).toEqual(answers.map(() => "answer"));
      expect(await fixture.setLocks({ leaseMs: 0, answerMs: 0 })).toBeLessThan(20);
    } finally {
      await fixture.runtime.dispose();
    }
  });

  it("hold nobody up when the visitor whose request asked has left", async () => {
    const fixture = await startFixture("public");
    try {
      await fixture.setUp({ name: "web", sources: [trying(`"answer"`)] });
      await fixture.setLocks({ leaseMs: 0, answerMs: null });
      const leaving = new AbortController();
      const left = fixture.runtime.dispatchFetch(WEB, { signal: leaving.signal });
      const waiting = Promise.all(Array.from({ length: 5 }, () => fixture.fetch(WEB)));
      await expect
        .poll(() => fixture.setLocks({ leaseMs: 0, answerMs: null }), { timeout: 10_000 })
        .toBeGreaterThan(0);
      leaving.abort();
      await expect(left).rejects.toThrow();
      await fixture.setLocks({ leaseMs: 60_000, answerMs: 0 });
      expect(await fixture.fetch(WEB)).toBe("answer");
      expect(await waiting).toEqual(Array.from({ length: 5 }, () => "answer"));
    } finally {
      await fixture.runtime.dispose();
    }
  });
});
