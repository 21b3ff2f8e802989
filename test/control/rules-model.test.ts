/**
 * The rules against a model: whatever is uploaded, deleted, revoked, deployed and rolled back in whatever order, with the lock
 * and the database real, each call is answered as the model says, and nothing but what was accepted has changed.
 * RULES_SEED and RULES_RUNS in `test/control/rules-model.test.ts` choose other walks.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../src/domain/version.ts";
import { apiClient } from "../api/api-fixture.ts";
import { commands, type Real } from "./rules-model/commands.ts";
import { Model, type Rule } from "./rules-model/model.ts";

const RULES_SEED = 20_261_123;
const RULES_RUNS = 25;
const COMMANDS_MAX = 100;

/** Starting a version shows the classes that its text exports. */
const probe = (version: { modules: readonly { bytes: Uint8Array }[] }): Promise<ProbeResult> => {
  const code = version.modules.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  const names = [...code.matchAll(/export class (\w+)/g)].map(([, name]) => name ?? "");
  const namedHandlers = names.map((name) => ({ name, handlers: ["class"] }));
  return Promise.resolve({ ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers });
};

let workers = 0;

/** How many commands were carried out. Rejects with the counterexample. */
async function walk(without: Rule | null, runs: number): Promise<number> {
  const client = await apiClient({ probe });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(commands(COMMANDS_MAX), async (walked) => {
      workers += 1;
      const real: Real = { client, name: `rules-${workers}`, count: 0 };
      const setup = () => ({ model: new Model(without), real });
      try {
        await fc.asyncModelRun(setup, walked);
      } finally {
        count += real.count;
      }
    }),
    {
      numRuns: runs,
      seed: RULES_SEED,
      // A planted bug is only to be found; a real one is to be understood.
      endOnFailure: without !== null,
    },
  );
  return count;
}

describe("the rules of a deployment", () => {
  it(
    "hold over thousands of calls in any order, with locks that crash",
    { timeout: 280_000 },
    async () => {
      expect(await walk(null, RULES_RUNS)).toBeGreaterThan(900);
    },
  );

  it.each([
    "recent",
    "migration",
    "missing",
    "secrets",
    "revoked",
    "force is for secrets alone",
    "serving versions may change their share",
    "previous skips what was left",
  ] satisfies Rule[])(
    "are told apart from the same without: %s",
    { timeout: 280_000 },
    async (rule) => {
      await expect(walk(rule, 4 * RULES_RUNS)).rejects.toThrow();
    },
  );
});
