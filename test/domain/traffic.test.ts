import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrafficShare } from "../../src/domain/deployment.ts";
import type { VersionId } from "../../src/domain/ids.ts";
import { VERSION_KEY_CHARS_MAX } from "../../src/domain/limits.ts";
import { pickVersion, pointOfKey } from "../../src/domain/traffic.ts";

/** Shares of versions 1, 2, 3 … in this order. */
const shares = (...percentages: number[]): TrafficShare[] =>
  percentages.map((percentage, at) => ({
    versionId: `v${at + 1}` as VersionId,
    number: at + 1,
    percentage,
  }));
const numberOf = (versionId: string | null): number => Number(versionId?.slice(1));
const point = fc.double({ min: 0, max: 100, maxExcluded: true, noNaN: true });
/** Whole numbers that sum to 100. */
const split = fc
  .array(fc.nat(100), { minLength: 1, maxLength: 8 })
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts) => {
    const sum = parts.reduce((a, b) => a + b, 0);
    const whole = parts.map((part) => Math.floor((part / sum) * 100));
    whole[parts.findIndex((part) => part > 0)]! += 100 - whole.reduce((a, b) => a + b, 0);
    return whole;
  });

describe("the pick of a version", () => {
  it("lays versions out newest first, in whatever order they come", () => {
    const layout = shares(70, 30);
    for (const given of [layout, layout.toReversed()]) {
      expect(pickVersion(given, 0)).toBe("v2");
      expect(pickVersion(given, 29.999)).toBe("v2");
      expect(pickVersion(given, 30)).toBe("v1");
      expect(pickVersion(given, 99.999)).toBe("v1");
    }
  });

  it("never picks a version without a share", () => {
    fc.assert(
      fc.property(split, point, (parts, at) => {
        const picked = pickVersion(shares(...parts), at);
        expect(parts[numberOf(picked) - 1]).toBeGreaterThan(0);
      }),
    );
    expect(pickVersion(shares(0), 0)).toBeNull();
    expect(pickVersion(shares(0, 0), 50)).toBeNull();
    expect(pickVersion([], 0)).toBeNull();
  });

  it("gives what rounding left uncovered to the oldest version that has a share", () => {
    expect(pickVersion(shares(0, 33.333, 33.333, 33.333), 99.9999)).toBe("v2");
  });

  it("never moves a point back to an older version when a newer one's share is raised", () => {
    fc.assert(
      fc.property(split, fc.nat(), fc.nat(), fc.nat(100), point, (parts, a, b, by, at) => {
        const newer = a % parts.length;
        const older = b % parts.length;
        fc.pre(older < newer);
        const moved = Math.min(by, parts[older]!);
        const raised = parts.map((part, n) =>
          n === newer ? part + moved : n === older ? part - moved : part,
        );
        const before = numberOf(pickVersion(shares(...parts), at));
        const after = numberOf(pickVersion(shares(...raised), at));
        expect(after).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the point of a key", () => {
  it("is in [0, 100) and always the same", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (worker, key) => {
        const at = pointOfKey(worker, key);
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThan(100);
        expect(pointOfKey(worker, key)).toBe(at);
      }),
    );
  });

  it("does not see more of a key than its limit", () => {
    const key = "k".repeat(VERSION_KEY_CHARS_MAX);
    expect(pointOfKey("w", `${key}1`)).toBe(pointOfKey("w", `${key}2`));
    expect(pointOfKey("w", `${key.slice(1)}1`)).not.toBe(pointOfKey("w", `${key.slice(1)}2`));
  });

  it("spreads 200,000 sequential keys over 100 buckets to within 11 % of even", () => {
    for (const prefix of ["", "user-", "0000000000000000"]) {
      const counts = Array.from({ length: 100 }, () => 0);
      for (let n = 0; n < 200_000; n++) counts[Math.floor(pointOfKey("worker", prefix + n))]!++;
      // Five standard deviations of 2,000 are 11 %; a fixed input either passes or does not.
      expect(Math.min(...counts)).toBeGreaterThan(2_000 * 0.89);
      expect(Math.max(...counts)).toBeLessThan(2_000 * 1.11);
    }
  });

  it("is unrelated between Workers and between keys that differ in one bit", () => {
    let sameSide = 0;
    let near = 0;
    for (let n = 0; n < 20_000; n++) {
      const one = pointOfKey("a".repeat(32), `u${n}`);
      if (one < 50 === pointOfKey(`${"a".repeat(31)}b`, `u${n}`) < 50) sameSide++;
      if (Math.abs(one - pointOfKey("a".repeat(32), `t${n}`)) < 1) near++;
    }
    expect(sameSide / 20_000).toBeCloseTo(0.5, 1);
    expect(near / 20_000).toBeCloseTo(0.02, 1);
  });
});
