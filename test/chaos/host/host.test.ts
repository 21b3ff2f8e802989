/**
 * Any process of a real host dies at any time, under visitors and deployments: reads stay linearizable, nothing that
 * was acknowledged is lost, every request ends, and the host comes back by itself.
 */
import { describe, expect, test } from "vitest";
import { HOST_BUGS, planting } from "./planted-bugs.ts";
import { runHostChaos } from "./run.ts";
import { faultsOf, tableOf } from "./table.ts";

const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const KILLS = 25;
/** A machine that does much else at the same time needs its time. */
const MS_MAX = 600_000;

describe(`processes of a host killed at random (seed ${seed})`, () => {
  test(
    `${KILLS} kills`,
    async () => {
      const report = await runHostChaos({ kills: KILLS, seed });
      console.log(tableOf(report));
      const faults = faultsOf(report);
      if (faults.length > 0) process.stderr.write(report.log);
      expect(faults.slice(0, 10)).toEqual([]);
      expect(report.kills).toBeGreaterThanOrEqual(KILLS);
      expect(report.reads).toBeGreaterThan(KILLS);
      expect(report.acknowledged).toBeGreaterThan(KILLS);
    },
    MS_MAX,
  );
});

describe(`a planted bug is seen (seed ${seed})`, () => {
  test.each(HOST_BUGS)(
    "$name",
    async (bug) => {
      const planted = await planting(bug);
      try {
        const report = await runHostChaos({
          ...planted.options,
          kills: 15,
          seed,
          untilServedOld: true,
        });
        expect(report.servedOld).toBeGreaterThan(0);
      } finally {
        planted.remove();
      }
    },
    MS_MAX,
  );
});
