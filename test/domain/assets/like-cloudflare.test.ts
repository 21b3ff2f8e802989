/**
 * The same answers as Cloudflare's own asset Worker, which Miniflare carries: for every way of handling pages and what
 * there is not, redirects, headers and base paths, over files and requests that are made up.
 */
import { createExecutionContext } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { AssetWorkerInner } from "../../../node_modules/miniflare/dist/src/workers/assets/assets.worker.js";
import type { AssetFile } from "../../../src/domain/assets/asset-files.ts";
import {
  decideAssetsConfig,
  readAssetsConfig,
  type StoredAssetsConfig,
} from "../../../src/domain/assets/assets-config.ts";
import { headerChanges, indexHeaders } from "../../../src/domain/assets/custom-headers.ts";
import { decideAnswer, indexRedirects } from "../../../src/domain/assets/decide-answer.ts";

/** Few names, so that they meet. */
const segment = fc.constantFrom("a", "b", "index", "a.html", "index.html", "404.html", "x y", "é");
const filePath = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join("/")}`);
const otherPath = fc
  .array(fc.oneof(segment, fc.constantFrom("c", "", "%41", "%zz", "..")), { maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`);
/** Spellings of a path that may mean the same file, or another one. */
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `${path}/`,
  (path) => `${path}.html`,
  (path) => `${path}/index`,
  (path) => `${path}/index.html`,
  (path) => path.replace(/\.html$/, ""),
  (path) => path.replace(/\.html$/, "/"),
  (path) => path.replace(/index\.html$/, ""),
  (path) => path.replace(/\/index\.html$/, ""),
  (path) => path.replace(/\/index\.html$/, ".html"),
  (path) => path.replace(/\/index\.html$/, "/index"),
  (path) => path.slice(0, path.lastIndexOf("/")) || "/",
];
const REDIRECTS = [
  "/a /b 301",
  "/c/* /:splat 302",
  "/b/:name https://elsewhere.example/:name?x=1#part",
  "/old /a.html 200",
  "/p/:one/:two /:two/:one 307",
  "/gone/* /a 200",
];
const HEADERS = [
  "/*\n  X-All: yes\n",
  "/a*\n  X-All: also\n  X-Splat: :splat\n",
  "/:one/:two\n  X-Two: :two\n",
  "https://:sub.example.com/*\n  X-Host: :sub\n",
  "/b\n  ! ETag\n  Cache-Control: no-store\n",
];
const config = fc.record({
  html_handling: fc.constantFrom(
    "auto-trailing-slash" as const,
    "force-trailing-slash" as const,
    "drop-trailing-slash" as const,
    "none" as const,
  ),
  not_found_handling: fc.constantFrom(
    "none" as const,
    "single-page-application" as const,
    "404-page" as const,
  ),
  base_path: fc.constantFrom("/", "/a/", "/a/b/"),
  _redirects: fc.subarray(REDIRECTS).map((lines) => lines.join("\n")),
  _headers: fc.subarray(HEADERS).map((rules) => rules.join("")),
});

it("answers as Cloudflare's asset Worker does", async () => {
  await fc.assert(
    fc.asyncProperty(
      config,
      fc.uniqueArray(filePath, { maxLength: 8 }),
      fc.nat(),
      otherPath,
      fc.constantFrom(...SPELLINGS),
      fc.constantFrom("", "?q=1"),
      fc.constantFrom("GET", "HEAD", "POST"),
      // Files of the same content are one to Cloudflare: two contents make that happen.
      fc.array(fc.constantFrom("1", "2"), { minLength: 8, maxLength: 8 }),
      async (stored, paths, pick, other, spell, search, method, contents) => {
        const base = stored.base_path.slice(0, -1);
        const path = spell(
          [...paths.map((each) => base + each), other][pick % (paths.length + 1)]!,
        );
        const files = new Map(
          paths.map((each, index) => [each, fileOf(`${contents[index]}`.repeat(32))]),
        );
        const request = new Request(`https://www.example.com${path}${search}`, { method });
        expect(await ours(stored, files, request)).toEqual(await theirs(stored, files, request));
      },
    ),
    { numRuns: 3_000 },
  );
}, 60_000);

const fileOf = (etag: string): AssetFile => ({
  sha256: etag + etag,
  size: 1,
  contentType: "text/plain",
  etag,
});

async function ours(
  stored: StoredAssetsConfig,
  files: ReadonlyMap<string, AssetFile>,
  request: Request,
) {
  const decided = decideAssetsConfig(stored);
  if (!decided.ok) throw new Error(JSON.stringify(decided.error));
  const read = readAssetsConfig(decided.value);
  const url = new URL(request.url);
  const find = (path: string) => files.get(path);
  const redirects = indexRedirects(read.redirects);
  const { method } = request;
  const answer = decideAnswer({ method, url }, read, redirects, find);
  const headers = new Headers();
  let status = 404;
  if (answer.kind === "file") {
    headers.set("etag", `"${answer.file.etag}"`);
    headers.set("cache-control", "public, max-age=0, must-revalidate");
    status = answer.status;
  }
  if (answer.kind === "redirect") {
    headers.set("location", answer.location);
    status = answer.status;
  }
  if (answer.kind === "method_not_allowed") status = 405;
  if (answer.kind !== "outside") {
    const changes = headerChanges(indexHeaders(read.headers), url.hostname, url.pathname);
    for (const { kind, name, value } of changes) {
      if (kind === "delete") headers.delete(name);
      else headers[kind](name, value);
    }
  }
  const alone = decideAnswer(
    { method, url },
    { ...read, notFoundHandling: "none" },
    redirects,
    find,
  );
  const canFetch = alone.kind !== "outside" && !(alone.kind === "none" && !alone.isClaimed);
  return { status, headers: told(headers), canFetch };
}

async function theirs(
  stored: StoredAssetsConfig,
  files: ReadonlyMap<string, AssetFile>,
  request: Request,
) {
  const read = readAssetsConfig(stored);
  const rules = (dynamic: boolean) =>
    Object.fromEntries(
      read.redirects
        .filter((rule) => rule.isDynamic === dynamic)
        .map(({ from, to, status }, lineNumber) => [from, { to, status, lineNumber }]),
    );
  const worker = new AssetWorkerInner(createExecutionContext(), {
    CONFIG: {
      ...stored,
      redirects: { version: 1, staticRules: rules(false), rules: rules(true) },
      headers: {
        version: 2,
        rules: Object.fromEntries(read.headers.map(({ path, ...rest }) => [path, rest])),
      },
    },
  });
  worker.unstable_exists = async (path) => files.get(path)?.etag ?? null;
  worker.unstable_getByETag = async () => ({ readableStream: null, cacheStatus: "HIT" });
  const canFetch = await worker.unstable_canFetch(request.clone());
  const response = await worker.fetch(request);
  return { status: response.status, headers: told(response.headers), canFetch };
}

const told = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => name !== "cf-cache-status"));
