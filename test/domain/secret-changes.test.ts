import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SecretText } from "../../src/domain/binding.ts";
import { compareSecrets, unreadableSecrets } from "../../src/domain/secret-changes.ts";

const secrets = (values: Readonly<Record<string, string>>): SecretText[] =>
  Object.entries(values).map(([name, text]) => ({ name, text }));
/** Few names and values, so that many are the same on both sides; "" is a value like any other. */
const some = fc
  .dictionary(fc.constantFrom("A", "B", "C", "D"), fc.constantFrom("", "x", "y"))
  .map(secrets);
const valueOf = (of: readonly SecretText[], name: string) =>
  of.find((secret) => secret.name === name)?.text;

describe("compareSecrets", () => {
  it.each([
    ["the same values in another order", { A: "x", B: "y" }, { B: "y", A: "x" }, [], []],
    ["another value", { A: "old" }, { A: "new" }, ["A"], ["A"]],
    ["one that was added since", { A: "x" }, { A: "x", B: "y" }, ["B"], []],
    ["one that was deleted since", { A: "x", B: "y" }, { A: "x" }, ["B"], ["B"]],
    ["another name for the same value", { OLD: "x" }, { NEW: "x" }, ["NEW", "OLD"], ["OLD"]],
    ["an empty value, which is not the same as none", { A: "" }, {}, ["A"], ["A"]],
    ["names that differ in case", { a: "x" }, { A: "x" }, ["A", "a"], ["a"]],
    ["nothing on either side", {}, {}, [], []],
  ])("sees %s", (_, then, now, changed, restored) => {
    const seen = compareSecrets(secrets(then), secrets(now));
    expect({ ...seen, changed: seen.changed.toSorted() }).toEqual({
      changed,
      restored,
      unreadable: null,
    });
  });

  it("names what differs, each once, and the same seen from either side", () => {
    fc.assert(
      fc.property(some, some, (one, other) => {
        const { changed } = compareSecrets(one, other);
        const differ = ["A", "B", "C", "D"].filter(
          (name) => valueOf(one, name) !== valueOf(other, name),
        );
        expect(changed.toSorted()).toEqual(differ);
        expect(compareSecrets(other, one).changed.toSorted()).toEqual(differ);
      }),
    );
  });

  it("restores exactly what differs and the version has", () => {
    fc.assert(
      fc.property(some, some, (target, serving) => {
        const { changed, restored } = compareSecrets(target, serving);
        const has = new Set(target.map(({ name }) => name));
        expect(restored.toSorted()).toEqual(changed.filter((name) => has.has(name)).toSorted());
      }),
    );
  });

  it("tells names alone: a value is in no comparison", () => {
    const seen = compareSecrets(
      secrets({ A: "canary-then" }),
      secrets({ A: "canary-now", B: "canary-new" }),
    );
    expect(JSON.stringify(seen)).not.toContain("canary");
  });
});

it("secrets that nobody can read have neither changed nor are they restored: they are refused by themselves", () => {
  expect(unreadableSecrets({ keyId: "k1" })).toEqual({
    changed: [],
    restored: [],
    unreadable: { keyId: "k1" },
  });
});
