import { describe, expect, it } from "vitest";
import {
  ASSET_MEMORY_BYTES_MAX,
  ASSET_MEMORY_FILE_BYTES_MAX,
} from "../../../src/domain/limits-assets.ts";
import { answering } from "../fake-control-plane.ts";
import { HOST, withAssets } from "./asset-fixture.ts";

const FILES = {
  "/index.html": "<h1>home</h1>",
  "/about.html": "about",
  "/docs/index.html": "docs",
  "/style.css": "body{}",
  "/404.html": "lost",
};
const WORKER = answering("`worker ${new URL(request.url).pathname}`");

/** What a visitor sees, in short. */
const seen = async (response: Response) => [response.status, await response.text()];

describe("a version's static assets", () => {
  it("answer without its Worker, with Cloudflare's headers and ours", async () => {
    const web = await withAssets();
    const versionId = await web.assetVersion({ files: FILES }, "throw new Error('never loaded')");
    web.deploy(web.workerId, [versionId, 100]);
    const response = await web.get("/style.css");
    expect(await seen(response)).toEqual([200, "body{}"]);
    expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=0, must-revalidate");
    expect(response.headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
    expect(response.headers.get("x-switchback-version")).toBe(versionId);
    expect(response.headers.get("x-switchback-sequence")).toBe("1");
    expect(await seen(await web.get("/docs/"))).toEqual([200, "docs"]);
    const moved = await web.get("/about.html?x=1");
    expect([moved.status, moved.headers.get("location")]).toEqual([307, "/about?x=1"]);
    expect((await web.get("/style.css", { method: "POST" })).status).toBe(405);
    expect(web.gateway.report().counters.loads).toBe(0);
  });

  it("are asked for once, and small files stay in memory", async () => {
    const web = await withAssets();
    const big = "x".repeat(ASSET_MEMORY_FILE_BYTES_MAX + 1);
    const small = "y".repeat(ASSET_MEMORY_FILE_BYTES_MAX);
    const versionId = await web.assetVersion({ files: { "/big.css": big, "/small.css": small } });
    web.deploy(web.workerId, [versionId, 100]);
    for (const expected of ["MISS", "HIT", "HIT"]) {
      const response = await web.get("/small.css");
      expect(response.headers.get("cf-cache-status")).toBe(expected);
      expect(await response.text()).toBe(small);
    }
    expect(web.counts).toMatchObject({ assets: 1, bytes: 1 });
    for (let time = 0; time < 2; time++) {
      expect(await (await web.get("/big.css")).text()).toBe(big);
    }
    expect(web.counts.bytes).toBe(3);
    web.gateway.evict(web.scope, "memory");
    expect((await web.get("/small.css")).headers.get("cf-cache-status")).toBe("MISS");
  });

  it("leave memory, those asked for longest ago first, when they are too many", async () => {
    const web = await withAssets();
    const count = ASSET_MEMORY_BYTES_MAX / ASSET_MEMORY_FILE_BYTES_MAX + 1;
    const files = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `/${index}.css`,
        String(index).padEnd(ASSET_MEMORY_FILE_BYTES_MAX),
      ]),
    );
    web.deploy(web.workerId, [await web.assetVersion({ files }), 100]);
    const cacheStatus = async (path: string) => {
      const response = await web.get(path);
      await response.body?.cancel();
      return response.headers.get("cf-cache-status");
    };
    for (let index = 0; index < count; index++) await cacheStatus(`/${index}.css`);
    expect(await cacheStatus(`/${count - 1}.css`)).toBe("HIT");
    expect(await cacheStatus("/1.css")).toBe("HIT");
    expect(await cacheStatus("/0.css")).toBe("MISS");
  });

  it("are not asked for again where a version has none", async () => {
    const web = await withAssets();
    const versionId = web.version(web.workerId, WORKER);
    web.deploy(web.workerId, [versionId, 100]);
    expect(await seen(await web.get("/a"))).toEqual([200, "worker /a"]);
    expect(await seen(await web.get("/app-BxY12abc.js"))).toEqual([200, "worker /app-BxY12abc.js"]);
    expect(web.counts).toEqual({ assets: 1, fallbacks: 0, bytes: 0 });
  });

  it("leave to the Worker what they have not, and to its rule what it wants first", async () => {
    const web = await withAssets();
    const run = async (config: object, ...paths: string[]) => {
      const versionId = await web.assetVersion({ files: FILES, config }, WORKER);
      web.deploy(web.workerId, [versionId, 100]);
      return Promise.all(paths.map(async (path) => (await web.get(path)).text()));
    };
    expect(await run({}, "/style.css", "/api")).toEqual(["body{}", "worker /api"]);
    expect(await run({ run_worker_first: true }, "/style.css")).toEqual(["worker /style.css"]);
    const rules = { run_worker_first: ["/*.css", "/api/*", "!/api/docs/*"] };
    expect(
      await run({ ...rules, not_found_handling: "404-page" }, "/style.css", "/api/docs/x", "/x"),
    ).toEqual(["worker /style.css", "lost", "lost"]);
  });

  it("stand in for a page that is not there when a browser goes to it, else the Worker does", async () => {
    const web = await withAssets();
    const config = { not_found_handling: "single-page-application" } as const;
    const versionId = await web.assetVersion({ files: FILES, config }, WORKER);
    web.deploy(web.workerId, [versionId, 100]);
    const navigate = { headers: { "sec-fetch-mode": "navigate" } };
    expect(await seen(await web.get("/deep/link", navigate))).toEqual([200, "<h1>home</h1>"]);
    expect(await seen(await web.get("/deep/link"))).toEqual([200, "worker /deep/link"]);
    const old = await web.assetVersion({ files: FILES, config, prefersPages: false }, WORKER);
    web.deploy(web.workerId, [old, 100]);
    expect(await seen(await web.get("/deep/link", navigate))).toEqual([200, "worker /deep/link"]);
    const alone = await web.assetVersion({ files: FILES, config });
    web.deploy(web.workerId, [alone, 100]);
    expect(await seen(await web.get("/deep/link"))).toEqual([200, "<h1>home</h1>"]);
  });

  it("say 404 where there is no Worker to ask", async () => {
    const web = await withAssets();
    const plain = await web.assetVersion({ files: FILES });
    web.deploy(web.workerId, [plain, 100]);
    const bare = await web.get("/nothing");
    expect(await seen(bare)).toEqual([404, ""]);
    expect(bare.headers.has("x-switchback-error")).toBe(false);
    const config = { not_found_handling: "404-page" } as const;
    web.deploy(web.workerId, [await web.assetVersion({ files: FILES, config }), 100]);
    expect(await seen(await web.get("/docs/nothing"))).toEqual([404, "lost"]);
  });

  it("follow _redirects and _headers", async () => {
    const web = await withAssets();
    const config = {
      _redirects: "/old /about 301\n/blog/* /docs/:splat 302\n/alias /style.css 200\n",
      _headers: "/*\n  X-Frame-Options: DENY\n/style.css\n  Cache-Control: max-age=60\n  ! ETag\n",
    };
    web.deploy(web.workerId, [await web.assetVersion({ files: FILES, config }), 100]);
    const old = await web.get("/old?a=1");
    expect([old.status, old.headers.get("location")]).toEqual([301, "/about?a=1"]);
    expect(old.headers.get("x-frame-options")).toBe("DENY");
    expect((await web.get("/blog/a/b")).headers.get("location")).toBe("/docs/a/b");
    expect(await seen(await web.get("/alias"))).toEqual([200, "body{}"]);
    const styled = await web.get("/style.css");
    expect(styled.headers.get("cache-control")).toBe("max-age=60");
    expect(styled.headers.has("etag")).toBe(false);
    const missing = await web.get("/nothing");
    expect([missing.status, missing.headers.get("x-frame-options")]).toEqual([404, "DENY"]);
  });

  it("answer conditions, ranges and HEAD", async () => {
    const web = await withAssets();
    web.deploy(web.workerId, [await web.assetVersion({ files: { "/a.txt": "0123456789" } }), 100]);
    const etag = (await web.get("/a.txt")).headers.get("etag")!;
    const ask = (headers: Record<string, string>, method = "GET") =>
      web.get("/a.txt", { method, headers });
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const response = await ask({ "if-none-match": tag });
      expect([response.status, response.headers.get("etag")]).toEqual([304, etag]);
    }
    expect((await ask({ "if-none-match": '"other"' })).status).toBe(200);
    const part = await ask({ range: "bytes=2-4" });
    expect(await seen(part)).toEqual([206, "234"]);
    expect(part.headers.get("content-range")).toBe("bytes 2-4/10");
    expect(await seen(await ask({ range: "bytes=-3" }))).toEqual([206, "789"]);
    expect(await seen(await ask({ range: "bytes=8-" }))).toEqual([206, "89"]);
    expect(await seen(await ask({ range: "bytes=0-1,4-5" }))).toEqual([200, "0123456789"]);
    expect(await seen(await ask({ range: "bytes=0-1", "if-range": '"other"' }))).toEqual([
      200,
      "0123456789",
    ]);
    const beyond = await ask({ range: "bytes=10-" });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    const head = await ask({}, "HEAD");
    expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag]);
  });

  it("are the previewed version's own on its preview host", async () => {
    const web = await withAssets();
    const v1 = await web.assetVersion({ files: { "/a.css": "one", "/x-BxY12abc.js": "old" } });
    const v2 = await web.assetVersion({ files: { "/a.css": "two" } });
    web.deploy(web.workerId, [v1, 100]);
    web.previews.set(`v2-${web.workerId}`, v2);
    const preview = (path: string) => web.fetch(`http://v2-web.workers.example${path}`);
    expect(await seen(await preview("/a.css"))).toEqual([200, "two"]);
    expect(await seen(await web.get("/a.css"))).toEqual([200, "one"]);
    expect((await preview("/x-BxY12abc.js")).status).toBe(404);
    expect(web.counts.fallbacks).toBe(0);
  });

  it("are not made up when nobody can be asked for them", async () => {
    const web = await withAssets();
    web.deploy(web.workerId, [await web.assetVersion({ files: FILES }), 100]);
    const down = async () => Promise.reject(new Error("down"));
    Object.assign(web.controlPlane, { assets: down });
    const error = async (path: string) => (await web.get(path)).headers.get("x-switchback-error");
    expect(await error("/style.css")).toBe("control_plane_unavailable");
    web.heal();
    Object.assign(web.controlPlane, { assetBytes: down });
    expect(await error("/style.css")).toBe("control_plane_unavailable");
    web.contents.clear();
    web.heal();
    expect(await error("/style.css")).toBe("version_failed_to_load");
  });

  it("are given again as they were given first, each to whoever asks in the same way", async () => {
    const web = await withAssets();
    const config = { _headers: "https://web.workers.example/*\n  X-Host: here\n" };
    const first = await web.assetVersion({ files: FILES, config });
    web.deploy(web.workerId, [first, 100]);
    const headersOf = async (path: string, init?: RequestInit) => {
      const { status, headers } = await web.get(path, init);
      const entries = Object.fromEntries(
        [...headers].filter(([name]) => name !== "cf-cache-status"),
      );
      return { status, ...entries };
    };
    const fresh = await headersOf("/style.css");
    expect(fresh).toMatchObject({ status: 200, "x-host": "here", "x-switchback-sequence": "1" });
    expect(await headersOf("/style.css")).toEqual(fresh);
    expect(await headersOf("/style.css?x")).toEqual(fresh);
    const etag = (fresh as Record<string, unknown>)["etag"] as string;
    expect((await headersOf("/style.css", { headers: { "if-none-match": etag } })).status).toBe(
      304,
    );
    expect((await headersOf("/style.css", { headers: { range: "bytes=0-1" } })).status).toBe(206);
    const elsewhere = await web.fetch("http://web.workers.example./style.css");
    expect([elsewhere.status, elsewhere.headers.get("x-host")]).toEqual([200, null]);
    web.deploy(web.workerId, [first, 100]);
    expect(await headersOf("/style.css")).toMatchObject({ "x-switchback-sequence": "2" });
    web.deploy(web.workerId, [await web.assetVersion({ files: { "/style.css": "new" } }), 100]);
    expect(await (await web.get("/style.css")).text()).toBe("new");
  });
});

describe("a hashed file that the current version has not", () => {
  const OLD = { "/index.html": "old", "/app-BxY12abc.js": "old code", "/logo.png": "old logo" };
  const NEW = { "/index.html": "new", "/app-CdZ34def.js": "new code" };

  it("is taken from the version that had it, and says so; what has no hash in its name is not", async () => {
    const web = await withAssets();
    const v1 = await web.assetVersion({ files: OLD });
    const config = { not_found_handling: "single-page-application" } as const;
    const v2 = await web.assetVersion({ files: NEW, config });
    web.deploy(web.workerId, [v1, 100]);
    expect((await web.get("/app-BxY12abc.js")).headers.has("x-switchback-asset-from")).toBe(false);
    web.deploy(web.workerId, [v2, 100]);
    const response = await web.get("/app-BxY12abc.js");
    expect(await seen(response)).toEqual([200, "old code"]);
    expect(response.headers.get("x-switchback-asset-from")).toBe(v1);
    expect(response.headers.get("x-switchback-version")).toBe(v2);
    expect(await seen(await web.get("/logo.png"))).toEqual([200, "new"]);
    expect(await seen(await web.get("/app-ZzY98xyz.js"))).toEqual([200, "new"]);
    expect(web.counts.fallbacks).toBe(1);
  });

  it("is not, where that is switched off", async () => {
    const web = await withAssets({ assetFallback: false });
    await web.assetVersion({ files: OLD });
    web.deploy(web.workerId, [await web.assetVersion({ files: NEW }), 100]);
    expect((await web.get("/app-BxY12abc.js")).status).toBe(404);
    expect(web.counts.fallbacks).toBe(0);
  });
});

describe("the assets of the address", () => {
  it("never lead out of the host by a redirect to two slashes", async () => {
    const web = await withAssets();
    const config = { _redirects: "/go/* /:splat 302\n" };
    const files = { "/evil.example/index.html": "x", "/index.html": "y" };
    web.deploy(web.workerId, [await web.assetVersion({ files, config }), 100]);
    for (const path of [
      "//evil.example/index.html",
      "/%2Fevil.example/index.html",
      "/go//evil.example",
    ]) {
      const location = (await web.get(path)).headers.get("location");
      if (location !== null) expect(new URL(location, HOST).host).toBe(new URL(HOST).host);
    }
  });
});
