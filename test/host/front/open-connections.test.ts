import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FRONT_LIMITS } from "../../../src/host/front/front-limits.ts";
import {
  HEAD,
  IDLE,
  OpenConnections,
  PARTING,
  type Waiting,
} from "../../../src/host/front/open-connections.ts";

interface Paper {
  readonly name: string;
  readonly client: string | null;
  written: boolean;
  makeRoom(): void;
}

function open(connectionsMax: number, clientConnectionsMax = connectionsMax) {
  const connections = new OpenConnections<Paper>({
    ...FRONT_LIMITS,
    connectionsMax,
    clientConnectionsMax,
  });
  const left: string[] = [];
  const enter = (name: string, waiting: Waiting | null, client: string | null = null): Paper => {
    const paper: Paper = { name, client, written: true, makeRoom: () => left.push(name) };
    connections.opened(paper);
    if (waiting !== null) connections.waits(paper, waiting);
    return paper;
  };
  return { connections, left, enter };
}

describe("a newcomer to a full front takes the place", () => {
  it("of who has waited longest: idle ones first, then unfinished heads, then the parting", () => {
    const { connections, left, enter } = open(7);
    enter("parting", PARTING);
    const again = enter("head 2", HEAD);
    enter("head 1", HEAD);
    enter("idle 1", IDLE);
    enter("idle 2", IDLE);
    enter("busy", null);
    connections.waits(again, IDLE);
    connections.waits(again, HEAD);
    const late = enter("idle 3", IDLE);
    connections.works(late);
    for (let i = 0; i < 5; i++) {
      expect(connections.admit(null)).toBe("room made");
      enter(`new ${i}`, null);
    }
    expect(left).toEqual(["idle 1", "idle 2", "head 1", "head 2", "parting"]);
    expect(connections.admit(null)).toBe("full");
    expect(connections.size).toBe(7);
  });

  it("of who waits, though it says so again and again", () => {
    const { connections, left, enter } = open(2);
    const first = enter("first", HEAD);
    enter("second", HEAD);
    connections.waits(first, HEAD);
    connections.admit(null);
    expect(left).toEqual(["first"]);
  });

  it("of nobody who has not been given all of the last answer yet", () => {
    const { connections, left, enter } = open(3);
    enter("slow", IDLE).written = false;
    enter("done", IDLE);
    enter("head", HEAD);
    connections.admit(null);
    enter("busy", null);
    connections.admit(null);
    enter("busy", null);
    expect(connections.admit(null)).toBe("full");
    expect(left).toEqual(["done", "head"]);
  });

  it("with few looks, however many are in the way", () => {
    const { connections, enter } = open(10_000);
    let looks = 0;
    for (let i = 0; i < 10_000; i++) {
      const paper = enter(`${i}`, IDLE);
      Object.defineProperty(paper, "written", { get: () => (looks++, false) });
    }
    expect(connections.admit(null)).toBe("full");
    expect(looks).toBeLessThan(100);
  });
});

describe("one client", () => {
  it("gets no more connections than one may have, and others are not affected", () => {
    const { connections, enter } = open(10, 2);
    const first = enter("a1", HEAD, "a");
    enter("a2", IDLE, "a");
    expect(connections.admit("a")).toBe("client full");
    expect(connections.admit("b")).toBe("admitted");
    connections.closed(first);
    connections.closed(first);
    expect(connections.admit("a")).toBe("admitted");
  });

  it("that is this machine has no ceiling of its own", () => {
    const { connections, enter } = open(10, 2);
    for (let i = 0; i < 5; i++) enter(`${i}`, HEAD);
    expect(connections.admit(null)).toBe("admitted");
  });
});

type Act = Waiting | "open" | "works" | "closed";
const ACTS: readonly Act[] = ["open", "open", "open", IDLE, HEAD, PARTING, "works", "closed"];

it("whatever comes and goes, there are never more than allowed, of all and of one client", () => {
  const step = fc.record({
    client: fc.constantFrom("a", "b", "c", null),
    act: fc.constantFrom(...ACTS),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { connections, left, enter } = open(8, 4);
      const busy = new Set<string>();
      let names = 0;
      for (const { client, act, which } of steps) {
        const all = [...connections];
        const one = all[which % Math.max(1, all.length)];
        if (act === "open") {
          const before = left.length;
          const admission = connections.admit(client);
          expect(admission === "room made").toBe(left.length > before);
          if (admission === "full") expect(all.every(({ name }) => busy.has(name))).toBe(true);
          if (admission === "full" || admission === "client full") continue;
          busy.add(enter(`${names++}`, null, client).name);
        } else if (one === undefined) continue;
        else if (act === "closed") connections.closed(one);
        else if (act === "works") {
          connections.works(one);
          busy.add(one.name);
        } else {
          connections.waits(one, act);
          busy.delete(one.name);
        }
      }
      const now = [...connections];
      expect(now.length).toBeLessThanOrEqual(8);
      for (const client of ["a", "b", "c"]) {
        const own = now.filter((each) => each.client === client).length;
        expect(own).toBeLessThanOrEqual(4);
        expect(connections.admit(client) === "client full").toBe(own === 4);
      }
      expect(left.some((name) => busy.has(name))).toBe(false);
    }),
  );
});
