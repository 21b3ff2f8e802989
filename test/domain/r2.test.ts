import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  R2_BUCKET_DIGITS_MAX,
  R2_BUCKET_NAME_CHARS_MAX,
  R2_BUCKET_NAME_CHARS_MIN,
  R2_CURSOR_CHARS_MAX,
  R2_KEY_BYTES_MAX,
  R2_STORED_KEY_BYTES_MAX,
} from "../../src/domain/limits-r2.ts";
import {
  bucketIdOf,
  cursorOf,
  isBucketName,
  isObjectKey,
  keyPrefixOf,
  lastKeyOf,
  laterKey,
  placeOf,
} from "../../src/domain/r2.ts";

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;
const key = fc.string({ unit: "binary", minLength: 1, maxLength: 100 });

describe("a bucket", () => {
  it("has a name of the allowed length, of letters, digits and inner dashes", () => {
    for (const length of [R2_BUCKET_NAME_CHARS_MIN, R2_BUCKET_NAME_CHARS_MAX]) {
      expect(isBucketName("a".repeat(length))).toBe(true);
    }
    for (const length of [0, R2_BUCKET_NAME_CHARS_MIN - 1, R2_BUCKET_NAME_CHARS_MAX + 1]) {
      expect(isBucketName("a".repeat(length))).toBe(false);
    }
    expect(["a-b", "0a0"].every(isBucketName)).toBe(true);
    expect(["-ab", "ab-", "a_b", "a.b", "ABC", "a b", "abc\n"].some(isBucketName)).toBe(false);
  });

  it("has a prefix that is no other bucket's, nor begins another's", () => {
    const ordinal = fc.integer({ min: 1, max: 9_999_999_999 });
    fc.assert(
      fc.property(ordinal, ordinal, (one, other) => {
        const [a, b] = [one, other].map((number) => keyPrefixOf(bucketIdOf({ ordinal: number }))!);
        return a!.startsWith(b!) === (one === other);
      }),
    );
  });

  it("has a prefix only if it is one, and a short one", () => {
    for (const id of ["", "0", "01", "-1", "1/", "a", "1e3", " 1", "1\n"]) {
      expect(keyPrefixOf(id)).toBeNull();
    }
    expect(keyPrefixOf("9".repeat(10))).toHaveLength(R2_BUCKET_DIGITS_MAX + 1);
    expect(keyPrefixOf("9".repeat(11))).toBeNull();
  });
});

describe("a key", () => {
  it("has at least one byte, and leaves room for the bucket's prefix", () => {
    expect(isObjectKey("")).toBe(false);
    expect(isObjectKey("ä".repeat(R2_KEY_BYTES_MAX / 2))).toBe(true);
    expect(isObjectKey(`${"ä".repeat(R2_KEY_BYTES_MAX / 2)}x`)).toBe(false);
    expect(R2_KEY_BYTES_MAX + R2_BUCKET_DIGITS_MAX + 1).toBe(R2_STORED_KEY_BYTES_MAX);
  });
});

describe("a list's cursor", () => {
  it("says where the page ended, of any key, and no more than that", () => {
    const place = fc.record({
      after: fc.constantFrom("key" as const, "prefix" as const),
      text: key,
    });
    fc.assert(
      fc.property(place, ({ after, text }) => {
        const wellFormed = { after, text: text.toWellFormed() };
        expect(placeOf(cursorOf(wellFormed))).toEqual(wellFormed);
      }),
    );
    const longest = { after: "prefix", text: "x".repeat(R2_KEY_BYTES_MAX) } as const;
    expect(cursorOf(longest).length).toBeLessThanOrEqual(R2_CURSOR_CHARS_MAX);
  });

  it("is one that was given out, or none", () => {
    for (const cursor of ["", "?", "a", "eA", btoa("\xff"), "k".repeat(R2_CURSOR_CHARS_MAX + 1)]) {
      expect(placeOf(cursor)).toBeNull();
    }
  });

  it("after keys that begin alike comes after all of them, and before any other", () => {
    fc.assert(
      fc.property(key, key, (prefix, rest) => {
        const group = `${prefix.toWellFormed()}/`;
        const last = lastKeyOf({ after: "prefix", text: group });
        const member = group + rest.toWellFormed();
        if (bytesOf(member) <= R2_KEY_BYTES_MAX) expect(laterKey(member, last)).toBe(last);
        const beyond = `${prefix.toWellFormed()}0`;
        expect(laterKey(beyond, last)).toBe(beyond);
        expect(bytesOf(last)).toBeLessThanOrEqual(R2_KEY_BYTES_MAX);
      }),
    );
  });
});

it("keys sort by bytes of UTF-8, not as JavaScript sorts strings", () => {
  expect(laterKey("￿", "𐀀")).toBe("𐀀");
  expect(["𐀀", "￿"].toSorted()).toEqual(["𐀀", "￿"]);
  expect(laterKey("a", "ab")).toBe("ab");
});
