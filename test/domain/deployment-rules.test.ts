import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  NO_RULES,
  oldestDeployable,
  rulesAgainst,
  type RuleFacts,
} from "../../src/domain/deployment-rules.ts";
import type { VersionId } from "../../src/domain/ids.ts";
import type { SecretChanges } from "../../src/domain/secret-changes.ts";
import type { MissingResource } from "../../src/domain/version-resources.ts";

const id = (number: number) =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}` as VersionId;
const version = (number: number) => ({ versionId: id(number), number });
const versions = (...numbers: number[]) => numbers.map(version);
const current = (...numbers: number[]) => ({ versions: versions(...numbers) });
const rules = (fields: Partial<RuleFacts>): RuleFacts => ({ ...NO_RULES, ...fields });
const of = <Value>(...entries: (readonly [number, Value])[]) =>
  new Map(entries.map(([number, value]) => [id(number) as string, value]));

const gone = (binding: string): MissingResource => ({
  binding,
  kind: "r2_bucket",
  resourceId: `bucket-of-${binding}`,
  title: null,
});
const changes = (fields: Partial<SecretChanges>): SecretChanges => ({
  changed: [],
  restored: [],
  unreadable: null,
  ...fields,
});
const kinds = (against: ReturnType<typeof rulesAgainst>) => against.map(({ kind }) => kind);

/** Everything against every version from 1 to 5; the newest is 9. */
const EVERYTHING = rules({
  newestNumber: 9,
  deployableMax: 2,
  missing: of(...[1, 2, 3, 4, 5].map((n) => [n, [gone("B")]] as const)),
  secrets: of(
    ...[1, 2, 3, 4, 5].map(
      (n) =>
        [n, changes({ changed: ["S"], restored: ["S"], unreadable: { keyId: "k1" } })] as const,
    ),
  ),
  revoked: new Map([["S", 5]]),
});
const ALL = [
  "version_too_old",
  "secret_revoked",
  "bound_resources_missing",
  "secrets_unreadable",
  "secrets_changed",
];

describe("only the N versions uploaded last", () => {
  it.each([
    [10, 10, 1],
    [10, 11, 2],
    [100, 100, 1],
    [100, 101, 2],
    [1, 7, 7],
    [1_000_000, 7, 1],
    [10, 0, 1],
  ])("with N = %i of %i the oldest is number %i", (max, newest, oldest) => {
    expect(oldestDeployable(newest, max)).toBe(oldest);
    expect(oldestDeployable(newest, null)).toBe(1);
  });

  it.each([10, 100])("the %ith newest may be deployed, the next older one may not", (max) => {
    const facts = rules({ newestNumber: 250, deployableMax: max });
    const oldest = 250 - max + 1;
    expect(rulesAgainst(facts, null, versions(oldest), false)).toEqual([]);
    expect(rulesAgainst(facts, null, versions(oldest - 1), false)).toEqual([
      { kind: "version_too_old", versionId: id(oldest - 1), number: oldest - 1, max, oldest },
    ]);
    expect(rulesAgainst({ ...facts, deployableMax: null }, null, versions(1), false)).toEqual([]);
  });

  it("are exactly N, or all that there are", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        (newest, max) => {
          const facts = rules({ newestNumber: newest, deployableMax: max });
          const allowed = Array.from({ length: newest }, (_, at) => at + 1).filter(
            (number) => rulesAgainst(facts, null, versions(number), false).length === 0,
          );
          expect(allowed).toHaveLength(Math.min(newest, max));
          expect(allowed.at(-1)).toBe(newest);
        },
      ),
    );
  });
});

describe("a secret that was revoked", () => {
  const facts = (restored: string[]) =>
    rules({
      secrets: of([3, changes({ restored })], [4, changes({ restored })]),
      revoked: new Map([["S", 3]]),
    });

  it("stands against the newest version that had it then, and not against the next", () => {
    expect(rulesAgainst(facts(["S"]), current(9), versions(3), true)).toEqual([
      { kind: "secret_revoked", versionId: id(3), names: ["S"] },
    ]);
    expect(rulesAgainst(facts(["S"]), current(9), versions(4), true)).toEqual([]);
  });

  it("stands against nothing that does not bring another value of it back", () => {
    expect(rulesAgainst(facts([]), current(9), versions(3), false)).toEqual([]);
    expect(rulesAgainst(facts(["OTHER"]), current(9), versions(3), false)).toEqual([]);
  });

  it("is named with all that are, and without those that are not", () => {
    const secrets = of([3, changes({ restored: ["A", "B", "C"] })]);
    const revoked = new Map([
      ["A", 3],
      ["B", 2],
      ["C", 8],
    ]);
    expect(rulesAgainst(rules({ secrets, revoked }), current(9), versions(3), false)).toEqual([
      { kind: "secret_revoked", versionId: id(3), names: ["A", "C"] },
    ]);
  });
});

describe("what else stands against a version", () => {
  it("is all that is gone of what it is bound to", () => {
    const missing = of([2, [gone("A"), gone("B")]], [3, []]);
    expect(rulesAgainst(rules({ missing }), current(9), versions(2, 3), false)).toEqual([
      { kind: "bound_resources_missing", versionId: id(2), missing: [gone("A"), gone("B")] },
    ]);
  });

  it.each([{ keyId: "k1" }, { keyId: null }])("is that its secrets cannot be read (%j)", (why) => {
    const secrets = of([2, changes({ unreadable: why })]);
    expect(rulesAgainst(rules({ secrets }), current(9), versions(2), true)).toEqual([
      { kind: "secrets_unreadable", versionId: id(2), keyId: why.keyId },
    ]);
  });

  it("is that secrets have changed: names of all versions, sorted, each once", () => {
    const secrets = of(
      [2, changes({ changed: ["Z", "B"] })],
      [3, changes({ changed: ["a", "B"] })],
    );
    expect(rulesAgainst(rules({ secrets }), current(9), versions(3, 2), false)).toEqual([
      { kind: "secrets_changed", names: ["B", "Z", "a"] },
    ]);
  });
});

describe("several things that stand against a deployment", () => {
  it("are all told, what cannot be forced first: wrangler would force its way past 10220", () => {
    expect(kinds(rulesAgainst(EVERYTHING, current(9), versions(5), false))).toEqual(ALL);
    expect(kinds(rulesAgainst(EVERYTHING, current(9), versions(5, 4), false))).toEqual(
      ALL.flatMap((kind) => (kind === "secrets_changed" ? [kind] : [kind, kind])),
    );
  });

  it("`force` overrides changed secrets, and no more", () => {
    expect(kinds(rulesAgainst(EVERYTHING, current(9), versions(5), true))).toEqual(
      ALL.slice(0, -1),
    );
  });

  const numbers = fc.subarray([1, 2, 3, 4, 5], { minLength: 1 });
  const names = fc.subarray(["A", "B", "C"]);
  const anyFacts = fc
    .record({
      deployableMax: fc.option(fc.integer({ min: 1, max: 5 })),
      missing: fc.array(fc.subarray(["X", "Y"]), { minLength: 5, maxLength: 5 }),
      changed: fc.array(names, { minLength: 5, maxLength: 5 }),
      unreadable: fc.array(fc.option(fc.constantFrom("k1", "k2")), { minLength: 5, maxLength: 5 }),
      revoked: fc.dictionary(fc.constantFrom("A", "B", "C"), fc.integer({ min: 1, max: 5 })),
    })
    .map(({ deployableMax, missing, changed, unreadable, revoked }) =>
      rules({
        newestNumber: 5,
        deployableMax,
        missing: of(...missing.map((each, at) => [at + 1, each.map(gone)] as const)),
        secrets: of(
          ...changed.map((each, at) => {
            const keyId = unreadable[at] ?? null;
            const unread = keyId === null ? null : { keyId };
            return [
              at + 1,
              changes({ changed: each, restored: each, unreadable: unread }),
            ] as const;
          }),
        ),
        revoked: new Map(Object.entries(revoked)),
      }),
    );

  it("never are against versions that serve, and say of the others what they say without those", () => {
    fc.assert(
      fc.property(anyFacts, numbers, numbers, fc.boolean(), (facts, serving, asked, force) => {
        expect(rulesAgainst(facts, current(...serving), versions(...serving), force)).toEqual([]);
        const entering = asked.filter((number) => !serving.includes(number));
        expect(rulesAgainst(facts, current(...serving), versions(...asked), force)).toEqual(
          rulesAgainst(facts, null, versions(...entering), force),
        );
      }),
    );
  });

  it("are what stands against each alone, whatever else comes with it; only 10220 is told once", () => {
    fc.assert(
      fc.property(anyFacts, numbers, (facts, asked) => {
        const hard = (...them: number[]) => rulesAgainst(facts, null, versions(...them), true);
        const sorted = (them: ReturnType<typeof rulesAgainst>) =>
          them.map((each) => JSON.stringify(each)).toSorted();
        expect(sorted(hard(...asked))).toEqual(sorted(asked.flatMap((number) => hard(number))));
      }),
    );
  });

  it("come in one order, with 10220 at the end if it is not forced, and differ by that alone", () => {
    fc.assert(
      fc.property(anyFacts, numbers, (facts, asked) => {
        const unforced = rulesAgainst(facts, null, versions(...asked), false);
        const forced = rulesAgainst(facts, null, versions(...asked), true);
        const places = unforced.map(({ kind }) => ALL.indexOf(kind));
        expect(places).toEqual(places.toSorted((one, other) => one - other));
        expect(forced).toEqual(unforced.filter(({ kind }) => kind !== "secrets_changed"));
        expect(kinds(unforced).filter((kind) => kind === "secrets_changed").length).toBeLessThan(2);
      }),
    );
  });
});
