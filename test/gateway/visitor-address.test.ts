import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOST_HEADERS_KEPT_MAX } from "../../src/domain/limits.ts";
import { normalizeHost } from "../../src/domain/routing.ts";
import { readAddress } from "../../src/gateway/visitor-address.ts";

/** The runtime makes a request's URL from its Host header as it came. */
const read = (hostHeader: string, target = "/") =>
  readAddress(`http://${hostHeader}${target}`, hostHeader);

const parsed = (hostHeader: string, target: string) => {
  const url = URL.parse(`http://${hostHeader}${target}`);
  return url && { host: normalizeHost(url.hostname), path: url.pathname + url.search };
};

/** Made of what URL parsers treat in a way of its own. */
const target = fc
  .array(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%2E",
      "\\",
      "?",
      "#",
      "a",
      "B",
      "%41",
      "%",
      " ",
      "ä",
      "'",
      '"',
      "<",
      "|",
      "^",
      "`",
      "{",
      "@",
      ":",
      ";",
      "=",
      "&",
      "+",
      "~",
      "-",
      "_",
      "\t",
      "//",
      "/./",
      "/../",
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join("")}`);

const plainHost = fc
  .tuple(
    fc.array(fc.constantFrom("a", "B", "1", "0x7f", "xn--nxa", "-", ".", "_", "localhost"), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.constantFrom("", ":", ":80", ":8080", ":65535", ":65536"),
  )
  .map(([parts, port]) => parts.join("") + port);

describe("a visitor's address", () => {
  it("is what the URL parser makes of the request, whatever the path", () => {
    fc.assert(
      fc.property(target, (path) => {
        // Twice: the second time the host is known.
        for (let n = 0; n < 2; n++)
          expect(read("Shop.example:8787", path)).toEqual(parsed("Shop.example:8787", path));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is what the URL parser makes of the request, whatever the host", () => {
    fc.assert(
      fc.property(plainHost, (host) => {
        for (let n = 0; n < 2; n++) expect(read(host)).toEqual(parsed(host, "/"));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["0x7f000001", "127.0.0.1"],
    ["LOCALHOST.:8787", "localhost"],
    ["[::1]:8787", "[::1]"],
  ])("knows the host %s as %s", (hostHeader, host) => {
    expect(read(hostHeader)).toEqual({ host, path: "/" });
  });

  it.each([
    "",
    "a.example:80@localhost",
    "a.example/b",
    "a.example?b",
    "a.example\\b",
    "a b",
    "a:x",
  ])("is none for the Host header %j", (hostHeader) => {
    expect(read(hostHeader)).toBeNull();
    expect(readAddress("http://a.example/", hostHeader)).toBeNull();
  });

  it("is the URL's where the Host header says something else", () => {
    expect(readAddress("http://b.example/x", "a.example")).toEqual({
      host: "b.example",
      path: "/x",
    });
    expect(readAddress("http://a.example.b/x", "a.example")).toEqual({
      host: "a.example.b",
      path: "/x",
    });
  });

  it("stays right when more hosts come than it remembers", () => {
    for (let n = 0; n <= 2 * HOST_HEADERS_KEPT_MAX; n++) {
      expect(read(`H${n}.example`)?.host).toBe(`h${n}.example`);
    }
    expect(read("H0.example")?.host).toBe("h0.example");
  });
});
