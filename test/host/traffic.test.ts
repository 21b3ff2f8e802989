import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Placement } from "../../src/domain/containment/placement.ts";
import {
  API_HOLD_MS_MAX,
  FLIGHT_TRIES_MAX,
  GONE_MS_MAX,
  HELD_REQUESTS_MAX,
  VISITOR_HOLD_MS_MAX,
} from "../../src/domain/limits.ts";
import type { Flight, OwnAnswer, Upstream } from "../../src/host/front/switchyard.ts";
import { type OwnRoute, Traffic } from "../../src/host/traffic.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const CONTROL: Upstream = { name: "control-1", socketPath: "/run/api.sock:0" };
const gateway = (name: string): Upstream => ({ name, socketPath: `/run/${name}.sock` });
const nobody = () => new AbortController().signal;

function flightOf(host: string, of: Partial<Flight> = {}): Flight {
  const { method = "GET", tries = 1, replayable = method === "GET" } = of;
  return { id: "r1", host, method, path: "/", replayable, startedAt: 0, tries, ...of };
}
const visitor = (of?: Partial<Flight>) => flightOf("shop.example", of);
const client = (of?: Partial<Flight>) => flightOf("localhost", of);

function junction() {
  const placement = new Placement();
  const heard: string[] = [];
  const traffic = new Traffic({
    placement,
    controlHosts: new Set(["localhost", "127.0.0.1"]),
    ownRoutes: new Map<string, OwnRoute>([
      ["/readyz", async () => ({ status: 200, headers: {}, body: "own" })],
      ["/passed-on", () => null],
    ]),
    onAnswered: (name) => heard.push(name),
    now: () => 0,
    newId: () => "new-id",
  });
  const up = (name: string) => {
    traffic.addGateway(gateway(name));
    placement.upInPool(name);
    traffic.placeHeld();
  };
  const gone = (name: string) => {
    placement.gone(name);
    traffic.removeGateway(name);
    traffic.placeHeld();
  };
  return { placement, traffic, heard, up, gone };
}

const codeOf = (answer: unknown): unknown =>
  (JSON.parse((answer as OwnAnswer).body) as { errors: { code: number }[] }).errors[0]?.code;
const kindOf = (answer: unknown): unknown => (answer as OwnAnswer).headers["x-switchback-error"];

/** Whether the promise is settled, and with what. */
function watch<T>(promise: T | Promise<T>): { settled: boolean; value: T | undefined } {
  const seen: { settled: boolean; value: T | undefined } = { settled: false, value: undefined };
  void Promise.resolve(promise).then((value) => Object.assign(seen, { settled: true, value }));
  return seen;
}
const turn = () => vi.advanceTimersByTimeAsync(0);

describe("a request", () => {
  it("for a control host goes to the control process, every other to a gateway", () => {
    const { traffic, up } = junction();
    traffic.setControl(CONTROL);
    up("g1");
    expect(traffic.place(client(), nobody())).toEqual(CONTROL);
    expect(traffic.place(flightOf("127.0.0.1"), nobody())).toEqual(CONTROL);
    expect(traffic.place(visitor(), nobody())).toEqual(gateway("g1"));
    expect(traffic.place(flightOf("localhost.evil"), nobody())).toEqual(gateway("g1"));
  });

  it("that the host answers itself is so on control hosts only; a Worker may have the same path", async () => {
    const { traffic } = junction();
    const own = (host: string, path: string) => traffic.own(flightOf(host, { path }), {} as never);
    expect(await own("localhost", "/readyz?full=1")).toMatchObject({ body: "own" });
    expect(own("shop.example", "/readyz")).toBeNull();
    expect(own("localhost", "/readyz/x")).toBeNull();
    expect(own("localhost", "/passed-on")).toBeNull();
  });
});

describe("a visitor's request with no gateway to take it", () => {
  it("is held, and placed as soon as one comes", async () => {
    const { traffic, up } = junction();
    const held = watch(traffic.place(visitor(), nobody()));
    await turn();
    expect([held.settled, traffic.holding]).toEqual([false, 1]);
    up("g1");
    await turn();
    expect(held.value).toEqual(gateway("g1"));
    expect(traffic.holding).toBe(0);
  });

  it("gets 503 with the reason after a while, and is not placed later", async () => {
    const { traffic, up } = junction();
    const held = watch(traffic.place(visitor(), nobody()));
    await vi.advanceTimersByTimeAsync(VISITOR_HOLD_MS_MAX - 1);
    expect(held.settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(held.value).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(kindOf(held.value)).toBe("gateways_unavailable");
    up("g1");
    // Nothing of it is counted as in flight there.
    await traffic.idle("g1", 60_000);
  });

  it("is let go of when its client goes", async () => {
    const { traffic, up } = junction();
    const leaving = new AbortController();
    const held = watch(traffic.place(visitor(), leaving.signal));
    leaving.abort();
    await turn();
    expect([held.settled, traffic.holding]).toEqual([true, 0]);
    up("g1");
    await traffic.idle("g1", 60_000);
  });

  it("is refused at once when too many wait already", () => {
    const { traffic } = junction();
    for (let n = 0; n < HELD_REQUESTS_MAX; n++) void traffic.place(visitor(), nobody());
    expect(traffic.holding).toBe(HELD_REQUESTS_MAX);
    expect(kindOf(traffic.place(visitor(), nobody()))).toBe("gateways_unavailable");
    expect(traffic.holding).toBe(HELD_REQUESTS_MAX);
  });
});

describe("a request of the API without a control process", () => {
  it("waits for it, while visitors are served", async () => {
    const { traffic, up } = junction();
    up("g1");
    const held = watch(traffic.place(client({ method: "POST" }), nobody()));
    await turn();
    expect(held.settled).toBe(false);
    expect(traffic.place(visitor(), nobody())).toEqual(gateway("g1"));
    traffic.setControl(CONTROL);
    await turn();
    expect(held.value).toEqual(CONTROL);
  });

  it("is told to come back, with 130036, when it has waited long enough: nothing was changed", async () => {
    const { traffic } = junction();
    const held = watch(traffic.place(client({ method: "POST" }), nobody()));
    await vi.advanceTimersByTimeAsync(API_HOLD_MS_MAX);
    expect(held.value).toMatchObject({ status: 503, headers: { "x-should-retry": "true" } });
    expect(codeOf(held.value)).toBe(130036);
  });
});

describe("a request whose gateway is lost", () => {
  it("goes again once if it may be sent twice, and not before the process is known to be gone", async () => {
    const { traffic, up, gone } = junction();
    up("g1");
    const again = watch(traffic.lost(visitor(), gateway("g1"), true));
    await turn();
    expect(again.settled).toBe(false);
    gone("g1");
    await turn();
    expect(again.value).toBe("again");
  });

  it("does not wait for ever for that", async () => {
    const { traffic, up } = junction();
    up("g1");
    const again = watch(traffic.lost(visitor(), gateway("g1"), true));
    await vi.advanceTimersByTimeAsync(GONE_MS_MAX);
    expect(again.value).toBe("again");
  });

  it("never goes a third time", async () => {
    const { traffic } = junction();
    const flight = visitor({ tries: FLIGHT_TRIES_MAX });
    const answer = await traffic.lost(flight, gateway("g1"), true);
    expect(answer).toMatchObject({ status: 502, headers: { "x-request-id": "r1" } });
    expect(kindOf(answer)).toBe("gateway_lost");
    expect(FLIGHT_TRIES_MAX).toBe(2);
  });

  it("is never sent twice if it may have changed something", async () => {
    const { traffic } = junction();
    const post = visitor({ method: "POST" });
    expect(kindOf(await traffic.lost(post, gateway("g1"), true))).toBe("gateway_lost");
    // Of which the process had seen nothing: it goes.
    expect(await traffic.lost(post, gateway("g1"), false)).toBe("again");
  });
});

describe("a request of the API whose control process is lost", () => {
  it("goes again if it only reads, to the next process: not to the one that is just dying", async () => {
    const { traffic } = junction();
    traffic.setControl(CONTROL);
    const again = watch(traffic.lost(client(), CONTROL, true));
    await turn();
    expect(again.settled).toBe(false);
    traffic.setControl(null);
    await turn();
    expect(again.value).toBe("again");
    const placed = watch(traffic.place(client({ tries: 2 }), nobody()));
    const next = { ...CONTROL, name: "control-2" };
    traffic.setControl(next);
    await turn();
    expect(placed.value).toEqual(next);
  });

  it("gets 130034 if it may have changed something: it is not known, and nobody should just repeat it", async () => {
    const { traffic } = junction();
    const answer = await traffic.lost(client({ method: "POST" }), CONTROL, true);
    expect(answer).toMatchObject({ status: 503, headers: { "x-should-retry": "false" } });
    expect((answer as OwnAnswer).headers).not.toHaveProperty("retry-after");
    expect(codeOf(answer)).toBe(130034);
  });

  it("gets 130036 if it only reads, or if the process had seen nothing of it", async () => {
    const { traffic } = junction();
    const last = { tries: FLIGHT_TRIES_MAX };
    expect(codeOf(await traffic.lost(client(last), CONTROL, true))).toBe(130036);
    const unsent = client({ method: "POST", ...last });
    expect(codeOf(await traffic.lost(unsent, CONTROL, false))).toBe(130036);
  });
});

describe("a request that gets no answer in time", () => {
  it("is told so, by who did not answer", () => {
    const { traffic } = junction();
    expect(kindOf(traffic.overdue(visitor(), gateway("g1")))).toBe("wall_time_exceeded");
    expect(kindOf(traffic.overdue(visitor(), null))).toBe("gateways_unavailable");
    expect(codeOf(traffic.overdue(client({ method: "POST" }), CONTROL))).toBe(130034);
    expect(codeOf(traffic.overdue(client({ method: "POST" }), null))).toBe(130036);
  });
});

describe("a process", () => {
  it("is heard of when it answers a visitor, not when the control process answers", () => {
    const { traffic, heard, up } = junction();
    traffic.setControl(CONTROL);
    up("g1");
    for (const flight of [visitor(), client()]) {
      const upstream = traffic.place(flight, nobody()) as Upstream;
      traffic.answered(flight, upstream, 200);
    }
    expect(heard).toEqual(["g1"]);
  });

  it.each([gateway("g1"), CONTROL])(
    "is idle once its last request is over: %o",
    async (upstream) => {
      const { traffic, up } = junction();
      traffic.setControl(CONTROL);
      up("g1");
      const flight = upstream === CONTROL ? client() : visitor();
      for (let n = 0; n < 2; n++) expect(traffic.place(flight, nobody())).toEqual(upstream);
      const idle = watch(traffic.idle(upstream.name, 60_000).then(() => true));
      traffic.ended(flight, upstream, "complete");
      await turn();
      expect(idle.settled).toBe(false);
      traffic.ended(flight, upstream, "complete");
      await turn();
      expect(idle.settled).toBe(true);
    },
  );

  it("is waited for no longer than was said", async () => {
    const { traffic, up } = junction();
    up("g1");
    void traffic.place(visitor(), nobody());
    const idle = watch(traffic.idle("g1", 5_000).then(() => true));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(idle.settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(idle.settled).toBe(true);
  });
});
