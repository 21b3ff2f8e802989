import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { VersionId } from "../../src/domain/ids.ts";
import {
  GATEWAY_RETRY_AFTER_SECONDS,
  PREVIEW_ASKS_UNDER_WAY_MAX,
  PREVIEW_REQUESTS_WAITING_MAX,
  STALE_MS_DEFAULT,
} from "../../src/domain/limits.ts";
import { answering, fakeSwitchback, textModule } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
const html = { headers: { accept: "text/html" } };

/** One Worker `web` with one version, deployed. */
function oneVersion(source: string, options = {}) {
  const switchback = fakeSwitchback(options);
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, source);
  const deploymentId = switchback.deploy(workerId, [versionId, 100]);
  return { ...switchback, workerId, versionId, deploymentId };
}

/** Two versions of `web`, `"v1"` and `"v2"`. */
function twoVersions(shares: readonly [number, number], options = {}) {
  const switchback = fakeSwitchback(options);
  const workerId = switchback.worker("web");
  const v1 = switchback.version(workerId, answering(`"v1"`));
  const v2 = switchback.version(workerId, answering(`"v2"`));
  switchback.deploy(workerId, [v1, shares[0]], [v2, shares[1]]);
  return { ...switchback, workerId, v1, v2 };
}

describe("an answer", () => {
  it("is the current deployment's, and says which version and deployment it came from", async () => {
    const { fetch, versionId, deploymentId } = oneVersion(answering(`"hello"`));
    const response = await fetch(HOST);
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("x-switchback-version")).toBe(versionId);
    expect(response.headers.get("x-switchback-deployment")).toBe(deploymentId);
    expect(response.headers.get("x-switchback-sequence")).toBe("1");
    expect(response.headers.has("x-switchback-override")).toBe(false);
    expect(response.headers.has("x-switchback-stale")).toBe(false);
  });

  it("does not say so when that is switched off", async () => {
    const { fetch } = oneVersion(
      `export default { fetch: () => new Response("hello", { headers: { "x-switchback-version": "mine", a: "b" } }) }`,
      { identifyVersions: false },
    );
    const response = await fetch(HOST);
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("a")).toBe("b");
    expect([...response.headers.keys()].filter((name) => name.startsWith("x-sw"))).toEqual([]);
  });

  it("is the next deployment's as soon as the control plane has it", async () => {
    const switchback = twoVersions([100, 0]);
    expect(await (await switchback.fetch(HOST)).text()).toBe("v1");
    switchback.deploy(switchback.workerId, [switchback.v2, 100]);
    expect(await (await switchback.fetch(HOST)).text()).toBe("v2");
    switchback.deploy(switchback.workerId, [switchback.v1, 100]);
    expect(await (await switchback.fetch(HOST)).text()).toBe("v1");
  });

  it("keeps status, headers and repeated cookies, and never looks like an error of the platform", async () => {
    const { fetch } = oneVersion(`export default { fetch() {
      const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-switchback-error", "fake"],
        ["x-switchback-override", "applied"], ["x-switchback-stale", "9"], ["x-switchback-sequence", "9"],
        ["x-own", "kept"]]);
      return new Response("teapot", { status: 418, statusText: "Teapot", headers });
    } }`);
    const response = await fetch(HOST);
    expect([response.status, response.statusText]).toEqual([418, "Teapot"]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-own")).toBe("kept");
    expect(response.headers.has("x-switchback-error")).toBe(false);
    expect(response.headers.has("x-switchback-override")).toBe(false);
    expect(response.headers.has("x-switchback-stale")).toBe(false);
    expect(response.headers.get("x-switchback-sequence")).toBe("1");
  });

  it("has no body when it has none", async () => {
    const { fetch } = oneVersion(
      `export default { fetch: (r) => r.method === "HEAD" ? new Response("x") : new Response(null, { status: 204 }) }`,
    );
    const response = await fetch(HOST);
    expect([response.status, response.body]).toEqual([204, null]);
    expect((await fetch(HOST, { method: "HEAD" })).status).toBe(200);
  });
});

describe("a request", () => {
  it("reaches the Worker with its URL, method, headers and body", async () => {
    const { fetch } = oneVersion(
      answering(
        `JSON.stringify([request.method, request.url, request.headers.get("a"), await request.text()])`,
      ),
    );
    const response = await fetch(`${HOST}p?q=%2e`, {
      method: "PUT",
      body: "body",
      headers: { a: "b" },
    });
    expect(await response.json()).toEqual(["PUT", `${HOST}p?q=%2e`, "b", "body"]);
  });

  it("is streamed in and out: the first chunk is answered before the second is sent", async () => {
    const { fetch } = oneVersion(
      `export default { fetch: (request) => new Response(request.body.pipeThrough(new TransformStream())) }`,
    );
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const answer = fetch(HOST, { method: "POST", body: readable });
    const first = writer.write(new TextEncoder().encode("one"));
    const reader = (await answer).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("one");
    await first;
    const second = writer.write(new TextEncoder().encode("two"));
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("two");
    await second;
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  it("can become a WebSocket", async () => {
    const { fetch, versionId } = oneVersion(`export default { fetch() {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", (event) => server.send("echo " + event.data));
      return new Response(null, { status: 101, webSocket: client });
    } }`);
    const response = await fetch(HOST, { headers: { upgrade: "websocket" } });
    expect(response.status).toBe(101);
    expect(response.headers.get("x-switchback-version")).toBe(versionId);
    const socket = response.webSocket!;
    socket.accept();
    const message = new Promise((resolve) =>
      socket.addEventListener("message", (event) => resolve(event.data)),
    );
    socket.send("hi");
    expect(await message).toBe("echo hi");
    socket.close();
  });
});

describe("a split", () => {
  it("gives each version about its share, by chance", async () => {
    const points = [0, 0.24, 0.25, 0.99];
    const { fetch } = twoVersions([75, 25], { random: () => points.shift()! });
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await (await fetch(HOST)).text());
    expect(answers).toEqual(["v2", "v2", "v1", "v1"]);
  });

  it("gives one key always the same version", async () => {
    const { fetch } = twoVersions([50, 50]);
    const answers = new Map<string, Set<string>>();
    for (let n = 0; n < 60; n++) {
      const key = `user-${n % 12}`;
      const response = await fetch(HOST, { headers: { "Cloudflare-Workers-Version-Key": key } });
      answers.set(key, (answers.get(key) ?? new Set()).add(await response.text()));
    }
    expect([...answers.values()].every((seen) => seen.size === 1)).toBe(true);
    expect(new Set([...answers.values()].flatMap((seen) => [...seen]))).toEqual(
      new Set(["v1", "v2"]),
    );
  });
});

describe("a version override", () => {
  const send = (versionId: string, name = "web") => ({
    headers: { "Cloudflare-Workers-Version-Overrides": `${name}="${versionId}"` },
  });
  const outcome = async (response: Response) => [
    await response.text(),
    response.headers.get("x-switchback-override"),
  ];

  it("reaches a version at 0 % and says that it was applied", async () => {
    const { fetch, v2 } = twoVersions([100, 0]);
    expect(await outcome(await fetch(HOST, send(v2)))).toEqual(["v2", "applied"]);
  });

  it("wins over the key", async () => {
    const { fetch, v1, v2 } = twoVersions([50, 50]);
    for (const [versionId, text] of [
      [v1, "v1"],
      [v2, "v2"],
    ] as const) {
      const init = {
        headers: { ...send(versionId).headers, "Cloudflare-Workers-Version-Key": "k" },
      };
      expect(await (await fetch(HOST, init)).text()).toBe(text);
    }
  });

  it.each([
    ["public-nonzero", "ignored; reason=no_share"],
    ["off", "ignored; reason=off"],
  ] as const)("under the policy %s does not", async (overridePolicy, said) => {
    const { fetch, v2 } = twoVersions([100, 0], { overridePolicy });
    expect(await outcome(await fetch(HOST, send(v2)))).toEqual(["v1", said]);
  });

  it("outside the deployment is ignored, and says so; for another Worker it says nothing", async () => {
    const { fetch, v2, deploy, workerId, v1 } = twoVersions([100, 0]);
    expect(await outcome(await fetch(HOST, send(v2, "other")))).toEqual(["v1", null]);
    deploy(workerId, [v1, 100]);
    expect(await outcome(await fetch(HOST, send(v2)))).toEqual([
      "v1",
      "ignored; reason=not_in_deployment",
    ]);
  });
});

describe("a preview host", () => {
  it("runs the version it names, deployed or not", async () => {
    const { fetch, previews, workerId, v1 } = twoVersions([0, 100]);
    previews.set(`staging-${workerId}`, v1);
    const response = await fetch("http://staging-web.workers.example/");
    expect(await response.text()).toBe("v1");
    expect(response.headers.get("x-switchback-version")).toBe(v1);
    expect(response.headers.has("x-switchback-deployment")).toBe(false);
    expect(await (await fetch(HOST)).text()).toBe("v2");
  });

  it("that comes when too many are asked for is told to come back, and the Worker's own host is served", async () => {
    const { fetch, controlPlane } = twoVersions([0, 100]);
    controlPlane.previewVersion = () => new Promise(() => {});
    const places = PREVIEW_ASKS_UNDER_WAY_MAX + PREVIEW_REQUESTS_WAITING_MAX;
    const labels = Array.from({ length: places + 1 }, (_, at) => `l${at}`);
    const visits = labels.map((label) => fetch(`http://${label}-web.workers.example/`));
    const response = await Promise.race(visits);
    expect(response.status).toBe(503);
    expect(response.headers.get("x-switchback-error")).toBe("control_plane_unavailable");
    expect(response.headers.get("retry-after")).toBe(String(GATEWAY_RETRY_AFTER_SECONDS));
    expect(await (await fetch(HOST)).text()).toBe("v2");
  });
});

describe("a gateway with leases", () => {
  const LEASE_MS = 1_000;

  /** One Worker with two versions, the first deployed and warm, and a clock that stands still. */
  async function warm() {
    const clock = { now: 1_000_000 };
    const loads: string[] = [];
    const loader: WorkerLoader = {
      load: (code) => env.LOADER.load(code),
      get: (id, getCode) =>
        env.LOADER.get(id, () => {
          loads.push(id!);
          return getCode();
        }),
    };
    const switchback = twoVersions([100, 0], { now: () => clock.now, loader });
    switchback.setLeases(LEASE_MS);
    await switchback.fetch(HOST);
    return { ...switchback, clock, loads };
  }

  it("answers from memory, with no call to the control plane at all", async () => {
    const { fetch, asked, clock } = await warm();
    const before = { ...asked };
    clock.now += LEASE_MS / 2;
    for (let n = 0; n < 5; n++) expect(await (await fetch(HOST)).text()).toBe("v1");
    expect(asked).toEqual(before);
  });

  it("serves what is deployed next once its lease is over, not before", async () => {
    const { fetch, deploy, workerId, v2, clock } = await warm();
    deploy(workerId, [v2, 100]);
    clock.now += LEASE_MS / 2;
    expect(await (await fetch(HOST)).text()).toBe("v1");
    clock.now += LEASE_MS / 2;
    const response = await fetch(HOST);
    expect(await response.text()).toBe("v2");
    expect(response.headers.get("x-switchback-sequence")).toBe("2");
  });

  it("loads ahead what may become visible next, once: the first request to it does not wait for a load", async () => {
    const { fetch, announce, deploy, workerId, v2, clock, settled, loads, asked } = await warm();
    announce(workerId, v2);
    for (let n = 0; n < 3; n++) {
      clock.now += LEASE_MS;
      expect(await (await fetch(HOST)).text()).toBe("v1");
      await settled();
    }
    const of = (versionId: VersionId) => loads.filter((id) => id.includes(versionId)).length;
    expect(of(v2)).toBe(1);
    const { versions } = asked;
    deploy(workerId, [v2, 100]);
    clock.now += LEASE_MS;
    expect(await (await fetch(HOST)).text()).toBe("v2");
    expect([of(v2), asked.versions]).toEqual([1, versions]);
  });

  it("goes on when a version that may become visible next does not start", async () => {
    const { fetch, announce, version, workerId, clock, settled } = await warm();
    announce(workerId, version(workerId, `throw new Error("boom")`));
    clock.now += LEASE_MS;
    await fetch(HOST);
    await settled();
    expect(await (await fetch(HOST)).text()).toBe("v1");
  });

  it("is served by the ledger, as current, when the locks are out of reach", async () => {
    const { fetch, cut, clock, deploy, workerId, v2 } = await warm();
    cut("lock");
    deploy(workerId, [v2, 100]);
    clock.now += LEASE_MS;
    const response = await fetch(HOST);
    expect(await response.text()).toBe("v2");
    expect(response.headers.has("x-switchback-stale")).toBe(false);
  });

  it("when nothing can be reached serves the last it knew, says how old that is in seconds, and stops in time", async () => {
    const { fetch, cut, clock } = await warm();
    const { restore } = cut("lock", "ledger");
    clock.now += LEASE_MS;
    const early = await fetch(HOST);
    expect([await early.text(), early.headers.get("x-switchback-stale")]).toEqual(["v1", "1"]);
    clock.now += STALE_MS_DEFAULT - LEASE_MS;
    const late = await fetch(HOST);
    expect([late.status, late.headers.get("x-switchback-stale")]).toEqual([
      200,
      String(STALE_MS_DEFAULT / 1000),
    ]);
    clock.now++;
    expect((await fetch(HOST)).status).toBe(503);
    restore();
    expect((await fetch(HOST)).headers.has("x-switchback-stale")).toBe(false);
  });
});

describe("an error of the platform", () => {
  it.each(["http://nothing.workers.example/", "http://elsewhere.example/"])(
    "no_such_host on %s is a 404",
    async (url) => {
      const { fetch } = oneVersion(answering(`"x"`));
      const response = await fetch(url);
      expect(response.status).toBe(404);
      expect(response.headers.get("x-switchback-error")).toBe("no_such_host");
    },
  );

  it("no_deployment, preview_not_found and preview_disabled are 404s with names of their own", async () => {
    const { fetch, worker, setTable } = fakeSwitchback();
    worker("web");
    const kindOf = async (url: string) => {
      const response = await fetch(url);
      return [response.status, response.headers.get("x-switchback-error")];
    };
    expect(await kindOf(HOST)).toEqual([404, "no_deployment"]);
    expect(await kindOf("http://a-web.workers.example/")).toEqual([404, "preview_not_found"]);
    setTable({
      workers: [{ workerId: "w" as never, name: "web", enabled: true, previewsEnabled: false }],
    });
    expect(await kindOf("http://a-web.workers.example/")).toEqual([404, "preview_disabled"]);
  });

  it("worker_threw is a 500 like Cloudflare's 1101, with a request id and without the error's text", async () => {
    const { fetch } = oneVersion(
      `export default { fetch() { throw new Error("secret-detail"); } }`,
    );
    const response = await fetch(HOST, html);
    expect(response.status).toBe(500);
    expect(response.headers.get("x-switchback-error")).toBe("worker_threw");
    expect(response.headers.get("content-type")).toContain("text/html");
    const page = await response.text();
    expect(page).toContain("1101");
    expect(page).toContain(response.headers.get("x-request-id"));
    expect(page).not.toContain("secret-detail");
    const plain = await fetch(HOST);
    expect(plain.headers.get("content-type")).toContain("text/plain");
    expect(await plain.text()).not.toContain("secret-detail");
  });

  it("worker_threw has one line in the log, however many visitors meet it", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const { fetch, versionId } = oneVersion(`export default { fetch() { throw new Error("x"); } }`);
    for (let n = 0; n < 5; n++) expect((await fetch(HOST)).status).toBe(500);
    const lines = log.mock.calls.map(([line]) => String(line));
    log.mockRestore();
    expect(lines.filter((line) => line.includes(versionId))).toHaveLength(1);
  });

  it("a Worker without a fetch handler threw", async () => {
    const { fetch } = oneVersion(`export default { scheduled() {} }`);
    expect((await fetch(HOST)).headers.get("x-switchback-error")).toBe("worker_threw");
  });

  it("version_failed_to_load names the version and not the error", async () => {
    const { fetch, versionId } = oneVersion(`throw new Error("secret-detail")`);
    const response = await fetch(HOST);
    expect(response.status).toBe(500);
    expect(response.headers.get("x-switchback-error")).toBe("version_failed_to_load");
    const page = await response.text();
    expect(page).toContain(versionId);
    expect(page).not.toContain("secret-detail");
  });

  it("control_plane_unavailable is a 503 that says when to come back", async () => {
    const { fetch, cut, setPolicy } = oneVersion(answering(`"x"`));
    setPolicy({ onIsolation: "refuse", staleMsMax: 0 });
    for (let n = 0; n < 2; n++) {
      const { restore } = cut("lock", "ledger");
      const response = await fetch(HOST);
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("1");
      expect(response.headers.get("x-switchback-error")).toBe("control_plane_unavailable");
      restore();
      // The first time nothing was known yet; the second, what is known may not be served.
      expect((await fetch(HOST)).status).toBe(200);
    }
  });

  it("is also what a version gets that its control plane does not have", async () => {
    const { fetch, deploy, workerId } = oneVersion(answering(`"x"`));
    deploy(workerId, [crypto.randomUUID() as string as VersionId, 100]);
    expect((await fetch(HOST)).headers.get("x-switchback-error")).toBe("version_failed_to_load");
  });
});

it("waitUntil work goes on after the answer", async () => {
  const { fetch } = oneVersion(`let done = "no";
    export default { fetch(request, env, ctx) {
      if (new URL(request.url).pathname === "/done") return new Response(done);
      ctx.waitUntil(scheduler.wait(20).then(() => { done = "yes"; }));
      return new Response("answered");
    } }`);
  expect(await (await fetch(HOST)).text()).toBe("answered");
  await expect.poll(async () => (await fetch(`${HOST}done`)).text()).toBe("yes");
});

it("modules of every kind are there", async () => {
  const { fetch, worker, version, deploy } = fakeSwitchback();
  const workerId = worker("web");
  const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  const versionId = version(workerId, "", {
    mainModule: "src/index.js",
    modules: [
      textModule(
        "src/index.js",
        `import text from "./a.txt"; import data from "../b.bin"; import json from "./c.json";
         import wasm from "./d.wasm"; import cjs from "./e.cjs"; import { sub } from "./deep/f.mjs";
         export default { fetch: () => Response.json([text, data.byteLength, json.n,
           wasm instanceof WebAssembly.Module, cjs.n, sub]) }`,
      ),
      textModule("src/a.txt", "text", "text"),
      { name: "b.bin", type: "data", bytes: new Uint8Array([1, 2, 3]) },
      textModule("src/c.json", `{"n":4}`, "json"),
      { name: "src/d.wasm", type: "wasm", bytes: wasm },
      textModule("src/e.cjs", "module.exports = { n: 5 };", "cjs"),
      textModule("src/deep/f.mjs", "export const sub = 6;"),
    ],
  });
  deploy(workerId, [versionId, 100]);
  expect(await (await fetch(HOST)).json()).toEqual(["text", 3, 4, true, 5, 6]);
});
