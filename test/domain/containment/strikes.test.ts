import { describe, expect, it } from "vitest";
import { sharesOf } from "../../../src/domain/containment/blame.ts";
import { Strikes } from "../../../src/domain/containment/strikes.ts";
import type { VersionId, WorkerId } from "../../../src/domain/ids.ts";
import { BREAKER_WINDOW_MS, STRUCK_VERSIONS_MAX } from "../../../src/domain/limits.ts";

const version = (name: string) => ({ workerId: "w" as WorkerId, versionId: name as VersionId });
const V = version("v");

describe("a version trips", () => {
  it("at its second exact strike within the window, and says why", () => {
    const strikes = new Strikes();
    expect(strikes.strike(V, 1, "blocked", 0)).toBeNull();
    const trip = strikes.strike(V, 1, "blocked", BREAKER_WINDOW_MS);
    expect(trip).toEqual({ ...V, reason: "blocked", strikes: 2 });
  });

  it("by shares, once one strike is exact", () => {
    const strikes = new Strikes();
    for (let n = 0; n < 9; n++) expect(strikes.strike(V, 1 / 6, "blocked", n)).toBeNull();
    expect(strikes.strike(V, 1, "crashed", 9)).toEqual({ ...V, reason: "blocked", strikes: 10 });
  });

  it("by shares alone only at twice as many", () => {
    const strikes = new Strikes();
    for (let n = 0; n < 7; n++) expect(strikes.strike(V, 0.5, "memory", n)).toBeNull();
    expect(strikes.strike(V, 0.5, "memory", 7)).toMatchObject({ reason: "memory", strikes: 8 });
  });

  it("once; then it starts from nothing", () => {
    const strikes = new Strikes();
    strikes.strike(V, 1, "blocked", 0);
    expect(strikes.strike(V, 1, "blocked", 1)).not.toBeNull();
    expect(strikes.strike(V, 1, "blocked", 2)).toBeNull();
    expect(strikes.strike(V, 1, "blocked", 3)).not.toBeNull();
  });
});

it("a strike outside the window is forgotten", () => {
  const strikes = new Strikes();
  strikes.strike(V, 1, "blocked", 0);
  expect(strikes.strike(V, 1, "blocked", BREAKER_WINDOW_MS + 1)).toBeNull();
});

it("versions are struck each for itself, also those of different Workers with one id", () => {
  const strikes = new Strikes();
  strikes.strike(V, 1, "blocked", 0);
  expect(strikes.strike({ ...V, workerId: "x" as WorkerId }, 1, "blocked", 0)).toBeNull();
  expect(strikes.strike(version("u"), 1, "blocked", 0)).toBeNull();
});

it("one loss may trip several, each once", () => {
  const strikes = new Strikes();
  const blames = [
    { ...V, weight: 1 },
    { ...version("u"), weight: 1 },
  ];
  expect(strikes.lost(blames, "crashed", 0)).toEqual([]);
  expect(strikes.lost(blames, "crashed", 1).map(({ versionId }) => versionId)).toEqual(["v", "u"]);
});

it("memory is bounded: those struck longest ago make room", () => {
  const strikes = new Strikes();
  for (let n = 0; n <= STRUCK_VERSIONS_MAX; n++) strikes.strike(version(`v${n}`), 1, "crashed", n);
  expect(strikes.size).toBe(STRUCK_VERSIONS_MAX);
  expect(strikes.strike(version("v0"), 1, "crashed", STRUCK_VERSIONS_MAX + 1)).toBeNull();
  expect(strikes.strike(version("v9"), 1, "crashed", STRUCK_VERSIONS_MAX + 1)).not.toBeNull();
});

it("shares: alone one strike; in company never more than an even part each", () => {
  const share = (...primes: boolean[]) =>
    sharesOf(primes.map((prime, at) => ({ version: version(`v${at}`), prime }))).map(
      ({ weight }) => weight,
    );
  expect(share()).toEqual([]);
  expect(share(true)).toEqual([1]);
  expect(share(false)).toEqual([1]);
  expect(share(true, false)).toEqual([0.5, 0.25]);
  expect(share(false, false, false, false)).toEqual([0.25, 0.25, 0.25, 0.25]);
});
