import { describe, expect, it } from "vitest";
import { Placement } from "../../src/domain/containment/placement.ts";
import type { Trip } from "../../src/domain/containment/strikes.ts";
import {
  ADMISSION_PROBES,
  BREAKER_STRIKES,
  BREAKER_STRIKES_IN_COMPANY,
  SUSPECT_MS,
} from "../../src/domain/limits.ts";
import { Containment } from "../../src/host/containment.ts";
import { FakeGateway } from "./fake-gateways.ts";

const BAD = "bad.example";
const GOOD = "good.example";
const announced = (gateway: string, versionId = "v1") => ({ gateway, workerId: "w1", versionId });

function contained() {
  let clock = 1_000;
  const placement = new Placement();
  const groups: number[][] = [];
  const trips: Trip[] = [];
  const proofs: string[] = [];
  let changes = 0;
  const containment = new Containment({
    placement,
    onGroups: (wanted) => groups.push([...wanted]),
    onTrip: (trip) => trips.push(trip),
    onProofNeeded: ({ name }) => proofs.push(name),
    onChange: () => changes++,
    now: () => clock,
  });
  let names = 0;
  const up = (kind: "pool" | "quarantine" | "trial", group: number | null = null) => {
    const gateway = new FakeGateway({ name: `g${++names}`, kind });
    containment.up(gateway.real, group);
    return gateway;
  };
  /** A request of the host at the gateway that is its place; gives the gateway's name. */
  const send = (host: string) => {
    const name = placement.place(host, clock);
    if (name === null) throw new Error(`${host} has no place`);
    placement.sent(host, name, clock);
    return name;
  };
  /** As many probes as prove what was admitted last. */
  const prove = (gateway: FakeGateway) => {
    for (let probe = 0; probe < ADMISSION_PROBES; probe++) containment.alive(gateway.real, ++clock);
  };
  return {
    containment,
    placement,
    groups,
    trips,
    proofs,
    up,
    send,
    prove,
    pass: (ms: number) => (clock += ms),
    now: () => clock,
    changes: () => changes,
  };
}

/** All that may be done without waiting for anything has been done. */
const settled = () => new Promise((done) => setImmediate(done));

describe("a gateway that comes up", () => {
  it("gets requests if it is of the pool; those that wait are placed", () => {
    const { placement, up, changes, now } = contained();
    expect(placement.place(GOOD, now())).toBeNull();
    up("trial");
    expect(placement.place(GOOD, now())).toBeNull();
    const before = changes();
    const pool = up("pool");
    expect(placement.place(GOOD, now())).toBe(pool.name);
    expect(changes()).toBe(before + 1);
  });

  it("gets none while it drains", () => {
    const { containment, placement, up, now } = contained();
    const [first, second] = [up("pool"), up("pool")];
    containment.draining(first.real);
    expect(placement.place(GOOD, now())).toBe(second.name);
  });
});

describe("a gateway that is lost", () => {
  it("makes the hosts in flight there suspects, with a process of their own; the others stay in the pool", () => {
    const { containment, placement, groups, up, send, now } = contained();
    const lost = up("pool");
    send(BAD);
    containment.gone(lost.real, "blocked");
    const next = up("pool");
    expect(groups.at(-1)).toHaveLength(1);
    const [group = -1] = groups.at(-1) ?? [];
    expect(placement.place(BAD, now())).toBeNull();
    expect(placement.place(GOOD, now())).toBe(next.name);
    const apart = up("quarantine", group);
    expect(placement.place(BAD, now())).toBe(apart.name);
    expect(placement.place(GOOD, now())).toBe(next.name);
  });

  it("makes nobody a suspect if it was to go", () => {
    const { containment, placement, groups, up, send } = contained();
    const gateway = up("pool");
    send(BAD);
    containment.gone(gateway.real, null);
    expect(placement.suspects).toBe(0);
    expect(groups.flat()).toEqual([]);
  });

  it("leaves suspects in time: without an incident they are back in the pool, their process is wanted no more", () => {
    const { containment, placement, groups, up, send, pass, now } = contained();
    const lost = up("pool");
    send(BAD);
    containment.gone(lost.real, "blocked");
    const pool = up("pool");
    up("quarantine", groups.at(-1)?.[0] ?? -1);
    pass(SUSPECT_MS + 1);
    containment.tick();
    expect(groups.at(-1)).toEqual([]);
    expect(placement.place(BAD, now())).toBe(pool.name);
  });
});

describe("dispatches that are announced", () => {
  it("are admitted one at a time, each after probes have proved the one before", async () => {
    const { containment, up, prove, proofs } = contained();
    const gateway = up("quarantine", 1);
    const order: string[] = [];
    const admit = async (version: string) => {
      const over = await containment.admit(announced(gateway.name, version));
      order.push(version);
      return over;
    };
    const all = [admit("v1"), admit("v2"), admit("v3")];
    await settled();
    expect(order).toEqual(["v1"]);
    expect(proofs).toContain(gateway.name);
    prove(gateway);
    await settled();
    expect(order).toEqual(["v1", "v2"]);
    prove(gateway);
    await Promise.all(all);
    expect(order).toEqual(["v1", "v2", "v3"]);
  });

  it("are not proved by a probe that was sent before they were told", async () => {
    const { containment, up, now, pass } = contained();
    const gateway = up("quarantine", 1);
    const sentAt = now();
    pass(10);
    await containment.admit(announced(gateway.name, "v1"));
    let second = false;
    void containment.admit(announced(gateway.name, "v2")).then(() => (second = true));
    await settled();
    for (let probe = 0; probe < ADMISSION_PROBES * 2; probe++)
      containment.alive(gateway.real, sentAt);
    await settled();
    expect(second).toBe(false);
  });

  it("of a process that nobody knows, or that is gone meanwhile, are refused", async () => {
    const { containment, up } = contained();
    expect(await containment.admit(announced("g99"))).toBeNull();
    expect(await containment.admit(announced(up("pool").name))).toBeNull();
    const gateway = up("quarantine", 1);
    await containment.admit(announced(gateway.name, "v1"));
    const waiting = containment.admit(announced(gateway.name, "v2"));
    containment.gone(gateway.real, "blocked");
    expect(await waiting).toBeNull();
  });

  it(`stop a version after ${BREAKER_STRIKES} losses in which it was alone`, async () => {
    const { containment, trips, up } = contained();
    for (let strike = 1; strike <= BREAKER_STRIKES; strike++) {
      expect(trips).toEqual([]);
      const gateway = up("quarantine", 1);
      await containment.admit(announced(gateway.name, "bad"));
      containment.gone(gateway.real, "blocked");
    }
    expect(trips).toMatchObject([{ workerId: "w1", versionId: "bad", reason: "blocked" }]);
  });

  it("stop no version that others have proved harmless, however often it was in company", async () => {
    const { containment, trips, up, prove } = contained();
    for (let strike = 1; strike <= BREAKER_STRIKES_IN_COMPANY * 2; strike++) {
      const gateway = up("quarantine", 1);
      const over = await containment.admit(announced(gateway.name, "good"));
      await settled();
      prove(gateway);
      over?.();
      await containment.admit(announced(gateway.name, "bad"));
      containment.gone(gateway.real, "blocked");
    }
    expect(new Set(trips.map(({ versionId }) => versionId))).toEqual(new Set(["bad"]));
  });

  it("stop nothing if the process was to go", async () => {
    const { containment, trips, up } = contained();
    for (let turn = 0; turn < 5; turn++) {
      const gateway = up("quarantine", 1);
      await containment.admit(announced(gateway.name, "bad"));
      containment.gone(gateway.real, null);
    }
    expect(trips).toEqual([]);
  });
});

describe("a gateway that stalls", () => {
  it("gets nothing new until it answers; a host that may be why waits", () => {
    const { containment, placement, up, send, changes, now } = contained();
    const [first, second] = [up("pool"), up("pool")];
    const name = send(BAD);
    const [stalled, other] = name === first.name ? [first, second] : [second, first];
    containment.stalled(stalled.real, true);
    expect(placement.place(BAD, now())).toBeNull();
    for (let n = 0; n < 20; n++) expect(placement.place(`h${n}.example`, now())).toBe(other.name);
    const before = changes();
    containment.stalled(stalled.real, false);
    expect(changes()).toBe(before + 1);
    expect(placement.place(BAD, now())).toBe(name);
  });
});
