import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MODULE_NAME_CHARS_MAX } from "../../src/domain/limits.ts";
import { decideModuleName } from "../../src/domain/module-name.ts";

describe("decideModuleName", () => {
  it.each([
    ["index.js", "index.js"],
    [
      "./5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html",
      "5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html",
    ],
    ["lib/other.mjs", "lib/other.mjs"],
    ["m.wasm", "m.wasm"],
    ["brand-new", "brand-new"],
    ["_worker.js", "_worker.js"],
    [".well-known/x.txt", ".well-known/x.txt"],
    ["a/.hidden.js", "a/.hidden.js"],
    ["a..b.js", "a..b.js"],
    ["@scope/pkg@1.2.3+x.js", "@scope/pkg@1.2.3+x.js"],
    ["with space.txt", "with space.txt"],
    ["__main.js", "__main.js"],
  ])("takes %j as %j", (text, name) => {
    expect(decideModuleName(text)).toEqual({ ok: true, value: name });
  });

  it.each([
    "",
    "./",
    "/",
    "/abs.js",
    "../x.js",
    "../../x.js",
    "a/../b.js",
    "a/./b.js",
    "././x.js",
    ".",
    "..",
    "a/..",
    "a//b.js",
    "a/",
    "a\0b.js",
    "a\nb.js",
    "node:fs",
    "cloudflare:workers",
    "file:///etc/passwd",
    "x.js?y",
    "x.js#y",
    "%2e%2e/x.js",
    "a\\b.js",
    " lead.js",
    "é.js",
    "__proto__",
    "constructor",
    "prototype",
    "./__proto__",
    "__switchback",
    "__switchback-main.js",
    "./__switchback.js",
    "__SwitchBack.js",
  ])("refuses %j", (text) => {
    expect(decideModuleName(text)).toMatchObject({ ok: false, error: { kind: "upload_invalid" } });
  });

  it("takes names up to the limit, not counting the leading ./, and none longer", () => {
    const longest = "a".repeat(MODULE_NAME_CHARS_MAX);
    expect(decideModuleName(`./${longest}`)).toEqual({ ok: true, value: longest });
    expect(decideModuleName(`${longest}a`)).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining("256 characters") },
    });
  });

  it("takes no name that a URL would resolve to something else", () => {
    const parts = fc.constantFrom("a", "/", ".", "..", "\\", ":", "%2f", "?", "#", " ", "\t", "@");
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
        const name = decideModuleName(pieces.join(""));
        if (!name.ok) return;
        const url = new URL(encodeURI(`/${name.value}`), "file:///");
        expect(decodeURI(url.pathname + url.search + url.hash)).toBe(`/${name.value}`);
      }),
    );
  });
});
