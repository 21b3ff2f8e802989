import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metadataFromFields } from "../../src/api/metadata-fields.ts";

type Field = readonly [string, string];

/** How the `cloudflare` SDK spells a value. */
function spell(key: string, value: unknown): Field[] {
  if (Array.isArray(value)) return value.flatMap((item) => spell(`${key}[]`, item));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([name, field]) => spell(`${key}[${name}]`, field));
  return [[key, String(value)]];
}

const refusal = { ok: false, error: { kind: "bad_multipart" } };

describe("metadataFromFields", () => {
  it("reads back what the SDK spells", () => {
    const metadata = {
      main_module: "w.mjs",
      compatibility_flags: ["nodejs_compat", "b"],
      annotations: { "workers/message": "a [b] c", "workers/tag": "v1" },
      bindings: [
        { type: "plain_text", name: "A", text: "1" },
        { type: "ai", name: "B" },
        { type: "service", name: "C", service: "x", props: { y: "1", z: ["1", "2"] } },
        { type: "json", name: "D", json: { n: 1.5, t: true, s: "x", "01": "01" } },
        { type: "json", name: "E", json: [1, false] },
      ],
      migrations: {
        steps: [
          {
            renamed_classes: [
              { from: "A", to: "B" },
              { from: "C", to: "D" },
            ],
          },
        ],
      },
    };
    expect(metadataFromFields(spell("metadata", metadata))).toEqual({ ok: true, value: metadata });
  });

  it("reads back any list of bindings that each have a name", () => {
    const texts = fc.string({ unit: "grapheme" });
    const element = fc.record(
      { name: texts, type: texts, text: texts, list: fc.array(texts, { minLength: 1 }) },
      { requiredKeys: ["name"] },
    );
    fc.assert(
      fc.property(fc.array(element, { minLength: 1 }), (bindings) => {
        // Each element spells its name first, as objects written by hand do.
        const named = bindings.map(({ name, ...rest }) => ({ name, ...rest }));
        expect(metadataFromFields(spell("metadata", { bindings: named }))).toEqual({
          ok: true,
          value: { bindings: named },
        });
      }),
    );
  });

  it.each([
    "metadata[__proto__]",
    "metadata[a][__proto__]",
    "metadata[a][constructor][prototype]",
    "metadata[a][][prototype]",
    "metadata[]",
    "metadata[][a]",
    "metadata[a][][]",
    "metadata[a",
    "metadata[a]b",
    "metadata[a[b]]",
    `metadata${"[a]".repeat(64)}`,
  ])("refuses the field %s", (name) => {
    expect(metadataFromFields([[name, "x"]])).toMatchObject(refusal);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it.each([
    [["metadata[a]", "metadata[a]"]],
    [["metadata[a]", "metadata[a][b]"]],
    [["metadata[a]", "metadata[a][]"]],
    [["metadata[a][b]", "metadata[a][]"]],
    [["metadata[a][]", "metadata[a][b]"]],
    [["metadata[a][][b]", "metadata[a]"]],
  ])("refuses %j, which give one thing two shapes", (names) => {
    expect(metadataFromFields(names.map((name) => [name, "x"]))).toMatchObject(refusal);
  });

  it("answers any fields without throwing, and changes no prototype", () => {
    const segment = fc.constantFrom(
      "[a]",
      "[]",
      "[b]",
      "[__proto__]",
      "[constructor]",
      "[",
      "]",
      "x",
    );
    const name = fc.array(segment, { maxLength: 6 }).map((parts) => `metadata${parts.join("")}`);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (fields) => {
        const metadata = metadataFromFields(fields);
        expect(typeof metadata.ok).toBe("boolean");
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});
