import { describe, expect, it } from "vitest";
import * as lease from "../../src/domain/lease.ts";
import * as register from "../../src/domain/register.ts";
import { MUTANTS, UNCUT } from "./mutants.ts";
import { walk, type WalkResult } from "./walk.ts";

/** Runs of the correct core. `MODEL_RUNS=1000000` for a night. */
const RUNS = Number(process.env["MODEL_RUNS"] ?? 20_000);
/** A night walks new ground: `MODEL_SEED=$RANDOM`. The seed of a breach is printed with it. */
const FIRST_SEED = Number(process.env["MODEL_SEED"] ?? 1);
const STEPS_PER_RUN = 2_000;
const MUTANT_RUNS_MAX = 5_000;
const core = { lease, register };

function report(what: string, { steps, counts }: WalkResult): void {
  console.log(
    `${what}: ${RUNS} runs from seed ${FIRST_SEED}, ${steps} steps, ${JSON.stringify(counts)}`,
  );
}

describe("random walk over the leases and the register", { timeout: 60_000 + 10 * RUNS }, () => {
  it("no request is served by less than what was acknowledged or seen before it began", () => {
    const result = walk(core, { runs: RUNS, stepsPerRun: STEPS_PER_RUN, firstSeed: FIRST_SEED });
    report("walk", result);
    expect(result.breach).toBeNull();
    // What never happens is not tested.
    expect(Object.entries(result.counts).filter(([, count]) => count < RUNS / 10)).toEqual([]);
  });

  it("nor when holders' clocks are set back", () => {
    const runs = Math.ceil(RUNS / 4);
    const options = { runs, stepsPerRun: STEPS_PER_RUN, firstSeed: FIRST_SEED };
    const result = walk(core, { ...options, steppingClocks: true });
    report("stepping clocks", result);
    expect(result.breach).toBeNull();
  });

  it("a change waits longer, but is not wrong, when leases do not make way for it", async () => {
    const options = { runs: 500, stepsPerRun: STEPS_PER_RUN, firstSeed: 1 };
    const cut = walk(core, options);
    const uncut = walk(await UNCUT.core(), options);
    expect(uncut.breach).toBeNull();
    expect(uncut.counts.acks).toBeLessThan(cut.counts.acks * 0.75);
  });

  it("the walk is the same for the same seed", () => {
    const options = { runs: 20, stepsPerRun: STEPS_PER_RUN, firstSeed: 7 };
    expect(walk(core, options)).toEqual(walk(core, options));
  });
});

describe("the walk finds each planted bug", () => {
  for (const mutant of MUTANTS) {
    it(mutant.name, async () => {
      const { breach } = walk(await mutant.core(), {
        runs: MUTANT_RUNS_MAX,
        stepsPerRun: STEPS_PER_RUN,
        firstSeed: 1,
        faults: mutant.faults,
        steppingClocks: mutant.needsSteppingClocks,
      });
      expect(breach).not.toBeNull();
    });
  }
});
