import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideWarnings,
  type DeploymentWarning,
  type WarnedVersion,
  type WarningFacts,
} from "../../src/domain/deployment-warnings.ts";
import type { VersionResource } from "../../src/domain/version-resources.ts";

const version = (fields: Partial<WarnedVersion> = {}): WarnedVersion => ({
  compatibilityDate: "2026-10-01",
  hasAssets: false,
  resources: [],
  d1Then: {},
  ...fields,
});
const bound = (
  binding: string,
  kind: VersionResource["kind"],
  resourceId: string,
): VersionResource => ({ binding, kind, resourceId });

/** One version serves and one comes, both plain, unless `facts` says otherwise. */
const warnings = (facts: Partial<WarningFacts> = {}) =>
  decideWarnings({
    coming: [version()],
    serving: [version()],
    d1Now: {},
    crons: 0,
    routes: 0,
    ...facts,
  });
const ONE = { count: 1, last: "0001_a.sql" };
const TWO = { count: 2, last: "0002_b.sql" };
const NONE = { count: 0, last: null };

describe("what somebody who goes back has to know", () => {
  it("is nothing when the versions are alike and share nothing, when nothing comes, and when nothing serves", () => {
    expect(warnings()).toEqual([]);
    const much = { crons: 1, serving: [version({ hasAssets: true })] };
    expect(warnings({ ...much, coming: [] })).toEqual([]);
    expect(warnings({ crons: 1, serving: [] })).toEqual([]);
  });

  it("is each resource that both have, once, under whatever name the version that comes has for it", () => {
    const kv = bound("CACHE", "kv_namespace", "same");
    const coming = [
      version({ resources: [kv, bound("FILES", "r2_bucket", "same"), bound("Q", "queue", "old")] }),
      version({ resources: [bound("STORE", "kv_namespace", "same")] }),
    ];
    const serving = [version({ resources: [bound("NEW_NAME", "kv_namespace", "same")] })];
    expect(warnings({ coming, serving })).toEqual([
      {
        kind: "resources_unchanged",
        resources: [expect.objectContaining({ kind: kv.kind, resourceId: "same" })],
      },
    ]);
  });

  it.each<[string, object, object, readonly DeploymentWarning["kind"][]]>([
    ["the same migrations", ONE, { db: ONE }, []],
    ["one more", ONE, { db: TWO }, ["d1_migrations_differ"]],
    ["the first ones", NONE, { db: ONE }, ["d1_migrations_differ"]],
    ["fewer", TWO, { db: ONE }, ["d1_migrations_differ"]],
    ["as many, but others", ONE, { db: { ...ONE, last: "x.sql" } }, ["d1_migrations_differ"]],
    ["no answer now", ONE, {}, ["d1_not_compared"]],
  ])("compares a D1 database's migrations then and now: %s", (_, then, d1Now, kinds) => {
    const resources = [bound("DB", "d1", "db")];
    const coming = [version({ resources, d1Then: { db: then as typeof ONE } })];
    const told = warnings({ coming, d1Now: d1Now as WarningFacts["d1Now"] });
    expect(told.map(({ kind }) => kind)).toEqual(kinds);
  });

  it("compares no database without a record of then, nor one that the version is not bound to", () => {
    const unrecorded = version({ resources: [bound("DB", "d1", "db")] });
    const unbound = version({ d1Then: { db: ONE } });
    const namesake = version({
      resources: [bound("KV", "kv_namespace", "db")],
      d1Then: { db: ONE },
    });
    const coming = [unrecorded, unbound, namesake];
    expect(warnings({ coming, d1Now: { db: TWO } })).toEqual([]);
  });

  it("is a compatibility date that goes back from the newest that serves to the oldest that comes", () => {
    const dated = (...dates: string[]) =>
      dates.map((compatibilityDate) => version({ compatibilityDate }));
    const serving = dated("2026-09-30", "2026-10-02");
    expect(warnings({ serving, coming: dated("2026-10-02") })).toEqual([]);
    expect(warnings({ serving, coming: dated("2026-10-03") })).toEqual([]);
    expect(warnings({ serving, coming: dated("2026-10-03", "2026-10-01") })).toEqual([
      { kind: "compatibility_date_back", from: "2026-10-02", to: "2026-10-01" },
    ]);
  });

  it("is that assets disappear, and not that they appear or change", () => {
    const [without, having] = [[version()], [version({ hasAssets: true })]];
    expect(warnings({ serving: having, coming: without })).toEqual([{ kind: "assets_disappear" }]);
    expect(warnings({ serving: without, coming: having })).toEqual([]);
    expect(warnings({ serving: having, coming: having })).toEqual([]);
  });

  it("is that crons and routes stay, with how many, if the Worker has any", () => {
    const kind = "triggers_unchanged";
    expect(warnings({ crons: 2 })).toEqual([{ kind, crons: 2, routes: 0 }]);
    expect(warnings({ routes: 3 })).toEqual([{ kind, crons: 0, routes: 3 }]);
  });

  it("holds for any versions: each fact is told once, and only what is shared, recorded or older", () => {
    const resource = fc.record({
      binding: fc.constantFrom("A", "B"),
      kind: fc.constantFrom<VersionResource["kind"]>("d1", "kv_namespace", "queue"),
      resourceId: fc.constantFrom("x", "y", "z"),
    });
    const applied = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.constantFrom(NONE, ONE, TWO), {
      noNullPrototype: true,
    });
    const versions = fc.array(
      fc.record({
        compatibilityDate: fc.constantFrom("2025-12-31", "2026-01-01", "2026-01-02"),
        hasAssets: fc.boolean(),
        resources: fc.array(resource, { maxLength: 4 }),
        d1Then: applied,
      }),
      { minLength: 1, maxLength: 2 },
    );
    const facts = fc.record({
      coming: versions,
      serving: versions,
      d1Now: applied,
      crons: fc.nat(2),
      routes: fc.nat(2),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const told = decideWarnings(given);
        const keys = told.map((each) =>
          "databaseId" in each ? `${each.databaseId}` : (each.kind as string),
        );
        expect(new Set(keys).size).toBe(keys.length);
        const has = (of: readonly WarnedVersion[], kind: string, id: string) =>
          of.some(({ resources }) => resources.some((r) => r.kind === kind && r.resourceId === id));
        for (const each of told) {
          if (each.kind === "compatibility_date_back") expect(each.to < each.from).toBe(true);
          if (each.kind === "resources_unchanged")
            for (const { kind, resourceId } of each.resources)
              expect([
                has(given.coming, kind, resourceId),
                has(given.serving, kind, resourceId),
              ]).toEqual([true, true]);
          if (!("databaseId" in each)) continue;
          expect(has(given.coming, "d1", each.databaseId)).toBe(true);
          const recorded = given.coming.map(({ d1Then }) => d1Then[each.databaseId]);
          expect(recorded.some((then) => then !== undefined)).toBe(true);
          const now = given.d1Now[each.databaseId];
          if (each.kind === "d1_not_compared") expect(now).toBeUndefined();
          else expect(each.lastCurrent).not.toEqual(each.now);
        }
      }),
    );
  });
});
