/** Static assets with the real wrangler: uploads, deployments, previews, rollbacks, and what visitors get. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const printedVersion = (output: string): string =>
  /Version ID: ([0-9a-f-]{36})/.exec(output)?.[1] ?? "";

/** A project that is nothing but files. */
function siteOf(name: string, config = ""): Project {
  const project = new Project(host, name, "");
  return project.write(
    "wrangler.toml",
    `name = "${name}"\ncompatibility_date = "2026-10-01"\n[assets]\ndirectory = "public"\n${config}\n`,
  );
}

describe("a site without a Worker", () => {
  test("is deployed by wrangler, and files that are stored are not uploaded again", async () => {
    const site = siteOf("site", `not_found_handling = "404-page"`)
      .write("public/index.html", "<h1>home</h1>")
      .write("public/about.html", "about")
      .write("public/404.html", "lost")
      .write("public/style.css", "body{}")
      .write("public/no-type-at-all", "x")
      .write("public/_headers", "/*\n  X-Site: yes\n")
      .write("public/_redirects", "/old /about 301\n")
      .write("public/.assetsignore", "*.draft\n")
      .write("public/secret.draft", "draft");
    const first = await site.wrangler("deploy");
    expect(first.output).toContain("Uploaded 5 of 5 asset");
    const visit = (path: string, headers = {}) => host.visit(site.workersHost, { path, headers });
    const home = await visit("/");
    expect([home.status, home.body]).toEqual([200, "<h1>home</h1>"]);
    expect(home.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "public, max-age=0, must-revalidate",
      "x-site": "yes",
      "x-switchback-version": printedVersion(first.output),
    });
    const etag = String(home.headers["etag"]);
    const unchanged = await visit("/", { "if-none-match": etag });
    expect([unchanged.status, unchanged.body]).toEqual([304, ""]);
    expect((await visit("/style.css", { range: "bytes=0-3" })).body).toBe("body");
    expect((await visit("/no-type-at-all")).headers["content-type"]).toBeUndefined();
    const moved = await visit("/about.html");
    expect([moved.status, moved.headers["location"]]).toEqual([307, "/about"]);
    expect((await visit("/old")).headers["location"]).toBe("/about");
    const lost = await visit("/nothing/here");
    expect([lost.status, lost.body]).toEqual([404, "lost"]);
    for (const path of ["/secret.draft", "/_headers", "/_redirects", "/.assetsignore"])
      expect([path, (await visit(path)).status]).toEqual([path, 404]);

    const again = await site.write("public/about.html", "more about").wrangler("deploy");
    expect(again.output).toContain("Found 1 new or modified static asset");
    expect((await visit("/about")).body).toBe("more about");
    expect((await visit("/")).headers["etag"]).toBe(etag);
    await site.wrangler("rollback", printedVersion(first.output), "-y", "-m", "back");
    expect((await visit("/about")).body).toBe("about");
  });

  test("is refused with the line that cannot be read, and nothing is deployed", async () => {
    const site = siteOf("looping")
      .write("public/index.html", "home")
      .write("public/_redirects", "/* /index.html 200\n");
    const run = await site.tryWrangler("deploy");
    expect(run.code).not.toBe(0);
    expect(run.output).toContain("Invalid _redirects configuration");
    expect(run.output).toContain("code: 100324");
    expect((await host.visit(site.workersHost)).status).toBe(404);
  });
});

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/")) return new Response("api " + pathname);
    const asset = await env.ASSETS.fetch(request);
    const answer = new Response(asset.body, asset);
    answer.headers.set("x-worker", "yes");
    return answer;
  },
};`;

const APP = `[assets]
directory = "public"
binding = "ASSETS"
not_found_handling = "single-page-application"
run_worker_first = ["/api/*", "/by-worker/*"]`;

describe("a Worker with assets", () => {
  let app: Project;
  let v1 = "";
  let v2 = "";
  const visit = (path: string, headers = {}) => host.visit(app.workersHost, { path, headers });

  beforeAll(async () => {
    app = new Project(host, "app", WORKER, APP)
      .write("public/index.html", `<script src="/assets/index-BxY12abc.js"></script>`)
      .write("public/assets/index-BxY12abc.js", "one()")
      .write("public/by-worker/a.txt", "through the Worker")
      .write("public/logo.svg", "<svg/>");
    v1 = await app.deploy(WORKER);
  });

  test("serves files itself, and runs for what it wants first", async () => {
    const file = await visit("/assets/index-BxY12abc.js");
    expect([file.status, file.body, file.headers["x-worker"]]).toEqual([200, "one()", undefined]);
    expect((await visit("/api/x")).body).toBe("api /api/x");
    const through = await visit("/by-worker/a.txt");
    expect([through.body, through.headers["x-worker"]]).toEqual(["through the Worker", "yes"]);
    const page = await visit("/some/page", { "sec-fetch-mode": "navigate" });
    expect([page.status, page.body]).toContain(200);
    expect(page.body).toContain("<script");
  });

  test("has, on a preview, that version's own files", async () => {
    const { output } = await app
      .write("public/index.html", `<script src="/assets/index-CdZ34def.js"></script>`)
      .write("public/assets/index-CdZ34def.js", "two()")
      .remove("public/assets/index-BxY12abc.js")
      .wrangler("versions", "upload", "--preview-alias", "next");
    v2 = printedVersion(output);
    const preview = (path: string) => host.visit("next-app.localhost", { path });
    expect((await preview("/")).body).toContain("index-CdZ34def.js");
    expect((await preview("/assets/index-CdZ34def.js")).body).toBe("two()");
    expect((await preview("/assets/index-BxY12abc.js")).body).not.toBe("one()");
    expect((await visit("/")).body).toContain("index-BxY12abc.js");
  });

  test("still has the hashed files of the version before, for pages that are open", async () => {
    await app.wrangler("versions", "deploy", `${v2}@100%`, "-y");
    expect((await visit("/")).body).toContain("index-CdZ34def.js");
    const old = await visit("/assets/index-BxY12abc.js");
    expect([old.body, old.headers["x-switchback-asset-from"]]).toEqual(["one()", v1]);
    expect((await visit("/assets/index-CdZ34def.js")).headers["x-switchback-asset-from"]).toBe(
      undefined,
    );
  });

  test("answers another Worker's service binding as it answers visitors", async () => {
    const caller = new Project(
      host,
      "asset-caller",
      "",
      `[[services]]\nbinding = "APP"\nservice = "app"`,
    );
    await caller.deploy(`export default { fetch: (request, env) => env.APP.fetch(request) };`);
    const through = (path: string) => host.visit(caller.workersHost, { path });
    expect((await through("/assets/index-CdZ34def.js")).body).toBe("two()");
    expect((await through("/api/y")).body).toBe("api /api/y");
  });
});

test("hundreds of files, and one of the largest size, are deployed and served", async () => {
  const site = siteOf("large");
  for (let index = 0; index < 600; index++)
    site.write(`public/${index % 7}/${index}.txt`, `file ${index} ${"x".repeat(index % 50)}`);
  const large = "0123456789abcdef".repeat((25 * 1024 * 1024) / 16);
  site.write("public/large.bin", large);
  await site.wrangler("deploy");
  expect((await host.visit(site.workersHost, { path: "/4/543.txt" })).body).toMatch(/^file 543 /);
  const response = await host.visit(site.workersHost, { path: "/large.bin" });
  expect(response.body.length).toBe(large.length);
  expect(response.headers["content-length"]).toBe(String(large.length));
  const headers = { range: "bytes=26214390-" };
  const end = await host.visit(site.workersHost, { path: "/large.bin", headers });
  expect([end.status, end.body]).toEqual([206, "6789abcdef"]);
});
