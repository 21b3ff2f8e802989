/** R2 as a team has it: buckets and objects by wrangler and the SDK, and the binding in a deployed Worker. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { ACCOUNT_ID, ROOT_TOKEN, TestHost } from "./support/test-host.ts";

const BUCKET = "photos";
const CONFIG = `[[r2_buckets]]\nbinding = "PHOTOS"\nbucket_name = "${BUCKET}"`;

/** Stores and gives what it is sent, copies, and answers with what it finds. */
const WORKER = `export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const key = decodeURIComponent(pathname.slice(1));
    try {
      if (request.method === "PUT") {
        const stored = await env.PHOTOS.put(key, request.body, { httpMetadata: request.headers, customMetadata: { by: "worker" } });
        return Response.json(stored);
      }
      if (searchParams.has("copy")) {
        const { body } = await env.PHOTOS.get(key);
        return Response.json(await env.PHOTOS.put(searchParams.get("copy"), body));
      }
      if (searchParams.has("parts")) {
        const upload = await env.PHOTOS.createMultipartUpload(key);
        const first = await upload.uploadPart(1, new Uint8Array(5 * 1024 * 1024).fill(1));
        const last = await env.PHOTOS.resumeMultipartUpload(key, upload.uploadId).uploadPart(2, "end");
        return Response.json(await upload.complete([first, last]));
      }
      if (searchParams.has("list")) return Response.json(await env.PHOTOS.list({ prefix: key }));
      const object = await env.PHOTOS.get(key, { range: request.headers, onlyIf: request.headers });
      if (object === null) return new Response("none", { status: 404 });
      const headers = new Headers({ etag: object.httpEtag });
      object.writeHttpMetadata(headers);
      if (!("body" in object)) return new Response(null, { status: 304, headers });
      return new Response(object.body, { headers, status: request.headers.has("range") ? 206 : 200 });
    } catch (error) {
      return new Response(error.name + ": " + error.message, { status: 500 });
    }
  },
};
`;

const host = new TestHost();
let project: Project;

beforeAll(async () => {
  await host.start();
  project = new Project(host, "photos", WORKER, CONFIG);
});
afterAll(() => host.dispose());

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
/** Larger than a message between processes may be. */
const large = randomBytes(40 * 1024 * 1024);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** A visitor's request to the Worker, with bytes that are no text. */
function worker(
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body } = init;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: host.port, path, method };
    const sent = request({ ...options, headers: { ...headers, host: project.workersHost } });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers: given } = response;
        resolve({ status, headers: given, bytes: Buffer.concat(chunks) });
      });
    });
    sent.end(body);
  });
}
const jsonOf = ({ bytes }: Answer): unknown => JSON.parse(bytes.toString("utf8"));

test("a bucket is made and shown with wrangler", async () => {
  const made = await project.wrangler("r2", "bucket", "create", BUCKET);
  expect(made.output).toContain(`Created bucket '${BUCKET}'`);
  const again = await project.tryWrangler("r2", "bucket", "create", BUCKET);
  expect([again.code, again.output]).toEqual([1, expect.stringContaining("code: 10004")]);
  expect((await project.wrangler("r2", "bucket", "info", BUCKET)).output).toContain(BUCKET);
});

test("an object goes in and out with wrangler as it was", async () => {
  const file = join(project.directory, "cat.bin");
  const bytes = randomBytes(100_000);
  writeFileSync(file, bytes);
  const path = `${BUCKET}/cats/cat 1.bin`;
  const type = ["--content-type", "image/x-cat", "--cache-control", "max-age=9"];
  await project.wrangler("r2", "object", "put", path, "--remote", "--file", file, ...type);
  const back = join(project.directory, "back.bin");
  await project.wrangler("r2", "object", "get", path, "--remote", "--file", back);
  expect(sha256(readFileSync(back))).toBe(sha256(bytes));
});

test("a deployed Worker has the same objects, with their metadata", async () => {
  await project.deploy(WORKER);
  const cat = await worker("/cats/cat%201.bin");
  expect([cat.status, cat.bytes.byteLength]).toEqual([200, 100_000]);
  expect(cat.headers).toMatchObject({
    "content-type": "image/x-cat",
    "cache-control": "max-age=9",
    "content-length": "100000",
  });
  const part = await worker("/cats/cat%201.bin", { headers: { range: "bytes=10-19" } });
  expect([part.status, part.bytes.byteLength]).toEqual([206, 10]);
  const etag = String(cat.headers["etag"]);
  expect((await worker("/cats/cat%201.bin", { headers: { "if-none-match": etag } })).status).toBe(
    304,
  );
  expect((await worker("/none")).status).toBe(404);
});

test("what a Worker stores of a visitor's body is there for everybody, however large", async () => {
  const stored = await worker("/large", {
    method: "PUT",
    body: large,
    headers: { "content-type": "image/x-large" },
  });
  expect(jsonOf(stored)).toMatchObject({
    key: "large",
    size: large.byteLength,
    httpMetadata: { contentType: "image/x-large" },
    customMetadata: { by: "worker" },
    storageClass: "Standard",
  });
  const copied = await worker("/large?copy=copy");
  expect(jsonOf(copied)).toMatchObject({ key: "copy", size: large.byteLength });
  const back = await worker("/copy");
  expect(sha256(back.bytes)).toBe(sha256(large));

  const sdk = host.sdk();
  const got = await sdk.r2.buckets.objects.get("large", {
    account_id: ACCOUNT_ID,
    bucket_name: BUCKET,
  });
  expect(got.headers.get("content-type")).toBe("image/x-large");
  expect(sha256(await got.bytes())).toBe(sha256(large));
});

test("a large object goes through the API, and is listed", async () => {
  const path = `/client/v4/accounts/${ACCOUNT_ID}/r2/buckets/${BUCKET}/objects/api%2Flarge`;
  const put = await fetch(`http://127.0.0.1:${host.port}${path}`, {
    method: "PUT",
    body: large,
    headers: { authorization: `Bearer ${ROOT_TOKEN}` },
  });
  expect(put.status).toBe(200);
  expect(sha256((await worker("/api/large")).bytes)).toBe(sha256(large));
  const keys: string[] = [];
  const list = { account_id: ACCOUNT_ID, per_page: 2 };
  for await (const { key } of host.sdk().r2.buckets.objects.list(BUCKET, list)) keys.push(key!);
  expect(keys).toEqual(["api/large", "cats/cat 1.bin", "copy", "large"]);
});

test("an upload in parts is one object", async () => {
  const size = 5 * 1024 * 1024 + 3;
  expect(jsonOf(await worker("/parts?parts"))).toMatchObject({ key: "parts", size });
  const end = await worker("/parts", { headers: { range: "bytes=-4" } });
  expect([...end.bytes]).toEqual([1, ...new TextEncoder().encode("end")]);
});

test("wrangler makes a bucket that a Worker names and that there is not", async () => {
  const other = new Project(host, "other", says("x"), CONFIG.replace(BUCKET, "new-bucket"));
  await other.deploy(says("x"));
  expect((await host.api("/A/r2/buckets/new-bucket")).result).toMatchObject({ name: "new-bucket" });
});

test("a bucket is not deleted while it is needed or holds anything", async () => {
  const bound = await project.tryWrangler("r2", "bucket", "delete", BUCKET);
  expect([bound.code, bound.output]).toEqual([1, expect.stringContaining("photos (PHOTOS)")]);
  await project
    .write(
      "wrangler.toml",
      `name = "photos"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n`,
    )
    .deploy(says("done"));
  const bucket = `/A/r2/buckets/${BUCKET}`;
  const full = await host.api(bucket, { method: "DELETE" });
  expect([full.status, full.errors[0]?.code]).toEqual([400, 10008]);
  const keys = ["api/large", "cats/cat 1.bin", "copy", "large", "parts"];
  await project.wrangler("r2", "object", "delete", `${BUCKET}/${keys[0]}`, "--remote");
  for (const key of keys.slice(1)) {
    const path = `${bucket}/objects/${encodeURIComponent(key)}`;
    expect((await host.api(path, { method: "DELETE" })).success).toBe(true);
  }
  await project.wrangler("r2", "bucket", "delete", BUCKET);
  expect((await host.api(bucket)).errors[0]?.code).toBe(10006);
});
