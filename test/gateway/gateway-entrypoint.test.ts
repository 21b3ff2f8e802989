import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Stopped } from "../../src/domain/breaker.ts";
import type { LoadableVersion } from "../../src/domain/version.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { defineGatewayEntrypoint } from "../../src/gateway/gateway-entrypoint.ts";
import { toWire } from "../../src/gateway/version-wire.ts";
import { answering, fakeSwitchback, loadable } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";

/** The entrypoint over a gateway, as its socket would call it. */
function doorOf(gateway: Partial<Gateway>) {
  const ctx = createExecutionContext();
  const Entrypoint = defineGatewayEntrypoint(() => gateway as Gateway);
  const entrypoint = new Entrypoint(ctx, env);
  return {
    entrypoint,
    settled: () => waitOnExecutionContext(ctx),
    call: async (method: string, path: string, body?: unknown): Promise<Response> =>
      entrypoint.fetch(
        new Request(`http://gateway${path}`, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      ),
  };
}

/** `web` with one deployed version that has answered. */
async function setUp() {
  const switchback = fakeSwitchback({ relayWebSockets: true });
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, answering(`"x"`));
  switchback.deploy(workerId, [versionId, 100]);
  await switchback.fetch(HOST);
  return { ...switchback, ...doorOf(switchback.gateway), workerId, versionId };
}

describe("the supervisor's door of a gateway", () => {
  it("says that the process lives without looking at anything", async () => {
    const broken = doorOf(null as unknown as Gateway);
    expect((await broken.call("GET", "/alive")).status).toBe(204);
  });

  it("reports", async () => {
    const { call, gateway } = await setUp();
    expect(await (await call("GET", "/metrics")).json()).toEqual(gateway.report());
  });

  it("unloads what can be spared when memory is short", async () => {
    const { call, fetch, deploy, version, workerId, settled } = await setUp();
    const next = version(workerId, answering(`"y"`));
    deploy(workerId, [next, 100]);
    await fetch(HOST);
    expect(await (await call("POST", "/evict")).json()).toEqual({ evicted: 1, loaded: 1 });
    await settled();
    expect(await (await fetch(HOST)).text()).toBe("y");
  });

  it("leaves what was in use a moment ago when only the idle is to go", async () => {
    const { call, deploy, version, workerId, fetch } = await setUp();
    deploy(workerId, [version(workerId, answering(`"y"`)), 100]);
    await fetch(HOST);
    expect(await (await call("POST", "/evict?idle=1")).json()).toEqual({ evicted: 0, loaded: 2 });
  });

  it("drains", async () => {
    const { call, gateway } = await setUp();
    expect(await (await call("POST", "/drain")).json()).toEqual({ webSockets: 0 });
    expect(gateway.report().gauges.draining).toBe(1);
  });

  it("passes on that a version is stopped", async () => {
    const told: unknown[] = [];
    const { call } = doorOf({ stop: (...what) => void told.push(what) });
    const stopped = { versionId: "v", reason: "blocked", stoppedOn: 5, strikes: 2 };
    expect((await call("POST", "/stop", { workerId: "w", stopped })).status).toBe(204);
    expect(told).toEqual([["w", stopped as Stopped]]);
  });

  it.each([
    [undefined],
    [null],
    [{ workerId: "w" }],
    [{ workerId: 1, stopped: { versionId: "v", reason: "blocked", stoppedOn: 5, strikes: 2 } }],
    [{ workerId: "w", stopped: { versionId: "v", reason: "toString", stoppedOn: 5, strikes: 2 } }],
    [{ workerId: "w", stopped: { versionId: "v", reason: "blocked", stoppedOn: "5", strikes: 2 } }],
  ])("stops nothing for the body %j", async (body) => {
    const { call } = doorOf({ stop: () => expect.fail("it was told") });
    expect((await call("POST", "/stop", body)).status).toBe(400);
  });

  it.each([
    ["POST", "/alive"],
    ["GET", "/drain"],
    ["GET", "/evict"],
    ["GET", "/"],
    ["GET", "/alive/"],
  ])("has nothing at %s %s", async (method, path) => {
    const { call } = doorOf({});
    expect((await call(method, path)).status).toBe(404);
  });
});

describe("the control process's door of a gateway", () => {
  it("starts a version that came in pieces", async () => {
    const seen: LoadableVersion[] = [];
    const result = { ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers: [] } as const;
    const { entrypoint } = doorOf({
      probeVersion: async (version) => {
        seen.push(version);
        return result;
      },
    });
    const version = loadable(answering(`"x"`));
    await entrypoint.ready();
    const { head, stream } = toWire(version);
    expect(await entrypoint.probe(head, stream)).toEqual(result);
    expect(seen).toEqual([version]);
  });

  it("starts nothing that did not arrive whole", async () => {
    const { entrypoint } = doorOf({ probeVersion: () => expect.fail("it was started") });
    const { head } = toWire(loadable(answering(`"x"`)));
    const { stream } = toWire(loadable(""));
    await expect(entrypoint.probe(head, stream)).rejects.toThrow("0 of its");
  });
});
