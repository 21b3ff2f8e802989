/**
 * Real locks, real gateways, real clocks, and everything goes wrong: whatever is killed, cut off or paused, each
 * register stays linearizable, and the ledger has each acknowledged deployment once and in order.
 */
import { describe, expect, test } from "vitest";
import { CHAOS, FAULT_POINTS, LOCKS, type Chaos } from "./chaos.ts";
import { run } from "./harness.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const SHORT = { leaseMs: 250, driftPermille: 10 };
/** A bug shows while a lease lives that should not count any more: the longer, the sooner it is seen. */
const LONG = { leaseMs: 1_000, driftPermille: 10 };
const SECONDS: Record<Chaos, number> = { calm: 4, net: 6, abort: 8, kill: 6, pause: 6, all: 8 };

describe(`linearizable, with a whole ledger (seed ${seed})`, () => {
  test.each(CHAOS)("%s", async (chaos) => {
    const report = await run({ chaos, seconds: SECONDS[chaos], seed, lease: SHORT });
    console.log(JSON.stringify({ ...report, violations: report.violations.length }));
    expect(report.violations.slice(0, 10)).toEqual([]);
    expect(report.reads).toBeGreaterThan(0);
    expect(report.acknowledged).toBeGreaterThan(3);
    if (chaos === "abort") {
      const each = LOCKS.flatMap((lock) => FAULT_POINTS.map((point) => `${lock}/${point}`));
      expect(Object.keys(report.aborts).toSorted()).toEqual(each.toSorted());
    }
  });
});

describe(`a planted bug is seen (seed ${seed})`, () => {
  test.each(PLANTED_BUGS)("$name", async (bug) => {
    const report = await run({ chaos: bug.chaos, seconds: 20, seed, lease: LONG, bug });
    expect(report.servedOld).toBeGreaterThan(0);
  });
});
