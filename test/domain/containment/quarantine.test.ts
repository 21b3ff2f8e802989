import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Quarantine } from "../../../src/domain/containment/quarantine.ts";
import {
  SUSPECT_MS,
  SUSPECT_MS_MAX,
  SUSPECTS_MAX,
  SUSPICION_MEMORY_MS,
} from "../../../src/domain/limits.ts";

const hosts = (count: number) => Array.from({ length: count }, (_, at) => `h${at}`);
const prime = (...names: readonly string[]) => ({ prime: names, others: [] });
const shape = (quarantine: Quarantine) =>
  quarantine.wanted().map((group) => group.hosts.toSorted().join(" "));

describe("a loss in the pool", () => {
  it("that no request explains makes nobody a suspect", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime(), 0);
    expect(quarantine.wanted()).toEqual([]);
  });

  it("deals the likely causes over the processes", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime("a", "b", "c", "d", "e"), 0);
    expect(shape(quarantine)).toEqual(["a e", "b", "c", "d"]);
  });

  it("keeps those that were only there apart from the likely causes", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, { prime: ["a", "b"], others: ["x", "y", "z"] }, 0);
    expect(shape(quarantine)).toEqual(["a", "b", "x y z"]);
  });

  it("with all processes in use, adds to the fullest group, and never to none", () => {
    const quarantine = new Quarantine(2);
    quarantine.lost(null, prime("a", "b", "c"), 0);
    quarantine.lost(null, prime("x"), 1);
    expect(quarantine.groupOf("x")).not.toBeNull();
    expect(shape(quarantine)).toEqual(["a c x", "b"]);
  });
});

describe("a loss in quarantine", () => {
  it("clears those of the group that cannot be the cause, and splits the others", () => {
    const quarantine = new Quarantine(2);
    quarantine.lost(null, prime("a", "b", "c", "d", "e", "f"), 0);
    const group = quarantine.groupOf("a");
    expect(shape(quarantine)).toEqual(["a c e", "b d f"]);
    // The other group has been quiet, and there are two processes: the half that goes joins it.
    quarantine.lost(group, prime("a", "c"), 10);
    expect(quarantine.groupOf("e")).toBeNull();
    expect(shape(quarantine)).toEqual(["b c d f", "a"]);
  });

  it("keeps all of the group if nothing explains it", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime("a"), 0);
    quarantine.lost(quarantine.groupOf("a"), prime(), 10);
    expect(shape(quarantine)).toEqual(["a"]);
  });

  it("gives the group a new number: its process has gone", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime("a"), 0);
    const first = quarantine.groupOf("a");
    quarantine.lost(first, prime("a"), 10);
    expect(quarantine.groupOf("a")).toBeGreaterThan(first ?? 0);
    expect(quarantine.isWanted(first ?? 0)).toBe(false);
  });

  it("leaves a suspect of another group where it is", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime("a", "b"), 0);
    const [a, b] = [quarantine.groupOf("a"), quarantine.groupOf("b")];
    quarantine.lost(a, prime("a", "b"), 10);
    expect(quarantine.groupOf("b")).toBe(b);
  });

  it("one culprit of many that always answer for a loss is alone after few losses", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), (count, at) => {
        const quarantine = new Quarantine();
        const all = hosts(count);
        const culprit = all[at % count] ?? "";
        quarantine.lost(null, prime(...all), 0);
        for (let losses = 1; ; losses++) {
          const group = quarantine.groupOf(culprit);
          const companions =
            quarantine.wanted().find((wanted) => wanted.group === group)?.hosts ?? [];
          if (companions.length === 1) return;
          expect(losses).toBeLessThan(16);
          // Everybody always has a request in flight: the worst case.
          quarantine.lost(group, prime(...companions), losses * 1_000);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("time apart", () => {
  it("ends without an incident; the process is wanted no more", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, prime("a"), 0);
    quarantine.tick(SUSPECT_MS - 1);
    expect(quarantine.groupOf("a")).not.toBeNull();
    quarantine.tick(SUSPECT_MS);
    expect(quarantine.groupOf("a")).toBeNull();
    expect(quarantine.wanted()).toEqual([]);
  });

  it("doubles with each suspicion, up to a limit, and starts anew when the last is long past", () => {
    const quarantine = new Quarantine();
    const clearedAt = (lostAt: number) => {
      quarantine.lost(quarantine.groupOf("a"), prime("a"), lostAt);
      let now = lostAt;
      while (quarantine.groupOf("a") !== null) quarantine.tick((now += 1_000));
      return now;
    };
    let now = 0;
    for (const term of [10_000, 20_000, 40_000, 80_000, 160_000, 320_000]) {
      expect(clearedAt(now)).toBe(now + term);
      now += term;
    }
    expect(clearedAt(now)).toBe(now + SUSPECT_MS_MAX);
    now += SUSPECT_MS_MAX + SUSPICION_MEMORY_MS + 1;
    expect(clearedAt(now)).toBe(now + SUSPECT_MS);
  });

  it("is only renewed, not doubled, for those that were merely there", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, { prime: ["a"], others: ["b"] }, 0);
    quarantine.lost(quarantine.groupOf("a"), { prime: ["a"], others: ["b"] }, 1_000);
    quarantine.tick(1_000 + SUSPECT_MS);
    expect([quarantine.groupOf("a") === null, quarantine.groupOf("b")]).toEqual([false, null]);
  });

  it("also doubles for those who were there again and again when the pool lost one: their timers may be long", () => {
    const quarantine = new Quarantine();
    quarantine.lost(null, { prime: ["a"], others: ["b"] }, 0);
    quarantine.lost(null, { prime: ["c"], others: ["b"] }, 1_000);
    quarantine.tick(1_000 + SUSPECT_MS);
    expect(quarantine.groupOf("b")).not.toBeNull();
    quarantine.tick(1_000 + 2 * SUSPECT_MS);
    expect(quarantine.groupOf("b")).toBeNull();
  });
});

it("memory is bounded: those that would be cleared next make room, recidivists stay", () => {
  const quarantine = new Quarantine();
  quarantine.lost(null, prime("recidivist"), 0);
  quarantine.lost(quarantine.groupOf("recidivist"), prime("recidivist"), 1);
  quarantine.lost(null, prime(...hosts(SUSPECTS_MAX + 50)), 2);
  expect(quarantine.size).toBe(SUSPECTS_MAX);
  expect(quarantine.groupOf("recidivist")).not.toBeNull();
  for (let n = 1; n < 5; n++) quarantine.lost(null, prime(...hosts(2_000).map((h) => h + n)), n);
  expect(quarantine.remembered).toBeLessThanOrEqual(2 * SUSPECTS_MAX);
});

it("whatever happens: every suspect is in one wanted group, no group is empty, and processes are few", () => {
  const loss = fc.record({
    at: fc.nat(6),
    prime: fc.subarray(hosts(8)),
    others: fc.subarray(["x", "y", "z"]),
    afterMs: fc.nat(4_000),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(loss), (max, losses) => {
      const quarantine = new Quarantine(max);
      let now = 0;
      for (const { at, afterMs, ...causes } of losses) {
        now += afterMs;
        quarantine.tick(now);
        const group = quarantine.wanted()[at]?.group ?? null;
        quarantine.lost(group, causes, now);
        const wanted = quarantine.wanted();
        const apart = wanted.flatMap((each) => each.hosts);
        expect(wanted.length).toBeLessThanOrEqual(max);
        expect(wanted.every((each) => each.hosts.length > 0)).toBe(true);
        expect(apart).toHaveLength(quarantine.size);
        expect(new Set(apart).size).toBe(quarantine.size);
        for (const each of wanted) {
          for (const host of each.hosts) expect(quarantine.groupOf(host)).toBe(each.group);
        }
        for (const host of causes.prime) expect(quarantine.groupOf(host)).not.toBeNull();
      }
    }),
    { numRuns: 300 },
  );
});
