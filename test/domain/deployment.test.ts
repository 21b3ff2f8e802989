import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideDeployment,
  decideDeploymentRemoval,
  leftBy,
  type CurrentDeployment,
  type DeploymentCommand,
  type DeploymentFacts,
} from "../../src/domain/deployment.ts";
import { NO_RULES } from "../../src/domain/deployment-rules.ts";
import type { DeploymentId, VersionId, WorkerId } from "../../src/domain/ids.ts";

const workerId = "1".repeat(32) as WorkerId;
const otherWorkerId = "2".repeat(32) as WorkerId;
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}` as VersionId;
const current: CurrentDeployment = {
  seq: 4,
  deploymentId: uuid(900) as string as DeploymentId,
  versions: [{ versionId: uuid(1), number: 1, percentage: 100 }],
};
const facts = (fields: Partial<DeploymentFacts> = {}): DeploymentFacts => ({
  workerId,
  current,
  versions: [
    { id: uuid(1), workerId, number: 1, servedBefore: true },
    { id: uuid(2), workerId, number: 2, servedBefore: false },
    { id: uuid(3), workerId: otherWorkerId, number: 1, servedBefore: true },
  ],
  pending: null,
  versionsMax: 2,
  rules: NO_RULES,
  ...fields,
});
const command = (
  versions: DeploymentCommand["versions"],
  fields: Partial<DeploymentCommand> = {},
): DeploymentCommand => ({
  versions,
  triggeredBy: "deployment",
  message: "",
  author: { id: "x", email: "x", source: "api" },
  force: false,
  expectedCurrentId: null,
  ...fields,
});
/** The decisive one's. */
const kindOf = (result: ReturnType<typeof decideDeployment>) => {
  if (result.ok) return "accepted";
  const { error } = result;
  return error.kind === "refused_for_several" ? error.reasons[0]?.kind : error.kind;
};
const shares = (...pairs: [number, number][]) =>
  pairs.map(([n, percentage]) => ({ versionId: uuid(n) as string, percentage }));

describe("decideDeployment", () => {
  it.each([
    ["one version at 100 %", shares([1, 100]), "accepted"],
    ["a split", shares([1, 20], [2, 80]), "accepted"],
    ["a share of 0 %", shares([1, 0], [2, 100]), "accepted"],
    ["fractions", shares([1, 33.333], [2, 66.667]), "accepted"],
    ["a sum of 99.9991, within the tolerance", shares([1, 33.3331], [2, 66.666]), "accepted"],
    ["a sum of 99.99", shares([1, 33.33], [2, 66.66]), "shares_do_not_sum"],
    ["a sum of 99", shares([1, 19], [2, 80]), "shares_do_not_sum"],
    ["a sum of 101", shares([1, 21], [2, 80]), "shares_do_not_sum"],
    ["no version at all", [], "no_versions_given"],
    [
      "three versions where two are allowed",
      shares([1, 20], [2, 40], [4, 40]),
      "too_many_versions",
    ],
    ["the same version twice", shares([1, 50], [1, 50]), "duplicate_version"],
    ["a negative share", shares([1, -1], [2, 101]), "bad_percentage"],
    ["a share that is no number", shares([1, Number.NaN]), "bad_percentage"],
    ["a version nobody has", shares([7, 100]), "version_not_found"],
    ["a version of another Worker", shares([3, 100]), "version_of_another_worker"],
  ] as const)("%s: %s", (_name, versions, expected) => {
    expect(kindOf(decideDeployment(facts(), command(versions)))).toBe(expected);
  });

  it("takes the same version id in capitals for the same version", () => {
    const id = uuid(1).replace(/^0/, "0");
    const twice = [
      { versionId: id.toUpperCase(), percentage: 50 },
      { versionId: id, percentage: 50 },
    ];
    expect(kindOf(decideDeployment(facts(), command(twice)))).toBe("duplicate_version");
  });

  it("tells everything that is wrong with the shares at once, and of a sum only where the shares themselves are right", () => {
    const wrong = command([...shares([7, 60], [3, 60]), ...shares([7, -1])]);
    const decided = decideDeployment(facts({ versionsMax: 3 }), wrong);
    expect(decided).toMatchObject({
      ok: false,
      error: {
        kind: "refused_for_several",
        reasons: [
          { kind: "version_not_found", versionId: uuid(7) },
          { kind: "version_of_another_worker", versionId: uuid(3) },
          { kind: "duplicate_version", versionId: uuid(7) },
        ],
      },
    });
    const decidedSum = decideDeployment(facts(), command(shares([7, 60], [3, 60])));
    expect(decidedSum).toMatchObject({
      error: { reasons: [{}, {}, { kind: "shares_do_not_sum", sum: 120 }] },
    });
  });

  it("refuses when another deployment came in between, and names the current one", () => {
    const stale = command(shares([1, 100]), { expectedCurrentId: uuid(800) });
    expect(decideDeployment(facts(), stale)).toEqual({
      ok: false,
      error: { kind: "deployment_moved", currentId: current.deploymentId, expectedId: uuid(800) },
    });
    const fresh = command(shares([1, 100]), { expectedCurrentId: current.deploymentId });
    expect(kindOf(decideDeployment(facts(), fresh))).toBe("accepted");
  });

  it("whatever is asked, what is accepted sums to 100 within the tolerance and names each version once", () => {
    const share = fc.record({
      versionId: fc.integer({ min: 1, max: 4 }).map((n) => uuid(n) as string),
      percentage: fc.oneof(fc.double(), fc.integer({ min: 0, max: 100 })),
    });
    fc.assert(
      fc.property(fc.array(share, { maxLength: 4 }), (versions) => {
        const decided = decideDeployment(facts({ versionsMax: 3 }), command(versions));
        if (!decided.ok) return;
        const plan = decided.value.versions;
        const sum = plan.reduce((total, s) => total + s.percentage, 0);
        expect(Math.abs(sum - 100)).toBeLessThanOrEqual(1e-3);
        expect(new Set(plan.map((s) => s.versionId)).size).toBe(plan.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a rollback", () => {
  const serving = (n: number): CurrentDeployment => ({
    ...current,
    versions: [{ versionId: uuid(n), number: n, percentage: 100 }],
  });
  const isRollback = (
    fields: Partial<DeploymentFacts>,
    asked: Partial<DeploymentCommand> = {},
    to = 1,
  ) => {
    const decided = decideDeployment(facts(fields), command(shares([to, 100]), asked));
    return decided.ok && decided.value.isRollback;
  };

  it("goes back to a version that served before, from a newer one that serves or is about to", () => {
    expect(isRollback({ current: serving(2) })).toBe(true);
    expect(isRollback({ current: serving(1), pending: serving(2) })).toBe(true);
    expect(isRollback({ current: serving(1) })).toBe(false);
  });

  it("is not an older version that never served: two teams deploy at the same time, and neither goes back", () => {
    expect(isRollback({ current: serving(1), pending: serving(9) }, {}, 2)).toBe(false);
  });

  it("is never the deployment that an upload makes by itself", () => {
    expect(isRollback({ current: serving(2) }, { triggeredBy: "upload" })).toBe(false);
  });
});

describe("leftBy", () => {
  it("is what serves now and would not serve any more", () => {
    const split: CurrentDeployment = {
      ...current,
      versions: [
        { versionId: uuid(2), number: 2, percentage: 90 },
        { versionId: uuid(1), number: 1, percentage: 10 },
      ],
    };
    expect(leftBy([{ versionId: uuid(1), number: 1, percentage: 100 }], split)).toEqual([uuid(2)]);
    expect(leftBy([{ versionId: uuid(1), number: 1, percentage: 100 }], null)).toEqual([]);
  });
});

describe("decideDeploymentRemoval", () => {
  it("keeps the deployment that serves traffic, and lets every other go", () => {
    expect(decideDeploymentRemoval(current, current.deploymentId).ok).toBe(false);
    expect(decideDeploymentRemoval(current, uuid(5) as string as DeploymentId).ok).toBe(true);
  });
});
