import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideAnnotations, decideMessage, truncateBytes } from "../../src/domain/annotations.ts";
import { byteLength } from "../../src/domain/byte-length.ts";
import {
  MESSAGE_BYTES_MAX,
  OTHER_ANNOTATION_BYTES_MAX,
  OTHER_ANNOTATION_KEY_CHARS_MAX,
  OTHER_ANNOTATIONS_MAX,
  PREVIEW_LABEL_CHARS_MAX,
  TAG_BYTES_MAX,
} from "../../src/domain/limits.ts";

const refusal = (detail: string) => ({
  ok: false,
  error: { kind: "upload_invalid", detail: expect.stringContaining(detail) },
});

describe("truncateBytes", () => {
  it("gives the longest whole-character start that fits", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\ud800", "\udc00") });
    fc.assert(
      fc.property(text, fc.nat(40), (whole, bytesMax) => {
        const cut = truncateBytes(whole, bytesMax);
        const wellFormed = whole.toWellFormed();
        expect(cut.isWellFormed()).toBe(true);
        expect(wellFormed.startsWith(cut)).toBe(true);
        expect(byteLength(cut)).toBeLessThanOrEqual(bytesMax);
        const next = wellFormed.codePointAt(cut.length);
        if (next !== undefined)
          expect(byteLength(cut + String.fromCodePoint(next))).toBeGreaterThan(bytesMax);
      }),
    );
  });
});

describe("decideMessage", () => {
  it("keeps a message of exactly the limit and cuts one that is a byte longer, with a notice", () => {
    const longest = "a".repeat(MESSAGE_BYTES_MAX);
    expect(decideMessage(longest)).toEqual({ ok: true, value: { message: longest } });
    expect(decideMessage(`${longest}b`)).toEqual({
      ok: true,
      value: { message: longest, notice: expect.stringContaining("1000 bytes") },
    });
  });

  it("cuts at a character boundary", () => {
    const cut = decideMessage(`${"a".repeat(MESSAGE_BYTES_MAX - 1)}é`);
    expect(cut).toMatchObject({ value: { message: "a".repeat(MESSAGE_BYTES_MAX - 1) } });
  });

  it.each([undefined, null, ""])("takes %j as no message", (raw) => {
    expect(decideMessage(raw)).toEqual({ ok: true, value: {} });
  });

  it("refuses what is no text", () => {
    expect(decideMessage(7)).toMatchObject({ ok: false, error: { kind: "bad_request" } });
  });
});

describe("decideAnnotations", () => {
  it("takes message, tag, alias and further workers/ annotations", () => {
    expect(
      decideAnnotations(
        {
          "workers/message": "Fix login bug",
          "workers/tag": "v1.2.3",
          "workers/alias": "staging",
          "workers/commit_sha": "abc",
          "workers/triggered_by": "root",
          "acme/ignored": { any: "thing" },
        },
        "full",
      ),
    ).toEqual({
      ok: true,
      value: {
        annotations: {
          message: "Fix login bug",
          tag: "v1.2.3",
          alias: "staging",
          other: { "workers/commit_sha": "abc" },
        },
        notices: [],
      },
    });
  });

  it.each([undefined, null, {}, { "workers/message": "", "workers/tag": "", "workers/alias": "" }])(
    "takes %j as none",
    (raw) => {
      expect(decideAnnotations(raw, "w")).toEqual({
        ok: true,
        value: { annotations: { other: {} }, notices: [] },
      });
    },
  );

  it("refuses a tag that is a byte over the limit instead of cutting it", () => {
    const longest = "é".repeat(TAG_BYTES_MAX / 2);
    expect(decideAnnotations({ "workers/tag": longest }, "w")).toMatchObject({ ok: true });
    expect(decideAnnotations({ "workers/tag": `${longest}a` }, "w")).toMatchObject(
      refusal("The tag is 101 bytes long"),
    );
  });

  it.each(["HEAD", "1st", "-x", "a_b", "a.b", "é", "a b"])("refuses the alias %j", (alias) => {
    expect(decideAnnotations({ "workers/alias": alias }, "w")).toMatchObject(
      refusal(`validation failures: invalid alias: ${alias}`),
    );
  });

  it("takes an alias as long as its host label allows with this Worker's name, and none longer", () => {
    const room = PREVIEW_LABEL_CHARS_MAX - "-shop".length;
    expect(decideAnnotations({ "workers/alias": "a".repeat(room) }, "shop")).toMatchObject({
      ok: true,
    });
    expect(decideAnnotations({ "workers/alias": "a".repeat(room + 1) }, "shop")).toMatchObject(
      refusal("64 characters long"),
    );
  });

  it("bounds further annotations in number, key and value", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`workers/x${index}`, ""]));
    expect(decideAnnotations(many(OTHER_ANNOTATIONS_MAX), "w")).toMatchObject({ ok: true });
    expect(decideAnnotations(many(OTHER_ANNOTATIONS_MAX + 1), "w")).toMatchObject(refusal("33"));

    const value = "a".repeat(OTHER_ANNOTATION_BYTES_MAX);
    expect(decideAnnotations({ "workers/x": value }, "w")).toMatchObject({ ok: true });
    expect(decideAnnotations({ "workers/x": `${value}a` }, "w")).toMatchObject(
      refusal("longer than 1000 bytes"),
    );

    const key = "workers/".padEnd(OTHER_ANNOTATION_KEY_CHARS_MAX, "x");
    expect(decideAnnotations({ [key]: "" }, "w")).toMatchObject({ ok: true });
    expect(decideAnnotations({ [`${key}x`]: "" }, "w")).toMatchObject(refusal("129"));
  });

  it.each([
    ["text"],
    [[]],
    [{ "workers/tag": 1 }],
    [{ "workers/alias": {} }],
    [{ "workers/x": 1 }],
  ])("refuses %j, which is no object of strings", (raw) => {
    expect(decideAnnotations(raw, "w")).toMatchObject(refusal("must be"));
  });
});
