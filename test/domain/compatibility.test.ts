import { describe, expect, it } from "vitest";
import {
  decideCompatibilityDate,
  decideCompatibilityFlags,
} from "../../src/domain/compatibility.ts";
import { COMPATIBILITY_FLAG_CHARS_MAX, COMPATIBILITY_FLAGS_MAX } from "../../src/domain/limits.ts";

const refused = { ok: false, error: { kind: "upload_invalid" } };

describe("decideCompatibilityDate", () => {
  it.each([undefined, null, ""])("takes Cloudflare's default for %j", (raw) => {
    expect(decideCompatibilityDate(raw)).toEqual({ ok: true, value: "2021-11-02" });
  });

  it.each(["2026-10-01", "2024-02-29"])("takes %s", (day) => {
    expect(decideCompatibilityDate(day)).toEqual({ ok: true, value: day });
  });

  it.each([
    "2025-02-29",
    "2026-13-01",
    "2026-04-31",
    "2026-1-1",
    "today",
    "2026-10-01T00:00",
    20261001,
    {},
  ])("refuses %j, which is no day", (raw) => {
    expect(decideCompatibilityDate(raw)).toMatchObject(refused);
  });
});

describe("decideCompatibilityFlags", () => {
  it("keeps order and drops repetitions", () => {
    expect(decideCompatibilityFlags(["nodejs_compat", "b", "nodejs_compat"])).toEqual({
      ok: true,
      value: ["nodejs_compat", "b"],
    });
    expect(decideCompatibilityFlags(undefined)).toEqual({ ok: true, value: [] });
  });

  it.each([[["experimental"]], [["a b"]], [["A"]], [[""]], [[1]], ["nodejs_compat"], [{}]])(
    "refuses %j",
    (raw) => {
      expect(decideCompatibilityFlags(raw)).toMatchObject(refused);
    },
  );

  it("bounds their number and length", () => {
    const flags = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);
    expect(decideCompatibilityFlags(flags(COMPATIBILITY_FLAGS_MAX)).ok).toBe(true);
    expect(decideCompatibilityFlags(flags(COMPATIBILITY_FLAGS_MAX + 1)).ok).toBe(false);
    expect(decideCompatibilityFlags(["f".repeat(COMPATIBILITY_FLAG_CHARS_MAX)]).ok).toBe(true);
    expect(decideCompatibilityFlags(["f".repeat(COMPATIBILITY_FLAG_CHARS_MAX + 1)]).ok).toBe(false);
  });
});
