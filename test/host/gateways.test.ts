import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  GATEWAY_RESTART_MS_MAX,
  HOG_PROOF_MS,
  HOG_RETRIAL_MS,
  HOG_WINDOW_MS,
  RUNTIME_START_TRIES_MAX,
} from "../../src/domain/limits.ts";
import type { GatewayKind } from "../../src/host/gateway-process.ts";
import { Gateways } from "../../src/host/gateways.ts";
import { createLog } from "../../src/host/log.ts";
import type { FakeGateway } from "./fake-gateways.ts";

const world = vi.hoisted(() => ({
  /** Every process that was started, in order. */
  started: [] as FakeGateway[],
  /** Called with each as it starts. */
  onStart: (() => undefined) as (started: FakeGateway) => void,
  pauses: [] as number[],
}));

vi.mock(import("../../src/host/gateway-process.ts"), async () => {
  const { FakeGateway } = await import("./fake-gateways.ts");
  class Started extends FakeGateway {
    constructor(parts: { name: string; kind: GatewayKind }) {
      super(parts);
      world.started.push(this);
      world.onStart(this);
    }
  }
  return { GatewayProcess: Started } as never;
});
vi.mock(import("node:timers/promises"), async (original) => ({
  ...(await original()),
  setTimeout: (async (ms: number) => {
    world.pauses.push(ms);
    await new Promise((done) => setImmediate(done));
  }) as never,
}));

/** Lets everything happen that waits for nothing. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
};

function host({ drainMs = 10_000, hogs = (_name: string, _ms: number): boolean => false } = {}) {
  const events: string[] = [];
  const lines: string[] = [];
  const busy = new Map<string, () => void>();
  const gateways = new Gateways({
    processParts: () => ({}) as never,
    onSpawn: () => undefined,
    onExit: () => undefined,
    onUp: ({ name }, group) => events.push(`up ${name}${group === null ? "" : ` for ${group}`}`),
    onReplaced: ({ name }) => events.push(`replaced ${name}`),
    onDraining: ({ name }) => events.push(`draining ${name}`),
    onGone: ({ name }, cause) => events.push(`gone ${name} ${cause}`),
    idle: ({ name }) =>
      busy.has(name) ? new Promise((done) => busy.set(name, done)) : Promise.resolve(),
    hogs: ({ name }, ms) => hogs(name, ms),
    log: createLog(
      (line) => lines.push(line),
      () => new Date(0),
    ),
    drainMs,
  });
  return { gateways, events, lines, busy };
}

const named = (name: string): FakeGateway => {
  const found = world.started.find((gateway) => gateway.name === name);
  if (!found) throw new Error(`${name} was not started`);
  return found;
};
const names = (gateways: Gateways) => [...gateways.alive].map(({ name }) => name);

beforeEach(() => {
  world.started.length = 0;
  world.pauses.length = 0;
  world.onStart = () => undefined;
});

describe("a place", () => {
  it("is filled once its process answers, not before", async () => {
    const { gateways, events } = host();
    let answers = false;
    world.onStart = (gateway) =>
      (gateway.answer = () => (answers ? { status: 204, text: "" } : undefined));
    const opened = gateways.open("pool");
    await settled();
    expect(events).toEqual([]);
    expect(named("g1").isUp).toBe(false);
    answers = true;
    await opened;
    expect(events).toEqual(["up g1"]);
    expect(named("g1").isUp).toBe(true);
  });

  it.each(["blocked", "memory"] as const)(
    "is filled again at once after a kill (%s), under a new name",
    async (cause) => {
      const { gateways, events, lines } = host();
      await gateways.open("pool");
      gateways.kill(named("g1").real, cause);
      await settled();
      expect(events).toEqual(["up g1", `gone g1 ${cause}`, "up g2", "replaced g1"]);
      expect(world.pauses).toEqual([]);
      expect(lines.join("")).toContain(
        `gateway lost gateway=g1 kind=pool cause=${cause} reason=SIGKILL`,
      );
    },
  );

  it("is filled again after a crash, also of a trial's process", async () => {
    const { gateways, events } = host();
    await gateways.open("trial");
    named("g1").die("SIGSEGV");
    await settled();
    expect(events).toEqual(["up g1", "gone g1 crashed", "up g2", "replaced g1"]);
    expect(world.started.map(({ kind }) => kind)).toEqual(["trial", "trial"]);
  });

  it("is tried again after growing pauses while processes end as they start, up to a limit", async () => {
    const { gateways } = host();
    await gateways.open("pool");
    let failures = 12;
    world.onStart = (gateway) => {
      if (failures-- > 0) gateway.die("exit code 1");
    };
    named("g1").die("SIGSEGV");
    await vi.waitFor(() => expect(names(gateways)).toEqual(["g14"]));
    const { pauses } = world;
    expect(pauses).toHaveLength(12);
    for (const [at, pause] of pauses.entries()) {
      expect(pause).toBe(Math.min((pauses[at - 1] ?? 25) * 2, GATEWAY_RESTART_MS_MAX));
    }
    expect(pauses.at(-1)).toBe(GATEWAY_RESTART_MS_MAX);
  });

  it("is tried again when there is no room for the configuration: what serves goes on", async () => {
    const { gateways, lines } = host();
    await gateways.open("pool");
    await gateways.open("pool");
    let failures = 3;
    world.onStart = () => {
      if (failures-- > 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    };
    named("g1").die("SIGKILL");
    await vi.waitFor(() => expect(names(gateways)).toEqual(["g2", "g6"]));
    expect(world.pauses).toHaveLength(3);
    expect(lines.join("")).toContain("gateway did not start gateway=g3 kind=pool reason=ENOSPC");
  });

  it("that cannot be filled at the host's start is refused, after some tries", async () => {
    const { gateways, events, lines } = host();
    world.onStart = (gateway) => gateway.die("exit code 1");
    await expect(gateways.open("pool")).rejects.toThrow(/could not be started/);
    expect(world.started).toHaveLength(RUNTIME_START_TRIES_MAX);
    expect(events.filter((event) => event.startsWith("up"))).toEqual([]);
    expect(lines.filter((line) => line.includes("gateway did not start"))).toHaveLength(
      RUNTIME_START_TRIES_MAX,
    );
  });
});

describe("a process that is to be replaced", () => {
  it("gets its successor first, then drains, then ends", async () => {
    const { gateways, events, busy } = host();
    await gateways.open("pool");
    busy.set("g1", () => undefined);
    const replaced = gateways.replace(named("g1").real);
    await settled();
    expect(events).toEqual(["up g1", "up g2", "draining g1"]);
    expect(named("g1").told).toContain("POST /drain");
    expect(named("g1").pid).toBeDefined();
    expect([named("g1").isUp, named("g2").isUp]).toEqual([false, true]);
    busy.get("g1")?.();
    await replaced;
    expect(events.slice(3)).toEqual(["gone g1 null"]);
    expect(names(gateways)).toEqual(["g2"]);
  });

  it("is replaced once however often that is asked for", async () => {
    const { gateways } = host();
    await gateways.open("pool");
    const old = named("g1").real;
    await Promise.all([gateways.replace(old), gateways.replace(old)]);
    await gateways.replace(old);
    expect(world.started).toHaveLength(2);
    expect(names(gateways)).toEqual(["g2"]);
  });

  it("that dies meanwhile is followed by one process, not two", async () => {
    const { gateways } = host();
    await gateways.open("pool");
    const replaced = gateways.replace(named("g1").real);
    named("g1").die("SIGSEGV");
    await replaced;
    await settled();
    expect(names(gateways)).toEqual(["g2"]);
    named("g2").die("SIGSEGV");
    await settled();
    expect(names(gateways)).toEqual(["g3"]);
  });

  it("stays where its successor does not start", async () => {
    const { gateways, events } = host();
    await gateways.open("pool");
    world.onStart = (gateway) => gateway.die("exit code 1");
    await gateways.replace(named("g1").real);
    expect(names(gateways)).toEqual(["g1"]);
    expect(named("g1").isUp).toBe(true);
    expect(events).not.toContain("draining g1");
  });

  it("ends before its successor starts if it is the trials', which have one socket", async () => {
    const { gateways, events } = host();
    await gateways.open("trial");
    await gateways.replace(named("g1").real);
    await settled();
    expect(events).toEqual(["up g1", "draining g1", "gone g1 null", "up g2"]);
  });

  it("when all are, goes one after the other: all but one serve at any time", async () => {
    const { gateways, events } = host();
    for (let n = 0; n < 3; n++) await gateways.open("pool");
    await gateways.replaceAll();
    const up = new Set<string>();
    for (const event of events) {
      const [what, name = ""] = event.split(" ");
      if (what === "up") up.add(name);
      if (what === "draining") up.delete(name);
      if (events.indexOf(event) >= 3) expect(up.size).toBeGreaterThanOrEqual(3);
    }
    expect(names(gateways)).toEqual(["g4", "g5", "g6"]);
  });
});

describe("a process that keeps everybody waiting", () => {
  it("gets its successor first; if it goes on without visitors, it is lost as blocked", async () => {
    const { gateways, events, busy } = host({ hogs: (name) => name === "g1" });
    await gateways.open("pool");
    busy.set("g1", () => undefined);
    const replaced = gateways.replaceHogged(named("g1").real);
    await settled();
    expect(events).toEqual(["up g1", "up g2", "draining g1"]);
    busy.get("g1")?.();
    await replaced;
    await settled();
    expect(events.slice(3)).toEqual(["gone g1 blocked"]);
    expect(world.pauses).toEqual([HOG_PROOF_MS]);
    expect(names(gateways)).toEqual(["g2"]);
  });

  it("and rests once nobody asks it: nobody is to blame, and its place is left alone for a while", async () => {
    const { gateways, events } = host({ hogs: (_, ms) => ms === HOG_WINDOW_MS });
    await gateways.open("pool");
    await gateways.replaceHogged(named("g1").real);
    expect(events).toEqual(["up g1", "up g2", "draining g1", "gone g1 null"]);
    await gateways.replaceHogged(named("g2").real);
    expect(names(gateways)).toEqual(["g2"]);
    const later = performance.now() + HOG_RETRIAL_MS;
    const clock = vi.spyOn(performance, "now").mockReturnValue(later);
    await gateways.replaceHogged(named("g2").real);
    clock.mockRestore();
    expect(names(gateways)).toEqual(["g3"]);
  });

  it("after a culprit is found, the next in its place is tried as soon as need be", async () => {
    const { gateways } = host({ hogs: () => true });
    await gateways.open("pool");
    for (const name of ["g1", "g2", "g3"]) await gateways.replaceHogged(named(name).real);
    await settled();
    expect(names(gateways)).toEqual(["g4"]);
  });

  it("is seen as well when its group is wanted no more", async () => {
    const { gateways, events } = host({ hogs: () => true });
    gateways.setGroups(new Set([7]));
    await settled();
    gateways.setGroups(new Set());
    await settled();
    expect(events.at(-1)).toBe("gone g1 blocked");
  });

  it("is not waited for when the host stops", async () => {
    const { gateways, events } = host({ hogs: () => true });
    await gateways.open("pool");
    await gateways.stop(1_000);
    expect(events.at(-1)).toBe("gone g1 null");
    expect(world.pauses).toEqual([]);
  });
});

describe("suspects' groups", () => {
  it("have a process each; those that are wanted no more are drained", async () => {
    const { gateways, events } = host();
    gateways.setGroups(new Set([1, 2]));
    await settled();
    gateways.setGroups(new Set([2, 3]));
    await settled();
    expect(events.filter((event) => event.startsWith("up"))).toEqual([
      "up g1 for 1",
      "up g2 for 2",
      "up g3 for 3",
    ]);
    expect(events).toContain("gone g1 null");
    expect(names(gateways)).toEqual(["g2", "g3"]);
    expect(world.started.every(({ kind }) => kind === "quarantine")).toBe(true);
  });

  it("that are wanted no more before their process answers leave none", async () => {
    const { gateways, events } = host();
    world.onStart = (gateway) => (gateway.answer = () => undefined);
    gateways.setGroups(new Set([1]));
    await settled();
    gateways.setGroups(new Set());
    named("g1").answer = () => ({ status: 204, text: "" });
    await settled();
    expect(names(gateways)).toEqual([]);
    expect(events.filter((event) => event.startsWith("up"))).toEqual([]);
  });
});

describe("stopping", () => {
  it("drains all, and nothing is started again", async () => {
    const { gateways, events, lines } = host();
    await gateways.open("pool");
    await gateways.open("trial");
    gateways.setGroups(new Set([1]));
    await settled();
    await gateways.stop(5_000);
    gateways.setGroups(new Set([2]));
    await settled();
    expect(names(gateways)).toEqual([]);
    expect(world.started).toHaveLength(3);
    expect(events.filter((event) => event.startsWith("gone"))).toEqual([
      "gone g1 null",
      "gone g2 null",
      "gone g3 null",
    ]);
    expect(lines).toEqual([]);
  });

  it("at once asks nobody to finish", async () => {
    const { gateways } = host();
    await gateways.open("pool");
    await gateways.stop(0);
    expect(named("g1").told).not.toContain("POST /drain");
    expect(named("g1").told).toContain("stop 0");
  });

  it("still tells why one was killed that drains", async () => {
    const { gateways, events, busy } = host();
    await gateways.open("pool");
    busy.set("g1", () => undefined);
    const stopped = gateways.stop(5_000);
    await settled();
    gateways.kill(named("g1").real, "blocked");
    await stopped;
    expect(events).toContain("gone g1 blocked");
    expect(names(gateways)).toEqual([]);
  });
});
