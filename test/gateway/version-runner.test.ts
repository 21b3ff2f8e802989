import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  EVICTION_INTERVAL_MS,
  RETIRED_VERSION_KEEP_MS,
  VERSION_FAILURE_KEEP_MS,
  VERSION_LOAD_TRIES_MAX,
} from "../../src/domain/limits.ts";
import type { GatewayOptions } from "../../src/gateway/gateway.ts";
import { fakeSwitchback, loadable } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
/** Answers how often this isolate has been asked. */
const COUNTER = `let n = 0; export default { fetch: () => new Response(String(++n)) };`;
const errorOf = (response: Response) => response.headers.get("x-switchback-error");

/** `web` with one deployed version, a clock that stands still, and a loader that can fail. */
function setUp(source = COUNTER, options: Partial<GatewayOptions> = {}) {
  const clock = { now: 1_000_000 };
  const failures: Error[] = [];
  const ids: string[] = [];
  const loader: WorkerLoader = {
    load: (code) => env.LOADER.load(code),
    get(id, getCode) {
      ids.push(id!);
      const failure = failures.shift();
      if (!failure) return env.LOADER.get(id, getCode);
      const fail = { fetch: () => Promise.reject(failure) };
      return { getEntrypoint: () => fail } as unknown as WorkerStub;
    },
  };
  const switchback = fakeSwitchback({ loader, now: () => clock.now, ...options });
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, source);
  switchback.deploy(workerId, [versionId, 100]);
  return { ...switchback, workerId, versionId, clock, failures, ids };
}

describe("a loaded version", () => {
  it("answers later requests from the same isolate", async () => {
    const { fetch, asked } = setUp();
    expect(await (await fetch(HOST)).text()).toBe("1");
    expect(await (await fetch(HOST)).text()).toBe("2");
    expect(asked.versions).toBe(1);
  });

  it("is loaded once by many first requests", async () => {
    const { fetch } = setUp();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => Number(await (await fetch(HOST)).text())),
    );
    expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("has the gateway, the Worker, the version and the content in its loader id", async () => {
    const { fetch, ids, workerId, versionId } = setUp();
    await fetch(HOST);
    expect(ids[0]).toMatch(new RegExp(`^[^:]+:${workerId}:${versionId}:c0ffee#0$`));
  });
});

describe("a load that fails", () => {
  it("does not stick: once the cause is gone the version answers", async () => {
    const { fetch, versions, versionId, workerId, clock } = setUp(`throw new Error("boom")`);
    expect(errorOf(await fetch(HOST))).toBe("version_failed_to_load");
    versions.set(versionId, loadable(COUNTER, { id: versionId, workerId }));
    clock.now += VERSION_FAILURE_KEEP_MS;
    expect(await (await fetch(HOST)).text()).toBe("1");
  });

  it("is not tried again by every request", async () => {
    const { fetch, ids, asked, clock } = setUp(`throw new Error("boom")`);
    for (let n = 0; n < 5; n++) expect(errorOf(await fetch(HOST))).toBe("version_failed_to_load");
    expect([ids.length, asked.versions]).toEqual([1, 1]);
    clock.now += VERSION_FAILURE_KEEP_MS - 1;
    await fetch(HOST);
    expect(ids.length).toBe(1);
    clock.now++;
    await fetch(HOST);
    expect(ids.length).toBe(2);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("is tried again at once, under another id, when it may pass", async () => {
    const { fetch, failures, ids } = setUp();
    failures.push(new Error("internal error; reference = abc"));
    expect(await (await fetch(HOST)).text()).toBe("1");
    expect(ids.map((id) => id.slice(-2))).toEqual(["#0", "#1"]);
  });

  it("is tried again when the isolate outlived its gateway, which only its message tells", async () => {
    const { fetch, failures } = setUp();
    const stale = "Unable to deserialize cloned data due to invalid or unsupported version.";
    failures.push(Object.assign(new Error(stale), { remote: true }));
    expect(await (await fetch(HOST)).text()).toBe("1");
  });

  it("is given up after some tries", async () => {
    const { fetch, failures, ids } = setUp();
    for (let n = 0; n < 5; n++) failures.push(new Error("internal error; reference = abc"));
    expect(errorOf(await fetch(HOST))).toBe("version_failed_to_load");
    expect(ids.length).toBe(VERSION_LOAD_TRIES_MAX);
  });

  it.each([
    ["a body", { method: "PUT", body: "x" }],
    ["an unsafe method", { method: "POST" }],
  ])("is not tried again for a request with %s", async (_, init) => {
    const { fetch, failures, ids } = setUp();
    failures.push(new Error("internal error; reference = abc"));
    expect(errorOf(await fetch(HOST, init))).toBe("version_failed_to_load");
    expect(ids.length).toBe(1);
  });

  it("does not take a version off the air that has answered before", async () => {
    const { fetch, failures } = setUp();
    await fetch(HOST);
    failures.push(new Error("internal error; reference = abc"));
    expect(errorOf(await fetch(HOST, { method: "POST" }))).toBe("version_failed_to_load");
    expect((await fetch(HOST, { method: "POST" })).status).toBe(200);
  });

  it("is the control plane's failure when the version could not be fetched", async () => {
    const { fetch, controlPlane } = setUp();
    const healthy = { ...controlPlane };
    controlPlane.version = async () => Promise.reject(new Error("down"));
    expect(errorOf(await fetch(HOST))).toBe("control_plane_unavailable");
    Object.assign(controlPlane, healthy);
    expect(await (await fetch(HOST)).text()).toBe("1");
  });
});

it("an error of the version's own code neither reloads nor repeats it", async () => {
  const { fetch, ids } = setUp(
    `let n = 0; export default { fetch() { if (++n === 1) throw new Error("once"); return new Response(String(n)); } };`,
  );
  expect(errorOf(await fetch(HOST))).toBe("worker_threw");
  expect(await (await fetch(HOST)).text()).toBe("2");
  expect(new Set(ids).size).toBe(1);
});

describe("unloading", () => {
  const KEEP = RETIRED_VERSION_KEEP_MS + EVICTION_INTERVAL_MS;

  /** Two versions of `web`, the first loaded, the second deployed. */
  async function superseded(first: string) {
    const all = setUp(first);
    await all.fetch(HOST);
    const next = all.version(all.workerId, COUNTER);
    all.deploy(all.workerId, [next, 100]);
    await all.fetch(HOST);
    const back = async () => {
      all.deploy(all.workerId, [all.versionId, 100]);
      return (await all.fetch(HOST)).text();
    };
    return { ...all, back };
  }

  it("takes a version that has left the deployment, after a while and behind a later request", async () => {
    const { fetch, clock, settled, back } = await superseded(COUNTER);
    clock.now += KEEP;
    await fetch(HOST);
    await settled();
    expect(await back()).toBe("1");
  });

  it("leaves it while that while has not passed", async () => {
    const { fetch, clock, settled, back } = await superseded(COUNTER);
    clock.now += RETIRED_VERSION_KEEP_MS - 1;
    await fetch(HOST);
    await settled();
    expect(await back()).toBe("2");
  });

  it("leaves what is in the deployment, however quiet", async () => {
    const { fetch, clock, settled } = setUp();
    await fetch(HOST);
    clock.now += 10 * KEEP;
    await fetch(`http://none.example/`);
    await settled();
    expect(await (await fetch(HOST)).text()).toBe("2");
  });

  it("leaves a version that still answers a request", async () => {
    const { fetch, clock, settled, deploy, workerId, version } = setUp(
      `export default { async fetch(request) {
         if (request.method === "POST") await scheduler.wait(50);
         return new Response("answer");
       } };`,
    );
    // Not sent again if it is cut off, as a GET would be.
    const slow = fetch(HOST, { method: "POST" });
    await fetch(HOST);
    deploy(workerId, [version(workerId, COUNTER), 100]);
    clock.now += KEEP;
    await fetch(HOST);
    await settled();
    expect(await (await slow).text()).toBe("answer");
  });

  it("lets the streams and WebSockets of an unloaded version go on", async () => {
    const { fetch, clock, settled, deploy, workerId, version, versionId } = setUp(
      `let n = 0; export default { fetch(request) {
         n++;
         if (request.headers.has("upgrade")) {
           const [client, server] = Object.values(new WebSocketPair());
           server.accept();
           server.addEventListener("message", (event) => server.send("echo " + event.data));
           return new Response(null, { status: 101, webSocket: client });
         }
         if (request.url.endsWith("/n")) return new Response(String(n));
         const { readable, writable } = new TransformStream();
         const writer = writable.getWriter();
         void scheduler.wait(50)
           .then(() => writer.write(new TextEncoder().encode("streamed")))
           .then(() => writer.close());
         return new Response(readable);
       } };`,
    );
    const stream = await fetch(HOST);
    const socket = (await fetch(HOST, { headers: { upgrade: "websocket" } })).webSocket!;
    socket.accept();
    const message = new Promise((resolve) =>
      socket.addEventListener("message", (event) => resolve(event.data)),
    );
    deploy(workerId, [version(workerId, COUNTER), 100]);
    await fetch(HOST);
    clock.now += KEEP;
    await fetch(HOST);
    await settled();
    expect(await stream.text()).toBe("streamed");
    socket.send("hi");
    expect(await message).toBe("echo hi");
    deploy(workerId, [versionId, 100]);
    expect(await (await fetch(`${HOST}n`)).text()).toBe("1");
  });

  it("takes previews that nobody looks at any more", async () => {
    const { fetch, clock, settled, previews, workerId, version } = setUp();
    previews.set(`old-${workerId}`, version(workerId, COUNTER));
    const preview = "http://old-web.workers.example/";
    await fetch(preview);
    expect(await (await fetch(preview)).text()).toBe("2");
    clock.now += KEEP;
    await fetch(HOST);
    await settled();
    expect(await (await fetch(preview)).text()).toBe("1");
  });
});

describe("a dispatch that is to be announced", () => {
  /** Announcements wait until they are let through. */
  function announcing(source = COUNTER) {
    const events: string[] = [];
    const waiting: ((refusal?: Error) => void)[] = [];
    const all = setUp(source, {
      announce: ({ versionId }) =>
        new Promise((resolve, reject) => {
          events.push(`announce ${versionId}`);
          waiting.push((refusal) =>
            refusal ? reject(refusal) : resolve(() => void events.push("over")),
          );
        }),
    });
    const announced = async (): Promise<(refusal?: Error) => void> => {
      while (waiting.length === 0) await scheduler.wait(1);
      return waiting.shift()!;
    };
    return { ...all, events, announced };
  }

  it("runs nothing before it was let through, and tells when it is over", async () => {
    const { fetch, ids, events, announced, versionId } = announcing();
    const answer = fetch(HOST);
    const letThrough = await announced();
    await scheduler.wait(10);
    expect([ids, events]).toEqual([[], [`announce ${versionId}`]]);
    letThrough();
    expect(await (await answer).text()).toBe("1");
    expect(events).toEqual([`announce ${versionId}`, "over"]);
  });

  it("is over when the version fails, too", async () => {
    const { fetch, events, announced } = announcing(
      `export default { fetch() { throw new Error("boom"); } };`,
    );
    const answer = fetch(HOST);
    (await announced())();
    expect(errorOf(await answer)).toBe("worker_threw");
    expect(events.at(-1)).toBe("over");
  });

  it("is announced again for another try", async () => {
    const { fetch, events, announced, failures } = announcing();
    failures.push(new Error("internal error; reference = abc"));
    const answer = fetch(HOST);
    (await announced())();
    (await announced())();
    expect(await (await answer).text()).toBe("1");
    expect(events.map((event) => event.split(" ")[0])).toEqual([
      "announce",
      "over",
      "announce",
      "over",
    ]);
  });

  it("does not run when it cannot be announced; the version is none the worse for it", async () => {
    const { fetch, ids, announced } = announcing();
    const refused = fetch(HOST);
    (await announced())(new Error("the supervisor is gone"));
    expect(errorOf(await refused)).toBe("control_plane_unavailable");
    expect(ids).toEqual([]);
    const answer = fetch(HOST);
    (await announced())();
    expect(await (await answer).text()).toBe("1");
    expect(ids.map((id) => id.slice(-2))).toEqual(["#0"]);
  });

  it("is announced when a version is loaded ahead", async () => {
    const { fetch, announced, events, announce, version, workerId, settled } = announcing();
    const next = version(workerId, COUNTER);
    announce(workerId, next);
    const answer = fetch(HOST);
    (await announced())();
    await answer;
    (await announced())();
    await settled();
    expect(events.slice(2)).toEqual([`announce ${next}`, "over"]);
  });
});
