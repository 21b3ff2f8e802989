import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { affinity, hashOf } from "../../../src/domain/containment/home.ts";
import { Placement } from "../../../src/domain/containment/placement.ts";
import {
  BREAKER_WINDOW_MS,
  FLIGHT_HOSTS_MAX,
  LINGER_MS,
  PLACED_HOSTS_MAX,
  POOL_LOSSES_WIDEN,
  SPREAD_ANSWER_MS_MAX,
  SPREAD_REQUESTS_MIN,
  SUSPECT_MS,
} from "../../../src/domain/limits.ts";

const HOST = "shop.example";

function pool(size: number): Placement {
  const placement = new Placement();
  for (let n = 1; n <= size; n++) placement.upInPool(`g${n}`);
  return placement;
}

/** Places and sends; what has no place fails the test. */
function send(placement: Placement, host: string, now: number): string {
  const gateway = placement.place(host, now);
  if (gateway === null) throw new Error(`${host} has to wait`);
  placement.sent(host, gateway, now);
  return gateway;
}

/** A host that lives in another process than HOST. */
const neighbourElsewhere = (placement: Placement): string => {
  const home = placement.place(HOST, 0);
  for (let n = 0; ; n++) if (placement.place(`n${n}.example`, 0) !== home) return `n${n}.example`;
};

describe("home", () => {
  it("no gateway: a host waits, and the revision tells when one is up", () => {
    const placement = new Placement();
    const before = placement.revision;
    expect(placement.place(HOST, 0)).toBeNull();
    placement.upInPool("g1");
    expect(placement.revision).toBeGreaterThan(before);
    expect(placement.place(HOST, 0)).toBe("g1");
  });

  it("a host stays in one process, however often it is placed and whatever it does, unless it flows", () => {
    const placement = pool(3);
    const homes = new Set<string>();
    for (let n = 0; n < 100; n++) homes.add(send(placement, HOST, n));
    expect(homes.size).toBe(1);
  });

  it("a host that flows stays at home all the same while the control plane is silent", () => {
    const placement = pool(3);
    const flow = () => {
      const homes = new Set<string>();
      for (let n = 0; n < 100; n++) {
        const gateway = send(placement, HOST, n);
        homes.add(gateway);
        if (n % 2 === 0) placement.answered(HOST, gateway, n);
      }
      return homes.size;
    };
    placement.spreads = false;
    expect(flow()).toBe(1);
    placement.spreads = true;
    expect(flow()).toBeGreaterThan(1);
  });

  it("hosts are spread evenly over the pool", () => {
    const placement = pool(4);
    const counts = new Map<string, number>();
    for (let n = 0; n < 4_000; n++) {
      const gateway = placement.place(`tenant-${n}.example`, 0) ?? "";
      counts.set(gateway, (counts.get(gateway) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });

  it("when a gateway is lost and another takes its place, the other hosts stay where they are", () => {
    const placement = pool(3);
    const hosts = Array.from({ length: 200 }, (_, n) => `tenant-${n}.example`);
    const before = hosts.map((host) => placement.place(host, 0));
    placement.lost("g2", 1);
    const meanwhile = hosts.map((host) => placement.place(host, 1));
    placement.upInPool("g4");
    const after = hosts.map((host) => placement.place(host, 2));
    before.forEach((home, at) => {
      if (home !== "g2") expect(meanwhile[at]).toBe(home);
      else expect(["g1", "g3"]).toContain(meanwhile[at]);
      expect(after[at]).toBe(home === "g2" ? "g4" : home);
    });
  });

  it("the affinity of a host to a slot is a number of 32 bits, whatever its name", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(100), (host, slot) => {
        const much = affinity(hashOf(host), slot);
        expect(Number.isInteger(much) && much >= 0 && much < 2 ** 32).toBe(true);
      }),
    );
  });
});

describe("a host whose requests flow and are many", () => {
  const flowing = (answeredAt: number) => {
    const placement = pool(2);
    const home = send(placement, HOST, 0);
    placement.answered(HOST, home, answeredAt);
    for (let n = 0; n < SPREAD_REQUESTS_MIN; n++) placement.sent(HOST, home, answeredAt);
    return { placement, home };
  };

  it("goes to the least loaded gateway", () => {
    const { placement, home } = flowing(1_000);
    expect(placement.place(HOST, 1_000 + SPREAD_ANSWER_MS_MAX)).not.toBe(home);
  });

  it("stays at home if it has not been answered for a while: it may be what blocks", () => {
    const { placement, home } = flowing(1_000);
    expect(placement.place(HOST, 1_001 + SPREAD_ANSWER_MS_MAX)).toBe(home);
  });

  it("stays at home with fewer requests; those that are answered do not count", () => {
    const { placement, home } = flowing(1_000);
    placement.answered(HOST, home, 1_000);
    expect(placement.place(HOST, 1_000)).toBe(home);
  });
});

describe("a gateway that stalls", () => {
  it("gets nothing new; a host that may be the cause waits, others go elsewhere", () => {
    const placement = pool(2);
    const home = send(placement, HOST, 0);
    placement.stalled(home, true);
    expect(placement.place(HOST, 1)).toBeNull();
    const innocent = "innocent.example";
    expect(placement.place(innocent, 1)).not.toBe(home);
    expect(placement.place(innocent, 1)).not.toBeNull();
    const before = placement.revision;
    placement.stalled(home, false);
    expect(placement.revision).toBeGreaterThan(before);
    expect(placement.place(HOST, 2)).toBe(home);
  });

  it("a host whose client gave up may still be the cause, until a probe sent later is answered", () => {
    const placement = pool(2);
    const home = send(placement, HOST, 10);
    placement.ended(HOST, home, "unanswered", 20);
    placement.alive(home, 15);
    placement.stalled(home, true);
    expect(placement.place(HOST, 30)).toBeNull();
    placement.alive(home, 25);
    expect(placement.place(HOST, 40)).not.toBeNull();
  });

  it("a host whose requests have ended well, or that never came, is not held", () => {
    const placement = pool(2);
    const home = send(placement, HOST, 10);
    placement.answered(HOST, home, 11);
    placement.ended(HOST, home, "complete", 12);
    placement.stalled(home, true);
    expect(placement.place(HOST, 20)).not.toBeNull();
  });

  it("the only one: everybody waits", () => {
    const placement = pool(1);
    placement.stalled("g1", true);
    expect(placement.place(HOST, 0)).toBeNull();
  });
});

describe("a gateway that drains", () => {
  it("gets nothing new; when it has gone, nobody is a suspect", () => {
    const placement = pool(2);
    const home = send(placement, HOST, 0);
    placement.draining(home);
    expect(placement.place(HOST, 1)).not.toBe(home);
    placement.gone(home);
    expect(placement.suspects).toBe(0);
    placement.ended(HOST, home, "complete", 2);
    expect(placement.place(HOST, 3)).not.toBeNull();
  });

  it("and is lost: those in flight are suspects all the same", () => {
    const placement = pool(2);
    const home = send(placement, HOST, 0);
    placement.draining(home);
    placement.lost(home, 1);
    expect(placement.groupOf(HOST)).not.toBeNull();
  });
});

describe("a gateway that is lost", () => {
  it("makes suspects of the hosts in flight and of nobody else", () => {
    const placement = pool(2);
    const neighbour = neighbourElsewhere(placement);
    const home = send(placement, HOST, 0);
    send(placement, neighbour, 0);
    const wanted = placement.lost(home, 1);
    expect(wanted.map(({ hosts }) => hosts)).toEqual([[HOST]]);
    expect(placement.place(neighbour, 2)).not.toBeNull();
  });

  it("that fills its memory too soon makes suspects of all that it has served lately, though it goes on", () => {
    const placement = pool(1);
    send(placement, "leaks.example", 0);
    placement.ended("leaks.example", "g1", "complete", 5);
    send(placement, HOST, 10);
    const hosts = placement.swollen("g1", 20).flatMap((group) => group.hosts);
    expect(hosts.toSorted()).toEqual(["leaks.example", HOST].toSorted());
    expect(placement.place("other.example", 30)).toBe("g1");
    expect(placement.place("leaks.example", 30)).toBeNull();
  });

  it("a suspect goes to its quarantine gateway and to no other, until it is cleared", () => {
    const placement = pool(2);
    const [wanted] = placement.lost(send(placement, HOST, 0), 1);
    const group = wanted?.group ?? 0;
    expect(placement.place(HOST, 2)).toBeNull();
    placement.upInQuarantine("other", group + 1);
    expect(placement.place(HOST, 2)).toBeNull();
    placement.upInQuarantine("apart", group);
    expect(placement.place(HOST, 2)).toBe("apart");
    placement.stalled("apart", true);
    expect(placement.place(HOST, 3)).toBeNull();
    placement.stalled("apart", false);
    const before = placement.revision;
    expect(placement.tick(1 + SUSPECT_MS)).toEqual([]);
    expect(placement.revision).toBeGreaterThan(before);
    expect(["g1", "g2"]).toContain(placement.place(HOST, 2 + SUSPECT_MS));
  });

  it("a client that left before its loop was noticed is a suspect", () => {
    const placement = pool(1);
    const home = send(placement, HOST, 10);
    placement.alive(home, 9);
    placement.ended(HOST, home, "unanswered", 12);
    placement.lost(home, 600);
    expect(placement.groupOf(HOST)).not.toBeNull();
  });

  it("requests that came since it last proved alive are likelier than older ones", () => {
    const placement = pool(1);
    send(placement, "stream.example", 10);
    send(placement, "chat.example", 10);
    placement.alive("g1", 50);
    send(placement, HOST, 60);
    const wanted = placement.lost("g1", 700);
    expect(wanted.map(({ hosts }) => hosts)).toEqual([[HOST], ["stream.example", "chat.example"]]);
  });

  /** A request that is answered and ends well. */
  const visited = (placement: Placement, host: string, gateway: string, now: number) => {
    placement.sent(host, gateway, now);
    placement.answered(host, gateway, now);
    placement.ended(host, gateway, "complete", now);
  };

  it("nothing in flight: all that it has served lately are suspects, for a timer may have run", () => {
    const placement = pool(1);
    visited(placement, HOST, "g1", 0);
    placement.tick(LINGER_MS);
    const wanted = placement.lost("g1", LINGER_MS);
    expect(wanted.map(({ hosts }) => hosts)).toEqual([[HOST]]);
  });

  it("nothing in flight, and nobody for long: no suspects", () => {
    const placement = pool(1);
    visited(placement, HOST, "g1", 0);
    expect(placement.lost("g1", LINGER_MS + 1)).toEqual([]);
  });

  it("something in flight: those that had ended before are no suspects", () => {
    const placement = pool(1);
    visited(placement, HOST, "g1", 0);
    placement.sent("other.example", "g1", 1);
    expect(placement.lost("g1", 2).map(({ hosts }) => hosts)).toEqual([["other.example"]]);
  });

  it("while it drains: those that had ended are suspects too, apart from those in flight", () => {
    const placement = pool(1);
    visited(placement, HOST, "g1", 0);
    placement.sent("slow.example", "g1", 1);
    placement.draining("g1");
    const wanted = placement.lost("g1", 2);
    expect(wanted.map(({ hosts }) => hosts)).toEqual([["slow.example"], [HOST]]);
  });

  it("again and again: hosts whose requests had ended are suspects too, and the pool announces", () => {
    const placement = new Placement();
    for (let n = 1; n <= POOL_LOSSES_WIDEN; n++) {
      placement.upInPool(`g${n}`);
      visited(placement, HOST, `g${n}`, n);
      placement.sent(`other${n}.example`, `g${n}`, n);
      expect(placement.poolAnnounces(n)).toBe(false);
      expect(placement.groupOf(HOST)).toBeNull();
      placement.lost(`g${n}`, n);
    }
    expect(placement.groupOf(HOST)).not.toBeNull();
    expect(placement.poolAnnounces(BREAKER_WINDOW_MS)).toBe(true);
    expect(placement.poolAnnounces(2 * BREAKER_WINDOW_MS)).toBe(false);
  });
});

it("memory is bounded, however many hosts come", () => {
  const placement = pool(2);
  for (let n = 0; n < 3 * PLACED_HOSTS_MAX; n++) {
    const host = `${n}.example`;
    const gateway = send(placement, host, n);
    placement.answered(host, gateway, n);
    placement.ended(host, gateway, "complete", n);
    if (n % 1_000 === 0) placement.tick(n);
  }
  placement.tick(3 * PLACED_HOSTS_MAX);
  expect(placement.remembered).toBeLessThanOrEqual(PLACED_HOSTS_MAX + 2 * FLIGHT_HOSTS_MAX);
  placement.tick(3 * PLACED_HOSTS_MAX + LINGER_MS);
  expect(placement.remembered).toBeLessThanOrEqual(PLACED_HOSTS_MAX);
});
