import { describe, expect, it } from "vitest";
import type { StopReason } from "../../../src/domain/breaker.ts";
import { type RunVersion, sharesOf } from "../../../src/domain/containment/blame.ts";
import { Strikes } from "../../../src/domain/containment/strikes.ts";
import type { VersionId, WorkerId } from "../../../src/domain/ids.ts";
import { BREAKER_WINDOW_MS, STRUCK_VERSIONS_MAX } from "../../../src/domain/limits.ts";

const version = (name: string) => ({ workerId: "w" as WorkerId, versionId: name as VersionId });
const V = version("v");

/** One strike; a share counts as that of the likeliest, if nothing else is said. */
const struck = (
  strikes: Strikes,
  of: RunVersion,
  weight: number,
  cause: StopReason,
  now: number,
  likeliest = true,
) => strikes.lost([{ ...of, weight, likeliest }], cause, now)[0] ?? null;

describe("a version trips", () => {
  it("at its second exact strike within the window, and says why", () => {
    const strikes = new Strikes();
    expect(struck(strikes, V, 1, "blocked", 0)).toBeNull();
    const trip = struck(strikes, V, 1, "blocked", BREAKER_WINDOW_MS);
    expect(trip).toEqual({ ...V, reason: "blocked", strikes: 2 });
  });

  it("by shares, once one strike is exact", () => {
    const strikes = new Strikes();
    for (let n = 0; n < 9; n++) expect(struck(strikes, V, 1 / 6, "blocked", n)).toBeNull();
    expect(struck(strikes, V, 1, "crashed", 9)).toEqual({ ...V, reason: "blocked", strikes: 10 });
  });

  it("by shares alone only at twice as many", () => {
    const strikes = new Strikes();
    for (let n = 0; n < 7; n++) expect(struck(strikes, V, 0.5, "memory", n)).toBeNull();
    expect(struck(strikes, V, 0.5, "memory", 7)).toMatchObject({ reason: "memory", strikes: 8 });
  });

  it("never by shares of losses for which others were as likely", () => {
    const strikes = new Strikes();
    for (let n = 0; n < 100; n++) {
      expect(struck(strikes, V, 0.5, "blocked", n, n % 20 === 0)).toBeNull();
    }
  });

  it("once; then it starts from nothing", () => {
    const strikes = new Strikes();
    struck(strikes, V, 1, "blocked", 0);
    expect(struck(strikes, V, 1, "blocked", 1)).not.toBeNull();
    expect(struck(strikes, V, 1, "blocked", 2)).toBeNull();
    expect(struck(strikes, V, 1, "blocked", 3)).not.toBeNull();
  });
});

it("a strike outside the window is forgotten", () => {
  const strikes = new Strikes();
  struck(strikes, V, 1, "blocked", 0);
  expect(struck(strikes, V, 1, "blocked", BREAKER_WINDOW_MS + 1)).toBeNull();
});

it("versions are struck each for itself, also those of different Workers with one id", () => {
  const strikes = new Strikes();
  struck(strikes, V, 1, "blocked", 0);
  expect(struck(strikes, { ...V, workerId: "x" as WorkerId }, 1, "blocked", 0)).toBeNull();
  expect(struck(strikes, version("u"), 1, "blocked", 0)).toBeNull();
});

it("one loss may trip several, each once", () => {
  const strikes = new Strikes();
  const blames = [
    { ...V, weight: 1, likeliest: true },
    { ...version("u"), weight: 1, likeliest: true },
  ];
  expect(strikes.lost(blames, "crashed", 0)).toEqual([]);
  expect(strikes.lost(blames, "crashed", 1).map(({ versionId }) => versionId)).toEqual(["v", "u"]);
});

it("memory is bounded: those struck longest ago make room", () => {
  const strikes = new Strikes();
  for (let n = 0; n <= STRUCK_VERSIONS_MAX; n++) struck(strikes, version(`v${n}`), 1, "crashed", n);
  expect(strikes.size).toBe(STRUCK_VERSIONS_MAX);
  expect(struck(strikes, version("v0"), 1, "crashed", STRUCK_VERSIONS_MAX + 1)).toBeNull();
  expect(struck(strikes, version("v9"), 1, "crashed", STRUCK_VERSIONS_MAX + 1)).not.toBeNull();
});

it("shares: alone one strike; in company never more than an even part each", () => {
  const share = (count: number, likeliest: number | null) => {
    const versions = Array.from({ length: count }, (_, at) => version(`v${at}`));
    const blames = sharesOf(versions, likeliest === null ? null : (versions[likeliest] ?? null));
    return blames.map((blame) => [blame.weight, blame.likeliest]);
  };
  expect(share(0, null)).toEqual([]);
  expect(share(1, 0)).toEqual([[1, true]]);
  expect(share(1, null)).toEqual([[1, true]]);
  expect(share(2, 0)).toEqual([
    [0.5, true],
    [0.25, false],
  ]);
  expect(share(4, null)).toEqual(Array.from({ length: 4 }, () => [0.25, false]));
});
