import { describe, expect, it } from "vitest";
import {
  SUPERVISOR_DEATHS_MAX,
  SUPERVISOR_DEATHS_WINDOW_MS,
} from "../../src/host/launcher-limits.ts";
import { decideRestart } from "../../src/host/restart-policy.ts";

/** The pauses that deaths at these times lead to. */
function pauses(times: readonly number[]): (number | undefined)[] {
  let deaths: readonly number[] = [];
  return times.map((at) => {
    const decision = decideRestart(deaths, at);
    deaths = decision.deaths;
    return decision.pauseMs;
  });
}

describe("a supervisor that died", () => {
  it("is started again at once, then ever more slowly, and after too many deaths no more", () => {
    expect(pauses(Array.from({ length: SUPERVISOR_DEATHS_MAX + 1 }, (_, n) => n))).toEqual([
      0,
      100,
      200,
      400,
      800,
      1_600,
      3_200,
      5_000,
      5_000,
      5_000,
      undefined,
    ]);
  });

  it("is started at once for ever if its deaths are a window apart", () => {
    const times = Array.from({ length: 50 }, (_, n) => n * SUPERVISOR_DEATHS_WINDOW_MS);
    expect(new Set(pauses(times))).toEqual(new Set([0]));
  });

  it("can use up the allowance within one window, pauses and all", () => {
    let now = 0;
    let deaths: readonly number[] = [];
    let restarts = 0;
    for (;;) {
      const decision = decideRestart(deaths, now);
      if (decision.pauseMs === undefined) break;
      deaths = decision.deaths;
      now += decision.pauseMs + 1_000;
      restarts++;
      expect(restarts).toBeLessThanOrEqual(SUPERVISOR_DEATHS_MAX);
    }
    expect(restarts).toBe(SUPERVISOR_DEATHS_MAX);
  });
});
