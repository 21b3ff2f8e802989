import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideAssetsConfig,
  readAssetsConfig,
  type StoredAssetsConfig,
} from "../../../src/domain/assets/assets-config.ts";
import {
  fillIn,
  matchGlob,
  matchRule,
  parseRulePattern,
} from "../../../src/domain/assets/rule-pattern.ts";
import { whoIsFirst } from "../../../src/domain/assets/worker-first.ts";
import {
  ASSET_DYNAMIC_REDIRECTS_MAX,
  ASSET_HEADER_RULES_MAX,
  ASSET_RULE_NAMES_MAX,
  ASSET_RULE_WORK_MAX,
  ASSET_RULE_LINE_CHARS_MAX,
  ASSET_RULES_BYTES_MAX,
  ASSET_STATIC_REDIRECTS_MAX,
  WORKER_FIRST_RULE_CHARS_MAX,
  WORKER_FIRST_RULES_MAX,
} from "../../../src/domain/limits-assets.ts";

const times = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

/** The sentence with which a configuration is refused; null when it is taken. */
function refusal(config: Record<string, unknown>): string | null {
  const decided = decideAssetsConfig(config);
  if (decided.ok) return null;
  return decided.error.kind === "asset_rules_invalid"
    ? decided.error.lines.join("\n")
    : "detail" in decided.error
      ? decided.error.detail
      : decided.error.kind;
}

const read = (config: StoredAssetsConfig) => readAssetsConfig(config);

describe("a pattern", () => {
  const match = (rule: string, path: string, host = "www.example.com") =>
    matchRule(parseRulePattern(rule)!, host, path);

  it("takes as much as it can, name by name", () => {
    expect(match("/a/*", "/a/b/c")).toEqual({ splat: "b/c" });
    expect(match("/a/*", "/a/")).toEqual({ splat: "" });
    expect(match("/a/*", "/a")).toBeNull();
    expect(match("/:x/:y", "/1/2")).toEqual({ x: "1", y: "2" });
    expect(match("/:x", "/1/2")).toBeNull();
    expect(match("/:x", "/")).toBeNull();
    expect(match("/:x-:y.html", "/a-b-c.html")).toEqual({ x: "a-b", y: "c" });
    expect(match("/*.html", "/a.html.html")).toEqual({ splat: "a.html" });
    expect(match("https://:sub.example.com/*", "/p")).toEqual({ sub: "www", splat: "p" });
    expect(match("https://:sub.example.com/*", "/p", "a.b.example.com")).toBeNull();
    expect(parseRulePattern("/:a/:a")).toBeNull();
  });

  it("matches what the regular expression of the same meaning would", () => {
    const part = fc.constantFrom<string>("a", "b", "/", "-", ".", ":x", ":y");
    const rule = fc
      .tuple(fc.array(part, { maxLength: 6 }), fc.option(fc.nat({ max: 6 })))
      .map(([parts, splat]) =>
        ["/", ...(splat === null ? parts : parts.toSpliced(splat, 0, "*"))].join(""),
      )
      // Where a letter after a name would be part of it, or a name comes twice, there is no such rule.
      .filter(
        (text) =>
          !/:[xy][ab]/.test(text) &&
          (text.match(/:x/g)?.length ?? 0) < 2 &&
          (text.match(/:y/g)?.length ?? 0) < 2,
      );
    const path = fc
      .array(fc.constantFrom("a", "b", "/", "-", "."), { maxLength: 10 })
      .map((all) => `/${all.join("")}`);
    fc.assert(
      fc.property(rule, path, (text, subject) => {
        const source = text
          .replace(/[-/.]/g, "\\$&")
          .replace("*", "(?<splat>.*)")
          .replace(/:([xy])/g, "(?<$1>[^/]+)");
        const found = new RegExp(`^${source}$`).exec(subject);
        expect(match(text, subject)).toEqual(found && { ...found.groups });
      }),
      { numRuns: 5_000 },
    );
  });

  it("is matched in time that nobody can make explode", () => {
    const names = (count: number) => times(count, (index) => `:n${index}`).replaceAll("\n", "");
    const rule = parseRulePattern(`/${names(ASSET_RULE_NAMES_MAX)}!`)!;
    expect(matchRule(rule, "h", `/${"x".repeat(16_000)}`)).toBeNull();
    // All the rules that a version may have, for each request.
    const longest = `/${"x".repeat(Math.floor(ASSET_RULE_WORK_MAX / 4) - 1)}`;
    expect(matchRule(parseRulePattern(`/${names(4)}`)!, "h", longest)).not.toBeNull();
    expect(matchRule(parseRulePattern(`/${names(4)}`)!, "h", `${longest}x`)).toBeNull();
    expect(matchRule(parseRulePattern("/*")!, "h", longest.repeat(4))).not.toBeNull();
    expect(refusal({ _redirects: `/${names(ASSET_RULE_NAMES_MAX)} /b` })).toBeNull();
    expect(refusal({ _redirects: `/${names(ASSET_RULE_NAMES_MAX + 1)} /b` })).toContain(
      "placeholders",
    );
    expect(matchGlob(`/${"*a".repeat(40)}b`, `/${"a".repeat(8_000)}`)).toBe(false);
  });

  it("fills in what was found, the longest name first, and nothing of what it has filled in", () => {
    expect(fillIn("/:slug/:slug_id/:other", { slug: "a", slug_id: "b" })).toBe("/a/b/:other");
    expect(fillIn("/:x/:y", { x: ":y", y: "$&" })).toBe("/:y/$&");
  });

  it("of run_worker_first has stars and nothing else", () => {
    expect(matchGlob("/api/*", "/api/")).toBe(true);
    expect(matchGlob("/api/*", "/api")).toBe(false);
    expect(matchGlob("/*.css", "/a/b.css")).toBe(true);
    expect(matchGlob("/a.b", "/axb")).toBe(false);
    expect(matchGlob("/a*a", "/a")).toBe(false);
    expect(matchGlob("*", "/anything")).toBe(true);
  });
});

describe("run_worker_first", () => {
  it("says who answers, exceptions first", () => {
    const { workerFirst } = read({ run_worker_first: ["/api/*", "!/api/docs/*"] });
    expect(whoIsFirst(workerFirst, "/api/x")).toBe("worker");
    expect(whoIsFirst(workerFirst, "/api/docs/x")).toBe("assets");
    expect(whoIsFirst(workerFirst, "/x")).toBe("either");
    expect(whoIsFirst(read({ run_worker_first: true }).workerFirst, "/x")).toBe("worker");
    expect(whoIsFirst(read({}).workerFirst, "/x")).toBe("either");
  });

  it("is refused when it cannot mean anything", () => {
    const rules = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);
    const long = (chars: number) => [`/${"x".repeat(chars - 1)}`];
    expect(refusal({ run_worker_first: rules(WORKER_FIRST_RULES_MAX) })).toBeNull();
    expect(refusal({ run_worker_first: rules(WORKER_FIRST_RULES_MAX + 1) })).toContain("at most");
    expect(refusal({ run_worker_first: long(WORKER_FIRST_RULE_CHARS_MAX) })).toBeNull();
    expect(refusal({ run_worker_first: long(WORKER_FIRST_RULE_CHARS_MAX + 1) })).toContain(
      "at most",
    );
    expect(refusal({ run_worker_first: [] })).toContain("is empty");
    expect(refusal({ run_worker_first: ["!/a"] })).toContain("Only negative");
    expect(refusal({ run_worker_first: ["a"] })).toContain("must start with '/' or '!/'");
    expect(refusal({ run_worker_first: ["!a", "/b"] })).toContain("must start with '!/'");
    expect(refusal({ run_worker_first: ["/a", "/a"] })).toContain("duplicate");
    expect(refusal({ run_worker_first: ["/a/*", "/a/b"] })).toContain("makes it redundant");
    expect(refusal({ run_worker_first: 1 })).toContain("must be true, false or a list");
  });
});

describe("_redirects", () => {
  const redirects = (text: string) => read({ _redirects: text }).redirects;

  it("has one rule a line, and comments", () => {
    const text =
      "# all\n/a /b\n\n/c /d?x=1#y 301 # moved\n/e/* https://x.example:81/:splat 308\nplain /f 200\n";
    expect(refusal({ _redirects: text })).toBeNull();
    expect(redirects(text)).toEqual([
      { from: "/a", to: "/b", status: 302, isDynamic: false },
      { from: "/c", to: "/d?x=1#y", status: 301, isDynamic: false },
      { from: "/e/*", to: "https://x.example:81/:splat", status: 308, isDynamic: true },
      { from: "/plain", to: "/f", status: 200, isDynamic: true },
    ]);
  });

  it("is refused with the line that cannot be read", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["/a", /^Line 1: Expected exactly 2 or 3/],
      ["/a /b 302 x", /^Line 1: Expected exactly 2 or 3/],
      ["/ok /fine\n/a /b 404", /^Line 2: Valid status codes/],
      ["https://x.example/a /b", /^Line 1: Only relative URLs/],
      ["/a ftp://x.example/", /^Line 1: URLs should either be relative/],
      ["/a https://x.example/ 200", /^Line 1: Proxy \(200\)/],
      ["/* /index.html 200", /^Line 1: Infinite loop/],
      ["/ /index", /^Line 1: Infinite loop/],
      ["/a /b\n/a /c", /^Line 2: Ignoring duplicate rule for path \/a/],
    ];
    for (const [text, sentence] of refused) expect(refusal({ _redirects: text })).toMatch(sentence);
    expect(refusal({ _redirects: "/ /index.html", html_handling: "none" })).toBeNull();
  });

  it("has as many rules, and as long ones, as Cloudflare allows", () => {
    const statics = (count: number) => ({ _redirects: times(count, (index) => `/${index} /b`) });
    const dynamics = (count: number) => ({ _redirects: times(count, (index) => `/${index}/* /b`) });
    const line = (chars: number) => ({ _redirects: `/${"x".repeat(chars - 4)} /b` });
    expect(refusal(statics(ASSET_STATIC_REDIRECTS_MAX))).toBeNull();
    expect(refusal(statics(ASSET_STATIC_REDIRECTS_MAX + 1))).toContain("There are more than");
    expect(refusal(dynamics(ASSET_DYNAMIC_REDIRECTS_MAX))).toBeNull();
    expect(refusal(dynamics(ASSET_DYNAMIC_REDIRECTS_MAX + 1))).toContain("There are more than");
    expect(refusal(line(ASSET_RULE_LINE_CHARS_MAX))).toBeNull();
    expect(refusal(line(ASSET_RULE_LINE_CHARS_MAX + 1))).toContain("longer than");
    expect(refusal({ _redirects: "#".padEnd(ASSET_RULES_BYTES_MAX) })).toBeNull();
    expect(refusal({ _redirects: "#".padEnd(ASSET_RULES_BYTES_MAX + 1) })).toContain("bytes long");
  });
});

describe("_headers", () => {
  it("has paths, each with headers to set or to leave out", () => {
    const text =
      "# all\n/*\n  X-A: one\n  x-a: two\n  Link: </a:b>; rel=x\n\nhttps://x.example/b\n  ! ETag\n";
    expect(refusal({ _headers: text })).toBeNull();
    expect(read({ _headers: text }).headers).toEqual([
      { path: "/*", set: { "x-a": "one, two", link: "</a:b>; rel=x" }, unset: [] },
      { path: "https://x.example/b", set: {}, unset: ["etag"] },
    ]);
  });

  it("is refused with the line that cannot be read", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["X-A: b", /^Line 1: Expected a path before headers/],
      ["/a\n/b\n  X-A: b", /^Line 1: No headers specified/],
      ["/a\n  nothing", /^Line 2: Expected a colon-separated/],
      ["/a\n  X A: b", /^Line 2: Header name cannot include spaces/],
      ["/a\n  : b", /^Line 2: No header name/],
      ["/a\n  X-A:", /^Line 2: No header value/],
      ["/a\n  X-A: ä\u{1f600}", /^Line 2: Header value has characters/],
      ["/*/*\n  X-A: b", /^Line 1: Only one wildcard/],
      ["/:splat/*\n  X-A: b", /^Line 1: Cannot combine/],
      ["https://x.example:8080/\n  X-A: b", /^Line 1: Specifying ports/],
    ];
    for (const [text, sentence] of refused) expect(refusal({ _headers: text })).toMatch(sentence);
  });

  it("has as many rules as Cloudflare allows", () => {
    const rules = (count: number) => ({ _headers: times(count, (index) => `/${index}\n  X-A: b`) });
    expect(refusal(rules(ASSET_HEADER_RULES_MAX))).toBeNull();
    expect(refusal(rules(ASSET_HEADER_RULES_MAX + 1))).toContain("There are more than");
  });
});

describe("a configuration", () => {
  it("of a client's form is taken for what it spells", () => {
    expect(decideAssetsConfig({ run_worker_first: "true", html_handling: "none" })).toEqual({
      ok: true,
      value: { run_worker_first: true, html_handling: "none" },
    });
    expect(refusal({ html_handling: "some" })).toContain("must be one of");
    expect(refusal({ not_found_handling: 1 })).toContain("must be one of");
    expect(refusal({ base_path: "//x" })).toContain("must be a pathname");
    expect(refusal({ _headers: 1 })).toContain("must be a text");
    expect(read({ base_path: "/a/./b/../c" }).basePath).toBe("/a/c/");
  });
});
