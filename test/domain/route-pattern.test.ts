import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROUTE_PATTERN_CHARS_MAX } from "../../src/domain/limits.ts";
import { findRoute, indexRoutes } from "../../src/domain/route-index.ts";
import {
  compareSpecificity,
  formatRoutePattern,
  matchesRoute,
  parseRoutePattern,
  type RoutePattern,
} from "../../src/domain/route-pattern.ts";

const parsed = (text: string): RoutePattern => {
  const result = parseRoutePattern(text);
  if (!result.ok) throw new Error(`${text}: ${result.error}`);
  return result.value;
};
const matches = (pattern: string, url: string): boolean => {
  const { hostname, pathname, search } = new URL(url);
  return matchesRoute(parsed(pattern), hostname, pathname + search);
};

describe("a route pattern", () => {
  it.each([
    ["example.com/*", "https://example.com/", true],
    ["example.com/*", "https://example.com/a/b?c=d", true],
    ["example.com/*", "https://a.example.com/", false],
    ["example.com", "https://example.com/", true],
    ["example.com", "https://example.com/a", false],
    ["example.com/a", "https://example.com/a", true],
    ["example.com/a", "https://example.com/a?q=1", false],
    ["example.com/a*", "https://example.com/a?q=1", true],
    ["example.com/a*", "https://example.com/abc", true],
    ["example.com/a/*", "https://example.com/a", false],
    ["example.com/A", "https://example.com/a", false],
    ["EXAMPLE.com/a", "https://example.com/a", true],
    ["*.example.com/*", "https://a.b.example.com/", true],
    ["*.example.com/*", "https://example.com/", false],
    ["*example.com/*", "https://example.com/", true],
    ["*example.com/*", "https://a.example.com/", true],
    ["*example.com/*", "https://notexample.com/", true],
    ["https://example.com/*", "http://example.com/", true],
    ["http://example.com/*", "https://example.com/", true],
    ["*/*", "https://anything.example/", true],
  ])("%s against %s: %s", (pattern, url, expected) => {
    expect(matches(pattern, url)).toBe(expected);
  });

  it.each([
    ["", "needs a host"],
    ["/a", "needs a host"],
    ["*./a", "needs a host"],
    ["example.com/a?b", "query"],
    ["example.com/a#b", "fragment"],
    ["exa*mple.com/", "only at its beginning"],
    ["example.*/", "only at its beginning"],
    ["example.com/a*b", "only at its end"],
    ["example.com/**", "only at its end"],
    ["example.com:8080/*", "port"],
    ["ex ample.com/*", "not a host name"],
    ["exämple.com/*", "xn--"],
    ["example..com/*", "not a host name"],
    ["example.com./*", "not a host name"],
    ["ftp://example.com/*", "port"],
    ["example.com/ä", "percent-encoded"],
    [`example.com/${"a".repeat(ROUTE_PATTERN_CHARS_MAX)}`, "at most"],
  ])("refuses %s", (text, reason) => {
    const result = parseRoutePattern(text);
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(reason) as string });
  });

  it("takes the longest pattern there may be", () => {
    const text = `e.io/${"a".repeat(ROUTE_PATTERN_CHARS_MAX - 5)}`;
    expect(parseRoutePattern(text).ok).toBe(true);
    expect(parseRoutePattern(`${text}a`).ok).toBe(false);
  });

  it("never throws, and what it takes it writes back in a form it takes again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), patternArbitrary), (text) => {
        const result = parseRoutePattern(text);
        if (!result.ok) return;
        expect(parsed(formatRoutePattern(result.value))).toEqual(result.value);
      }),
    );
  });
});

const label = fc.constantFrom("a", "b", "ab", "example");
const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const path = fc
  .array(fc.constantFrom("x", "y", "xy", ""), { maxLength: 3 })
  .map((parts) => `/${parts.join("/")}`);
const patternArbitrary = fc
  .tuple(fc.constantFrom("", "*", "*."), host, path, fc.constantFrom("", "*"))
  .map((parts) => parts.join(""));

describe("the most specific of many routes", () => {
  it("is what sorting all that match would put first", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(patternArbitrary, { minLength: 1, maxLength: 30 }),
        host,
        path,
        (texts, askedHost, askedPath) => {
          const patterns = texts.map(parsed);
          const index = indexRoutes(patterns.map((pattern) => ({ pattern, value: pattern })));
          const [best] = patterns
            .filter((pattern) => matchesRoute(pattern, askedHost, askedPath))
            .toSorted(compareSpecificity);
          expect(findRoute(index, askedHost, askedPath)?.value).toEqual(best);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [["*.example.com/*", "www.example.com/*"], "www.example.com/*"],
    [["*example.com/*", "*.example.com/*"], "*.example.com/*"],
    [["www.example.com/*", "www.example.com/hello*"], "www.example.com/hello*"],
    [["www.example.com/hello*", "www.example.com/hello"], "www.example.com/hello"],
    [["*.example.com/hello", "www.example.com/*"], "www.example.com/*"],
  ])("among %j is %s for www.example.com/hello", (texts, expected) => {
    const index = indexRoutes(texts.map((text) => ({ pattern: parsed(text), value: text })));
    expect(findRoute(index, "www.example.com", "/hello")?.value).toBe(expected);
  });

  it("is found among 10,000 by a few look-ups", () => {
    const routes = Array.from({ length: 10_000 }, (_, n) => `*.h${n}.example.com/p${n}/*`);
    const index = indexRoutes(routes.map((text) => ({ pattern: parsed(text), value: text })));
    expect(index.hostSuffixes.lengths.length).toBeLessThan(10);
    expect(findRoute(index, "a.h7777.example.com", "/p7777/x")?.value).toBe(routes[7777]);
    expect(findRoute(index, "a.h7777.example.com", "/p7776/x")).toBeNull();
  });
});
