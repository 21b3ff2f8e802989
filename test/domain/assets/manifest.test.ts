import { describe, expect, it } from "vitest";
import { decideRange } from "../../../src/domain/assets/byte-range.ts";
import { isHashedName } from "../../../src/domain/assets/hashed-name.ts";
import {
  decideUploadManifest,
  extensionOf,
  fillBuckets,
  namedContents,
} from "../../../src/domain/assets/upload-manifest.ts";
import {
  ASSET_BUCKET_BYTES_MAX,
  ASSET_BUCKET_FILES_MAX,
  ASSET_FILE_BYTES_MAX,
  ASSET_FILES_MAX,
  ASSET_PATH_BYTES_MAX,
} from "../../../src/domain/limits-assets.ts";

const HASH = "0123456789abcdef0123456789abcdef";
const hashOf = (index: number): string => index.toString(16).padStart(32, "0");

function refusal(manifest: unknown): string | null {
  const decided = decideUploadManifest(manifest);
  if (decided.ok) return null;
  return "detail" in decided.error ? decided.error.detail : decided.error.kind;
}

describe("a manifest", () => {
  it("has as many files, as long and as large as are allowed", () => {
    const files = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`/${i}`, { hash: hashOf(i), size: 1 }]),
      );
    expect(refusal(files(ASSET_FILES_MAX))).toBeNull();
    expect(refusal(files(ASSET_FILES_MAX + 1))).toContain("at most 20000");
    const sized = (size: unknown) => ({ "/a": { hash: HASH, size } });
    expect(refusal(sized(ASSET_FILE_BYTES_MAX))).toBeNull();
    expect(refusal(sized(ASSET_FILE_BYTES_MAX + 1))).toContain("at most 26214400");
    for (const size of [-1, 1.5, "1", null])
      expect(refusal(sized(size))).toContain("number of bytes");
    const named = (path: string) => ({ [path]: { hash: HASH, size: 1 } });
    expect(refusal(named(`/${"ä".repeat((ASSET_PATH_BYTES_MAX - 2) / 2)}x`))).toBeNull();
    expect(refusal(named(`/${"ä".repeat(ASSET_PATH_BYTES_MAX / 2)}`))).toContain("longer than");
    expect(refusal(named("a"))).toContain("begin with a slash");
    expect(refusal(named("/a\n"))).toContain("characters");
    expect(refusal(named("/\ud800"))).toContain("characters");
    expect(refusal({ "/a": { hash: "x", size: 1 } })).toContain("32 hex digits");
    expect(refusal({ "/a": { hash: HASH, size: 1 }, "/b": { hash: HASH, size: 2 } })).toContain(
      "not its size",
    );
    for (const raw of [null, [], "x"]) expect(refusal(raw)).toContain("must be an object");
    expect(refusal({ "/a": null })).toContain("32 hex digits");
  });

  it("names each content once, and only one extension can be verified", () => {
    const decided = decideUploadManifest({
      "/a.html": { hash: hashOf(1), size: 1 },
      "/b/a.html": { hash: hashOf(1), size: 1 },
      "/c.css": { hash: hashOf(2), size: 1 },
      "/c.txt": { hash: hashOf(2), size: 1 },
    });
    if (!decided.ok) throw new Error("refused");
    expect([...namedContents(decided.value).values()]).toEqual([
      { hash: hashOf(1), size: 1, extension: "html" },
      { hash: hashOf(2), size: 1, extension: null },
    ]);
  });

  it("has the extensions that clients hash", () => {
    const cases: Record<string, string> = {
      "/a.html": "html",
      "/a.tar.gz": "gz",
      "/a": "",
      "/.htaccess": "",
      "/a.b/c": "",
      "/a.": "",
      "/x/.well-known/a.json": "json",
    };
    for (const [path, extension] of Object.entries(cases))
      expect([path, extensionOf(path)]).toEqual([path, extension]);
  });
});

it("buckets hold what one call can carry", () => {
  const entries = (count: number, size: number) =>
    Array.from({ length: count }, (_, index) => ({ hash: hashOf(index), size }));
  expect(fillBuckets([])).toEqual([]);
  expect(fillBuckets(entries(ASSET_BUCKET_FILES_MAX + 1, 1)).map((each) => each.length)).toEqual([
    ASSET_BUCKET_FILES_MAX,
    1,
  ]);
  expect(fillBuckets(entries(3, ASSET_BUCKET_BYTES_MAX / 2)).map((each) => each.length)).toEqual([
    2, 1,
  ]);
  expect(fillBuckets(entries(2, ASSET_FILE_BYTES_MAX)).map((each) => each.length)).toEqual([1, 1]);
});

describe("a name", () => {
  const hashed = [
    "/assets/index-BxY12abc.js",
    "/assets/index-DiwrgTda.css",
    "/assets/vendor-B7_x-9Qa.js",
    "/static/js/main.3f2a1b9c.js",
    "/static/css/main.3f2a1b9c.chunk.css",
    "/app.5d41402abc4b2a76b9719d911017c592.css.map",
    "/chunk-PZ5AY32C.js",
    "/main-XLMQNJTK.js",
    "/_next/static/chunks/117-0a1b2c3d4e5f6789.js",
    "/_app/immutable/chunks/BxY12abc.js",
    "/_astro/hoisted.D4x3Zq1L.js",
    "/fonts/inter.a1b2c3d4.woff2",
    "/5d41402abc4b2a76b9719d911017c592.png",
  ];
  const plain = [
    "/index.html",
    "/page-BxY12abc.html",
    "/page-BxY12abc.html.gz",
    "/style.css",
    "/logo.png",
    "/favicon.ico",
    "/jquery-3.7.1.min.js",
    "/report-20240131.pdf",
    "/my-component-library.js",
    "/some-very-long-descriptive-name.jpg",
    "/module-federation.js",
    "/manifest.webmanifest",
    "/assets/useAuthentication.js",
    "/BxY12abc",
    "/BxY12abc.js",
    "/sw.js",
    "/data-export.json",
  ];

  it.each(hashed)("%s holds a hash", (path) => expect(isHashedName(path)).toBe(true));
  it.each(plain)("%s holds none", (path) => expect(isHashedName(path)).toBe(false));
});

it("a range is part of the file, all of it, or none", () => {
  const whole = { kind: "whole" };
  const part = (offset: number, length: number) => ({ kind: "part", offset, length });
  const none = { kind: "unsatisfiable" };
  expect(decideRange(null, 10)).toEqual(whole);
  expect(decideRange("bytes=0-0", 10)).toEqual(part(0, 1));
  expect(decideRange("bytes=0-", 10)).toEqual(part(0, 10));
  expect(decideRange("bytes=5-99", 10)).toEqual(part(5, 5));
  expect(decideRange("bytes=-99", 10)).toEqual(part(0, 10));
  expect(decideRange("bytes=-0", 10)).toEqual(none);
  expect(decideRange("bytes=10-", 10)).toEqual(none);
  expect(decideRange("bytes=0-", 0)).toEqual(none);
  for (const odd of ["bytes=-", "bytes=5-4", "bytes=0-1,3-4", "items=0-1", "bytes=x-1", ""])
    expect(decideRange(odd, 10)).toEqual(whole);
});
