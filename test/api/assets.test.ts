import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadAssets, loadFallbacks } from "../../src/control/asset-serving.ts";
import { readAssetFiles } from "../../src/domain/assets/asset-files.ts";
import type { Fallback } from "../../src/domain/assets/fallback-files.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import { ASSET_SESSION_MS } from "../../src/domain/limits-assets.ts";
import { R2AssetBlobs } from "../../src/store/asset-blobs.ts";
import { R2BlobStore } from "../../src/store/blobs.ts";
import { openDatabase } from "../../src/store/database.ts";
import { accountId } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, type Client, SCRIPTS } from "./api-fixture.ts";

const UPLOAD = `${ACCOUNT}/workers/assets/upload`;
/** As wrangler has hashed them. */
const INDEX = { hash: "4350e64b4c75afd3a314203edf7d6ab4", text: "<h1>index</h1>\n" };
const STYLE = { hash: "aa42bba514e8ddfea838ec1a715ca332", text: "body{}\n" };
const MANIFEST = {
  "/index.html": { hash: INDEX.hash, size: INDEX.text.length },
  "/style.css": { hash: STYLE.hash, size: STYLE.text.length },
};

/** As Cloudflare's guide for other clients than wrangler says. */
async function hashOf(text: string, extension: string): Promise<string> {
  const bytes = new TextEncoder().encode(btoa(text) + extension);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Files that no other test has: what is stored stays. */
async function freshFiles() {
  const [page, style] = [`<h1>${crypto.randomUUID()}</h1>`, `/* ${crypto.randomUUID()} */`];
  const files = {
    page: { text: page, hash: await hashOf(page, "html") },
    style: { text: style, hash: await hashOf(style, "css") },
  };
  const manifest = {
    "/index.html": { hash: files.page.hash, size: page.length },
    "/style.css": { hash: files.style.hash, size: style.length },
  };
  return { ...files, manifest };
}

interface File {
  readonly hash: string;
  readonly text: string;
  readonly type?: string;
}

const startSession = (client: Client, manifest: object, name = "site") =>
  client.call("POST", `${SCRIPTS}/${name}/assets-upload-session`, { manifest });

function upload(client: Client, jwt: string, files: readonly File[]) {
  const form = new FormData();
  for (const { hash, text, type = "text/html; charset=utf-8" } of files)
    form.append(hash, new File([btoa(text)], hash, { type }), hash);
  return client.call("POST", `${UPLOAD}?base64=true`, form, { authorization: `Bearer ${jwt}` });
}

/** The token for a version with these files. */
async function uploaded(client: Client, manifest: object, files: readonly File[]) {
  const { result } = await startSession(client, manifest);
  const missing = new Set(result.buckets.flat());
  const wanted = files.filter(({ hash }) => missing.has(hash));
  if (wanted.length === 0) return result.jwt as string;
  return (await upload(client, result.jwt, wanted)).result.jwt as string;
}

function put(client: Client, metadata: object, name = "site") {
  const form = new FormData();
  const compatibility = { compatibility_date: "2026-10-01" };
  form.append("metadata", JSON.stringify({ ...compatibility, ...metadata }));
  if ("main_module" in metadata) {
    const module = "export default { fetch() {} }";
    form.append(
      "index.js",
      new File([module], "index.js", { type: "application/javascript+module" }),
    );
  }
  return client.call("PUT", `${SCRIPTS}/${name}`, form);
}

const storage = () => ({
  db: openDatabase(env.DB),
  blobs: new R2BlobStore(env.BLOBS, "modules/"),
  now: () => Date.now(),
});
const bytesOf = async (sha256: string): Promise<string> =>
  new Response(await new R2AssetBlobs(env.BLOBS, accountId).get(sha256)).text();

/** By path: content, type and etag of what a version serves. */
async function served(put: {
  readonly result: { readonly tag: string; readonly deployment_id: string };
}) {
  const { tag, deployment_id: version } = put.result;
  const assets = await loadAssets(storage(), tag as WorkerId, version as VersionId);
  if (assets === null) return null;
  const files: Record<string, readonly unknown[]> = {};
  for (const [path, { sha256, contentType, etag }] of readAssetFiles(assets.files))
    files[path] = [await bytesOf(sha256), contentType, etag];
  return { ...assets, files };
}

describe("an upload of assets", () => {
  it("needs no Worker, asks for what is not stored, and becomes a version's", async () => {
    const client = await apiClient();
    const session = await startSession(client, MANIFEST);
    expect(session.result.buckets).toEqual([[INDEX.hash, STYLE.hash]]);
    const parts = session.result.jwt.split(".");
    expect(parts).toHaveLength(3);
    const { exp } = JSON.parse(atob(parts[1].replaceAll("-", "+").replaceAll("_", "/")));
    expect(exp * 1000).toBeGreaterThan(Date.now());
    const done = await upload(client, session.result.jwt, [
      INDEX,
      { ...STYLE, type: "application/null" },
    ]);
    expect([done.status, done.success]).toEqual([201, true]);
    const config = { not_found_handling: "404-page", _headers: "/*\n  X-Foo: bar\n" };
    const made = await put(client, { assets: { jwt: done.result.jwt, config } });
    expect(made.result).toMatchObject({ has_assets: true });
    expect(await served(made)).toEqual({
      files: {
        "/index.html": [INDEX.text, "text/html; charset=utf-8", INDEX.hash],
        "/style.css": [STYLE.text, null, STYLE.hash],
      },
      config,
      assetsOnly: true,
      prefersPages: true,
    });
    const again = await startSession(client, MANIFEST, "another");
    expect(again.result.buckets).toEqual([]);
    const other = await put(client, { assets: { jwt: again.result.jwt } }, "another");
    expect(Object.keys((await served(other))!.files)).toEqual(["/index.html", "/style.css"]);
  });

  it("is 202 until the last file is there, in whatever form they come", async () => {
    const client = await apiClient();
    const { page, style, manifest } = await freshFiles();
    const both = { ...manifest, "/copy.html": manifest["/index.html"] };
    const { result } = await startSession(client, both);
    const first = await upload(client, result.jwt, [style]);
    expect([first.status, first.result.jwt]).toEqual([202, null]);
    const early = await put(client, { assets: { jwt: result.jwt } });
    expect([early.status, early.errors[0]?.code]).toEqual([400, 130112]);
    expect(early.errors[0]?.message).toContain("2 of the files");
    const last = await client.call("POST", `${UPLOAD}/${page.hash}`, page.text, {
      authorization: `Bearer ${result.jwt}`,
      "content-type": "text/html",
    });
    expect([last.status, typeof last.result.jwt]).toEqual([201, "string"]);
    const made = await put(client, { assets: { jwt: last.result.jwt } });
    const { files } = (await served(made))!;
    expect(files["/copy.html"]).toEqual([page.text, "text/html", page.hash]);
    expect((await startSession(client, both)).result.buckets).toEqual([]);
  });
});

describe("a hash that does not follow from the file", () => {
  it("stands for it in that upload only: nobody else gets what was uploaded under it", async () => {
    const client = await apiClient();
    const { page, style, manifest } = await freshFiles();
    const evil = page.text.toUpperCase();
    const bad = { "/index.html": manifest["/index.html"] };
    const jwt = await uploaded(client, bad, [{ ...page, text: evil }]);
    const made = await put(client, { assets: { jwt } }, "evil");
    const own = (await served(made))!.files["/index.html"]!;
    expect(own[0]).toBe(evil);
    expect(own[2]).not.toBe(page.hash);
    const { result } = await startSession(client, manifest);
    expect(result.buckets.flat()).toContain(page.hash);
    const good = await uploaded(client, manifest, [page, style]);
    const { files } = (await served(await put(client, { assets: { jwt: good } })))!;
    expect(files["/index.html"]).toEqual([page.text, "text/html; charset=utf-8", page.hash]);
  });

  it("is not taken for another file's whose base64 and extension spell the same", async () => {
    const client = await apiClient();
    // "AAAA" and the extension "json" are hashed as "AAAAjson" and no extension are.
    const victim = atob("AAAA");
    const attacker = atob("AAAAjson");
    const hash = await hashOf(victim, "json");
    expect(await hashOf(attacker, "")).toBe(hash);
    await uploaded(client, { "/data": { hash, size: attacker.length } }, [
      { hash, text: attacker },
    ]);
    const manifest = { "/data.json": { hash, size: victim.length } };
    const { result } = await startSession(client, manifest);
    expect(result.buckets).toEqual([[hash]]);
  });
});

describe("the token of an upload", () => {
  it("is not an API token, nor the other way round; altered, expired or of another account it opens nothing", async () => {
    let now = Date.now();
    const client = await apiClient({ now: () => now });
    const { page, manifest } = await freshFiles();
    const { result } = await startSession(client, manifest);
    const [header, payload, signature] = result.jwt.split(".");
    const forged = btoa(
      JSON.stringify({ ...JSON.parse(atob(payload)), aud: "1".repeat(32) }),
    ).replace(/=+$/, "");
    for (const jwt of [
      "root-token-of-the-tests",
      "a.b.c",
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.`,
    ]) {
      const refused = await upload(client, jwt, [page]);
      expect([jwt, refused.status, refused.errors[0]?.code]).toEqual([jwt, 403, 130110]);
    }
    const path = UPLOAD.replace(accountId, "1".repeat(32));
    const headers = { authorization: `Bearer ${result.jwt}` };
    const elsewhere = await client.call("POST", `${path}?base64=true`, new FormData(), headers);
    expect(elsewhere.errors[0]?.code).toBe(130110);
    const api = await client.call("GET", SCRIPTS, undefined, headers);
    expect([api.status, api.errors[0]?.code]).toEqual([403, 10000]);
    now += ASSET_SESSION_MS;
    const late = await upload(client, result.jwt, [page]);
    expect([late.status, late.errors[0]?.code]).toEqual([403, 130110]);
    const version = await put(client, { assets: { jwt: result.jwt } });
    expect(version.errors[0]?.code).toBe(130110);
  });

  it("is good for the files of its manifest alone, of the sizes that it says", async () => {
    const client = await apiClient();
    const { page, style, manifest } = await freshFiles();
    const { result } = await startSession(client, { "/index.html": manifest["/index.html"] });
    for (const file of [style, { ...page, text: `${page.text} ` }]) {
      const refused = await upload(client, result.jwt, [file]);
      expect([refused.status, refused.errors[0]?.code]).toEqual([400, 130111]);
    }
  });
});

describe("a version", () => {
  it("has the assets that its own upload brings, or keeps, or none", async () => {
    const client = await apiClient();
    const jwt = await uploaded(client, MANIFEST, [INDEX, STYLE]);
    const worker = { main_module: "index.js" };
    const config = { run_worker_first: ["/api/*", "!/api/docs/*"] };
    const first = await put(client, { ...worker, assets: { jwt, config } });
    expect(await served(first)).toMatchObject({ config, assetsOnly: false });
    const kept = await put(client, { ...worker, keep_assets: true });
    expect(await served(kept)).toEqual(await served(first));
    const none = await put(client, worker);
    expect(none.result.has_assets).toBe(false);
    expect(await served(none)).toBeNull();
    expect(none.result.etag).not.toBe(kept.result.etag);
  });

  it("is refused when it is bound to assets that it has not, or when a rule cannot be read", async () => {
    const client = await apiClient();
    const bound = await put(
      client,
      {
        main_module: "index.js",
        bindings: [{ name: "ASSETS", type: "assets" }],
      },
      "refused",
    );
    expect([bound.status, bound.errors[0]?.code]).toEqual([400, 10021]);
    const jwt = await uploaded(client, MANIFEST, [INDEX, STYLE]);
    const loop = await put(
      client,
      { assets: { jwt, config: { _redirects: "/* /index.html 200" } } },
      "refused",
    );
    expect([loop.status, loop.errors[0]?.code]).toEqual([400, 100324]);
    expect(loop.errors[0]?.message).toMatch(
      /^Invalid _redirects configuration:\nLine 1: Infinite loop/,
    );
    const first = await put(
      client,
      { assets: { jwt, config: { run_worker_first: ["api/*"] } } },
      "refused",
    );
    expect(first.errors[0]?.message).toContain("rules must start with '/' or '!/'");
    const missing = await put(client, { assets: { config: {} } }, "refused");
    expect(missing.errors[0]?.message).toContain("have no jwt");
    expect((await client.call("GET", `${SCRIPTS}/refused`)).status).toBe(404);
  });

  it("finds hashed files of the versions deployed before it, the newest first, and no others", async () => {
    const client = await apiClient();
    // Hashes that a client has made up, so that each upload has files of its own.
    const content = (text: string) => ({ hash: text.padEnd(32, "0"), text });
    const deploy = async (files: Record<string, string>) => {
      const manifest = Object.fromEntries(
        Object.entries(files).map(([path, text]) => [
          path,
          { hash: content(text).hash, size: text.length },
        ]),
      );
      const jwt = await uploaded(client, manifest, Object.values(files).map(content));
      return put(client, { assets: { jwt } }, "hashed");
    };
    const v1 = await deploy({
      "/index.html": "a1",
      "/app-BxY12abc.js": "b1",
      "/logo.png": "c1",
      "/x.5d41402abc4b.css": "d1",
    });
    const v2 = await deploy({
      "/index.html": "a2",
      "/app-CdZ34def.js": "b2",
      "/x.5d41402abc4b.css": "d2",
    });
    const v3 = await deploy({ "/index.html": "a3", "/app-DeA56fgh.js": "b3" });
    const { tag: workerId, deployment_id: current } = v3.result;
    const text = await loadFallbacks(storage(), workerId, current);
    const found = (JSON.parse(text) as Fallback[]).map(([path, version]) => [path, version]);
    // What changed under one name holds no hash of its content.
    expect(found).toEqual([
      ["/app-CdZ34def.js", v2.result.deployment_id],
      ["/app-BxY12abc.js", v1.result.deployment_id],
    ]);
  });
});
