import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunningTotals } from "../../../src/host/metrics/running-totals.ts";

const told = (value: number, kind = "pool") => [{ name: "n", labels: { kind }, value }];
const values = (totals: RunningTotals) => [...totals.samples].map(({ value }) => value);

describe("totals over processes that come and go", () => {
  it("keep what a process has counted when it is gone, and add its successor's", () => {
    const totals = new RunningTotals();
    totals.take("g1", told(5));
    totals.take("g1", told(7));
    totals.forget("g1");
    totals.take("g2", told(2));
    expect(values(totals)).toEqual([9]);
    totals.take("g3", told(1, "trial"));
    expect(values(totals)).toEqual([9, 1]);
  });

  it("sum samples of one name and the same labels", () => {
    const totals = new RunningTotals();
    totals.take("g1", [...told(1), ...told(2)]);
    totals.take("g1", [...told(2), ...told(2)]);
    expect(values(totals)).toEqual([4]);
  });

  it("never go back and miss nothing that was told, in any order of processes, also when one begins anew", () => {
    const step = fc.record({
      process: fc.constantFrom("g1", "g2", "g3"),
      more: fc.nat(9),
      restarts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const totals = new RunningTotals();
        const counts = new Map<string, number>();
        let expected = 0;
        let before = 0;
        for (const { process, more, restarts } of steps) {
          if (restarts) {
            totals.forget(process);
            counts.delete(process);
          }
          const count = (counts.get(process) ?? 0) + more;
          counts.set(process, count);
          expected += more;
          totals.take(process, told(count));
          const now = values(totals)[0] ?? 0;
          expect(now).toBeGreaterThanOrEqual(before);
          before = now;
        }
        expect(before).toBe(expected);
      }),
    );
  });
});
