import { expect, it } from "vitest";
import { judge, type Sight } from "../../../src/domain/containment/watch.ts";
import {
  BLOCK_MS_DEFAULT,
  BLOCK_WALL_MS,
  BLOCK_WALL_MS_UNKNOWN_CPU,
  STALLED_MS,
} from "../../../src/domain/limits.ts";

const LIMITS = { blockMsMax: 500, evictBytes: 100, replaceBytes: 200, killBytes: 300 };
const WELL: Sight = { probeMs: null, blindMs: 0, cpuMs: 0, rssBytes: 50, hogged: false };

it.each<[string, Partial<Sight>, ReturnType<typeof judge>]>([
  ["an idle process", {}, "ok"],
  ["one of which little is known", { cpuMs: null, rssBytes: null }, "ok"],
  ["a probe that has just been sent", { probeMs: STALLED_MS - 1 }, "ok"],
  ["an old probe", { probeMs: STALLED_MS }, "stalled"],
  ["CPU without an answer, not long enough", { probeMs: 499, cpuMs: 499 }, "stalled"],
  ["CPU without an answer", { probeMs: 501, cpuMs: BLOCK_MS_DEFAULT }, "kill: blocked"],
  ["much CPU on several threads, at once", { probeMs: 99, cpuMs: 600 }, "ok"],
  ["silence without CPU", { probeMs: BLOCK_WALL_MS - 1, cpuMs: 10 }, "stalled"],
  ["long silence without CPU", { probeMs: BLOCK_WALL_MS, cpuMs: 10 }, "kill: blocked"],
  ["unknown CPU", { probeMs: BLOCK_WALL_MS_UNKNOWN_CPU - 1, cpuMs: null }, "stalled"],
  ["unknown CPU, longer", { probeMs: BLOCK_WALL_MS_UNKNOWN_CPU, cpuMs: null }, "kill: blocked"],
  ["a watchdog that was away", { probeMs: 60_000, blindMs: 59_950, cpuMs: 900 }, "ok"],
  ["memory above the soft limit", { rssBytes: 100 }, "evict"],
  ["memory above the hard limit", { rssBytes: 200 }, "replace"],
  ["memory far above", { rssBytes: 300 }, "kill: memory"],
  ["hogged", { hogged: true }, "hogged"],
  ["hogged, with a probe that is out", { hogged: true, probeMs: STALLED_MS }, "stalled"],
  ["hogged, and memory above the soft limit", { hogged: true, rssBytes: 100 }, "hogged"],
  ["hogged, and memory above the hard limit", { hogged: true, rssBytes: 200 }, "replace"],
  ["memory and silence", { rssBytes: 200, probeMs: 200 }, "stalled"],
  ["memory far above and blocked", { rssBytes: 300, probeMs: 900, cpuMs: 900 }, "kill: memory"],
])("%s", (_, sight, verdict) => {
  expect(judge({ ...WELL, ...sight }, LIMITS)).toBe(verdict);
});

it("an operator's longer limit holds for wall time too", () => {
  const limits = { ...LIMITS, blockMsMax: 30_000 };
  expect(judge({ ...WELL, probeMs: 29_000, cpuMs: 29_000 }, limits)).toBe("stalled");
  expect(judge({ ...WELL, probeMs: 29_000, cpuMs: null }, limits)).toBe("stalled");
  expect(judge({ ...WELL, probeMs: 30_000, cpuMs: 30_000 }, limits)).toBe("kill: blocked");
});
