import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, isShallow } from "../../src/domain/canonical-json.ts";

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, field]) => [key, shuffled(field)] as const)
      .reverse(),
  );
};

describe("canonicalJson", () => {
  it("gives the same text whatever the order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it("loses nothing: its text reads back as the value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("sorts keys by code unit at every level and writes no white space", () => {
    expect(canonicalJson({ b: [{ z: 1, A: null }], a: "x y", "": undefined })).toBe(
      '{"a":"x y","b":[{"A":null,"z":1}]}',
    );
  });

  it("keeps the order of lists, which means something", () => {
    expect(canonicalJson([2, 1, undefined])).toBe("[2,1,null]");
  });

  it("keeps a key named __proto__ as a key", () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });
});

describe("isShallow", () => {
  const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

  it("counts objects and lists inside one another", () => {
    expect(isShallow(1, 0)).toBe(true);
    expect(isShallow([], 0)).toBe(false);
    expect(isShallow({ a: [1, 2] }, 2)).toBe(true);
    expect(isShallow({ a: [1, {}] }, 2)).toBe(false);
    expect(isShallow(nested(64), 64)).toBe(true);
    expect(isShallow(nested(65), 64)).toBe(false);
  });

  it("does not exhaust the stack on what it is there to find", () => {
    expect(isShallow(nested(200_000), 64)).toBe(false);
  });
});
