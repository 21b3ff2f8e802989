import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeploymentId, VersionId } from "../../src/domain/ids.ts";
import { chooseRollbackTarget, type RollbackCandidate } from "../../src/domain/rollback-target.ts";

const VERSIONS = ["v1", "v2", "v3", "v4", "v5"] as const;

interface Entry {
  readonly versions: readonly string[];
  /** null: no rollback. */
  readonly left: readonly string[] | null;
}

/** The last one first, each version once: as the store gives them. */
function candidatesOf(history: readonly Entry[], stopped: ReadonlySet<string>) {
  const candidates: RollbackCandidate[] = [];
  for (const [at, { versions }] of [...history.entries()].toReversed()) {
    const [only] = versions;
    if (only === undefined || versions.length > 1) continue;
    if (candidates.some(({ versionId }) => versionId === only)) continue;
    candidates.push({
      versionId: only as VersionId,
      number: Number(only.slice(1)),
      tag: null,
      last: { id: `d${at}` as DeploymentId, seq: at + 1, createdOn: at },
      isStopped: stopped.has(only),
    });
  }
  return candidates;
}

/** Of the rollbacks that end the history without anything between them. */
function leftByChain(history: readonly Entry[]): Set<string> {
  const last = history.findLastIndex(({ left }) => left === null);
  return new Set(history.slice(last + 1).flatMap(({ left }) => left ?? []));
}

const choose = (history: readonly Entry[], stopped: ReadonlySet<string> = new Set()) =>
  chooseRollbackTarget(candidatesOf(history, stopped), {
    current: new Set(history.at(-1)?.versions),
    left: leftByChain(history),
  });
const full = (version: string): Entry => ({ versions: [version], left: null });
const histories = fc.array(
  fc
    .subarray([...VERSIONS], { minLength: 1, maxLength: 2 })
    .map((versions): Entry => ({ versions, left: null })),
  { minLength: 1, maxLength: 20 },
);
const stops = fc.subarray([...VERSIONS]).map((versions) => new Set<string>(versions));

describe("where a rollback to `previous` goes", () => {
  it("rollbacks in a row never return to what was left, and end when there is nothing else", () => {
    fc.assert(
      fc.property(histories, stops, (given, stopped) => {
        const history = [...given];
        const gone = new Set<string>();
        for (let step = 0; ; step++) {
          expect(step).toBeLessThanOrEqual(VERSIONS.length);
          const { target } = choose(history, stopped);
          if (target === null) return;
          const current = history.at(-1)?.versions ?? [];
          expect(current).not.toContain(target.versionId);
          expect(gone).not.toContain(target.versionId);
          expect(stopped).not.toContain(target.versionId);
          for (const version of current) gone.add(version);
          history.push({ versions: [target.versionId], left: current });
        }
      }),
    );
  });

  it("is the last version that had all of the traffic, of those that nothing speaks against", () => {
    fc.assert(
      fc.property(histories, stops, (history, stopped) => {
        const current = history.at(-1)?.versions ?? [];
        const last = history.findLast(
          ({ versions: [only = "", ...more] }) =>
            more.length === 0 && !current.includes(only) && !stopped.has(only),
        );
        expect(choose(history, stopped).target?.versionId).toBe(last?.versions[0]);
      }),
    );
  });

  it("says of each that would have come before it why it is not the one", () => {
    const history = [full("v1"), full("v2"), full("v3"), full("v4")];
    history.push({ versions: ["v3"], left: ["v4"] });
    expect(choose(history, new Set(["v2"]))).toMatchObject({
      target: { versionId: "v1" },
      skipped: [
        { versionId: "v3", reason: "current" },
        { versionId: "v4", reason: "left_by_rollback" },
        { versionId: "v2", reason: "stopped" },
      ],
    });
  });

  it("is open again to what was left once something was deployed that was no rollback", () => {
    const history = [full("v1"), full("v2"), { versions: ["v1"], left: ["v2"] }];
    expect(choose(history).target).toBeNull();
    expect(choose([...history, full("v3")]).target?.versionId).toBe("v1");
    expect(choose([...history, full("v1")]).target?.versionId).toBe("v2");
  });
});
