import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as lease from "../../src/domain/lease.ts";
import * as register from "../../src/domain/register.ts";
import { MUTANTS } from "./mutants.ts";
import { replay, schedules } from "./replay.ts";

const RUNS = 50_000;
const MUTANT_RUNS_MAX = 400_000;
/** A schedule that shows a bug is only worth keeping when it can be read. */
const READABLE_COMMANDS_MAX = 40;
const core = { lease, register };

describe("schedules of commands, shrunk when they fail", () => {
  for (const stepping of [false, true]) {
    it(`keep the promise${stepping ? " while holders' clocks are set back" : ""}`, () => {
      fc.assert(
        fc.property(schedules(stepping), (schedule) => {
          expect(replay(core, {}, schedule)).toBeNull();
        }),
        { numRuns: RUNS, seed: 42 },
      );
    });
  }
});

describe("a readable schedule shows each planted bug", () => {
  for (const mutant of MUTANTS.filter(({ onlyWalk }) => onlyWalk !== true)) {
    it(mutant.name, async () => {
      const mutated = await mutant.core();
      const details = fc.check(
        fc.property(
          schedules(mutant.needsSteppingClocks),
          (schedule) => replay(mutated, mutant.faults, schedule) === null,
        ),
        { numRuns: MUTANT_RUNS_MAX, seed: 42 },
      );
      expect(details.failed).toBe(true);
      const commands = details.counterexample?.[0].commands ?? [];
      expect(commands.length).toBeLessThanOrEqual(READABLE_COMMANDS_MAX);
    });
  }
});
