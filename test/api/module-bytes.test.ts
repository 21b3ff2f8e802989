import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "../../src/api/module-bytes.ts";

describe("modules as base64", () => {
  it("come back as they went, whatever their bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(toBase64(bytes)).toBe(btoa(String.fromCharCode(...bytes)));
      }),
    );
  });

  it("come back as they went, whatever their size", () => {
    for (const size of [24_575, 24_576, 24_577, 100_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31) % 256);
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
  });

  it("are nothing when the text is not base64", () => {
    expect(fromBase64("%%%")).toBeNull();
    expect(fromBase64("a")).toBeNull();
  });
});
