import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Behaviour } from "./simulated-gateway.ts";
import { isInnocent, type Run, runLoad, type Site, versionOf } from "./simulated-load.ts";

const GOOD: Behaviour = { kind: "good", cpuMs: 1 };
const SLOW: Behaviour = { kind: "slow", waitMs: 400 };
const LOOPS: Behaviour = { kind: "loops", share: 1, afterMs: 0 };
const PERIOD_MS = 12_000;
/** Kill, another process, and once more: what a request that is sent twice may meet in quarantine. */
const INNOCENT_MS_MAX = 2_500;
/** For each gateway of the pool, each halving of a group, two strikes; and some in company. */
const LOSSES_MAX = 12;
/** Visitors who never come under the same name twice are found only in gateways of the pool that announce. */
const LOSSES_MAX_FRESH_HOSTS = 25;

const site = (host: string, behaviours: readonly Behaviour[], more: Partial<Site> = {}): Site => ({
  host,
  behaviours,
  clients: 1,
  pauseMs: 40,
  ...more,
});

const goodSites = (count: number, more: Partial<Site> = {}) =>
  Array.from({ length: count }, (_, at) =>
    site(`h${at}.example`, [at % 3 === 2 ? SLOW : GOOD], more),
  );

const innocents = fc.integer({ min: 1, max: 12 }).map((count) => goodSites(count));
const someLoops = fc
  .integer({ min: 10, max: 90 })
  .map((percent): Behaviour => ({ kind: "loops", share: percent / 100, afterMs: 0 }));
const culprit = fc.oneof(
  fc.constant([LOOPS]),
  someLoops.map((behaviour) => [behaviour]),
  fc.constant<Behaviour[]>([{ kind: "loops", share: 1, afterMs: 300 }]),
  fc.constant<Behaviour[]>([{ kind: "loops after its response", afterMs: 300 }]),
  fc.constant<Behaviour[]>([{ kind: "crashes", share: 1 }]),
  fc.constant<Behaviour[]>([GOOD, LOOPS]),
  fc.constant<Behaviour[]>([SLOW, LOOPS]),
);
const culprits = fc
  .array(
    fc.record({
      behaviours: culprit,
      clients: fc.integer({ min: 1, max: 4 }),
      patienceMs: fc.option(fc.integer({ min: 20, max: 3_000 }), { nil: undefined }),
      freshHosts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((sites) =>
    sites.map(({ behaviours, clients, patienceMs, freshHosts }, at) =>
      site(`bad${at}.example`, behaviours, {
        clients,
        freshHosts,
        ...(patienceMs !== undefined && { patienceMs }),
      }),
    ),
  );
const scenario = { innocents, culprits, pool: fc.integer({ min: 1, max: 4 }), seed: fc.nat() };

/** Versions of the sites with such behaviours. */
const versions = (sites: readonly Site[], which: (behaviour: Behaviour) => boolean) =>
  sites.flatMap((each) =>
    each.behaviours.flatMap((behaviour, at) => (which(behaviour) ? [versionOf(each, at)] : [])),
  );

describe("a machine whose versions loop, crash and dawdle", () => {
  it("keeps its promises", () => {
    fc.assert(
      fc.property(fc.record(scenario), ({ innocents: good, culprits: bad, pool, seed }) => {
        const sites = [...good, ...bad];
        const { host, tallies, open } = runLoad(sites, pool, PERIOD_MS, seed);

        // A suspect is never in the pool; nothing new goes where a process stalls, nor what may be why elsewhere.
        expect(host.broken).toEqual([]);
        expect(host.placements).toBeGreaterThan(100);
        // No innocent version is ever stopped.
        for (const version of versions(sites, isInnocent)) {
          expect(host.tripped.has(version)).toBe(false);
        }
        // Who always takes its process down is stopped, and has not taken down many.
        for (const each of bad) {
          const most = each.freshHosts ? LOSSES_MAX_FRESH_HOSTS : LOSSES_MAX;
          for (const version of versions([each], (behaviour) => behaviour === LOOPS)) {
            expect(host.tripped.has(version)).toBe(true);
            expect(host.lossesBy.get(version)).toBeLessThanOrEqual(most);
          }
        }
        // Nobody waits for ever; with two gateways in the pool, innocent hosts never for long.
        expect(open).toBe(0);
        expect(host.waiting.size).toBe(0);
        if (pool < 2) return;
        for (const { host: name } of good) {
          expect(tallies.get(name)?.longestMs).toBeLessThan(INNOCENT_MS_MAX);
        }
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it("forgets everything when all is quiet: no suspects, no groups, hosts as long as they may matter", () => {
    fc.assert(
      fc.property(fc.record(scenario), ({ innocents: good, culprits: bad, pool, seed }) => {
        const { host } = runLoad([...good, ...bad], pool, 3_000, seed);
        host.runUntil(2_000_000);
        expect(host.placement.wanted()).toEqual([]);
        expect(host.gateways.size).toBe(pool);
      }),
      { numRuns: 5 },
    );
  }, 120_000);
});

/** Of all requests of innocent hosts, how many failed and how many took more than a second. */
function harm({ tallies }: Run) {
  const sums = { asked: 0, failed: 0, late: 0 };
  for (const [name, tally] of tallies) {
    if (name.startsWith("bad")) continue;
    sums.asked += tally.asked;
    sums.failed += tally.failed;
    sums.late += tally.late;
  }
  return { failed: sums.failed / sums.asked, late: sums.late / sums.asked };
}

describe("fifty clients, one host of ten loops", () => {
  it.each([1, 2])("%i gateways in the pool: hardly any innocent request is lost", (pool) => {
    const sites = [
      ...goodSites(9, { clients: 5, pauseMs: 20 }),
      site("bad.example", [LOOPS], { clients: 5, pauseMs: 20 }),
    ];
    for (let seed = 1; seed <= 3; seed++) {
      const run = runLoad(sites, pool, 10_000, seed);
      expect([...run.host.tripped]).toEqual([["bad.example/0", "blocked"]]);
      expect(run.host.poolLossesBy.get("bad.example/0")).toBe(1);
      expect(harm(run).failed).toBeLessThan(0.002);
      expect(harm(run).late).toBeLessThan(0.002);
    }
  });
});

describe("a version that goes on behind its response, in bursts too short to be blamed for one", () => {
  it("is stopped, and nobody else is", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const bad = site("bad.example", [{ kind: "hogs", burstMs: 100 + 60 * seed }], {
        pauseMs: 5_000,
      });
      const { host, open } = runLoad([...goodSites(12), bad], 1 + (seed % 3), 120_000, seed);
      expect([...host.tripped]).toEqual([["bad.example/0", "blocked"]]);
      expect(host.broken).toEqual([]);
      expect(open).toBe(0);
    }
  }, 120_000);
});

describe("a version that loops long after its response", () => {
  it("is stopped, and nobody else is", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const late: Behaviour = { kind: "loops after its response", afterMs: 40_000 };
      const bad = site("bad.example", [late], { pauseMs: 3_000 });
      const { host } = runLoad([...goodSites(8), bad], 2, 480_000, seed);
      expect([...host.tripped]).toEqual([["bad.example/0", "blocked"]]);
      expect(host.broken).toEqual([]);
    }
  }, 120_000);
});

describe("many culprits at once, that loop only after a while", () => {
  it("are told from their neighbours all the same", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const bad = Array.from({ length: 6 }, (_, at) =>
        site(`bad${at}.example`, [{ kind: "loops", share: 1, afterMs: 400 }], { clients: 3 }),
      );
      const { host } = runLoad([...goodSites(30), ...bad], 2, 40_000, seed);
      expect([...host.tripped.keys()].toSorted()).toEqual(versions(bad, () => true));
    }
  }, 60_000);
});
