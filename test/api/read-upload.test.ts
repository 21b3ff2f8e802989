import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readUpload } from "../../src/api/read-upload.ts";
import { decideUpload } from "../../src/domain/decide-upload.ts";
import { UPLOAD_BODY_BYTES_MAX, UPLOAD_METADATA_BYTES_MAX } from "../../src/domain/limits.ts";
import { SDK_SCRIPT_UPDATE, WRANGLER_UPLOAD } from "./captured-uploads.ts";

const ESM = "application/javascript+module";
const post = (body: BodyInit | null, contentType?: string, encoding?: string): Request =>
  new Request("https://api.test/", {
    method: "PUT",
    body,
    headers: {
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    },
  });

/** A form as clients build it; a string is a field, a pair is a file with a type. */
function form(
  fields: readonly (readonly [string, string | readonly [string, string]])[],
): FormData {
  const data = new FormData();
  for (const [name, value] of fields)
    if (typeof value === "string") data.append(name, value);
    else data.append(name, new File(["export default {}"], value[0], { type: value[1] }));
  return data;
}

const refusal = (kind: string, detail: string) => ({
  ok: false,
  error: { kind, detail: expect.stringContaining(detail) },
});

describe("readUpload", () => {
  it("reads wrangler's upload, byte for byte, as a version that passes every check", async () => {
    const upload = await readUpload(post(WRANGLER_UPLOAD.body, WRANGLER_UPLOAD.contentType));
    if (!upload.ok) throw new Error(JSON.stringify(upload.error));
    expect(upload.value.modules.map(({ name, contentType }) => [name, contentType])).toEqual([
      ["index.js", ESM],
      ["./5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html", "text/plain"],
      ["index.js.map", "application/source-map"],
    ]);
    const draft = decideUpload(upload.value, {
      path: "version",
      workerName: "full",
      bindingStubs: true,
    });
    expect(draft).toMatchObject({
      ok: true,
      value: {
        mainModule: "index.js",
        modules: [
          { name: "index.js", type: "esm" },
          { name: "5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html", type: "text" },
        ],
        inherited: [{ name: "Q", oldName: "Q" }],
        keepBindingTypes: ["secret_text", "secret_key"],
        annotations: { message: "Fix login bug", tag: "v1.2.3", alias: "staging" },
        settings: {
          limits: { cpu_ms: 100 },
          placement: { mode: "smart" },
          tail_consumers: [{ service: "hello" }],
        },
        notices: [],
      },
    });
    const page = draft.ok ? draft.value.modules[1]?.bytes : undefined;
    expect(new TextDecoder().decode(page)).toBe("<h1>hi</h1>\n");
  });

  it("reads the same upload compressed", async () => {
    const plain = await readUpload(post(WRANGLER_UPLOAD.body, WRANGLER_UPLOAD.contentType));
    const stream = new Response(WRANGLER_UPLOAD.body).body ?? null;
    const gzip = await new Response(
      stream?.pipeThrough(new CompressionStream("gzip")) ?? null,
    ).arrayBuffer();
    expect(await readUpload(post(gzip, WRANGLER_UPLOAD.contentType, "gzip"))).toEqual(plain);
  });

  it("reads the SDK's upload, which hides a form under application/javascript", async () => {
    const upload = await readUpload(post(SDK_SCRIPT_UPDATE.body, SDK_SCRIPT_UPDATE.contentType));
    expect(upload).toEqual({
      ok: true,
      value: {
        metadata: { main_module: "w.mjs" },
        modules: [
          {
            name: "w.mjs",
            contentType: ESM,
            bytes: new TextEncoder().encode("export default {}"),
          },
        ],
      },
    });
  });

  it.each([
    [
      [
        ["metadata[main_module]", "w.js"],
        ["files[]", ["w.js", ESM]],
      ],
    ],
    [
      [
        ["metadata[main_module]", "w.js"],
        ["files[w.js]", ["blob", ESM]],
      ],
    ],
    [
      [
        ["metadata", '{"main_module":"w.js"}'],
        ["w.js", ["w.js", ESM]],
      ],
    ],
    [
      [
        ["metadata", '{"main_module":"w.js"}'],
        ["files", ["w.js", ESM]],
      ],
    ],
    [
      [
        ["metadata", ["metadata.json", "application/json"]],
        ["w.js", ["w.js", ESM]],
      ],
    ],
  ] as const)("names modules by part, key or file, in form %#", async (fields) => {
    const data = form(fields);
    if (data.get("metadata") instanceof File)
      data.set("metadata", new File(['{"main_module":"w.js"}'], "metadata.json"));
    expect(await readUpload(post(data))).toMatchObject({
      ok: true,
      value: { metadata: { main_module: "w.js" }, modules: [{ name: "w.js", contentType: ESM }] },
    });
  });

  it.each([
    [[["w.js", ["w.js", ESM]]], "bad_multipart", 'no part named "metadata"'],
    [[["metadata", "[]"]], "bad_multipart", "must be a JSON object"],
    [[["metadata", "null"]], "bad_multipart", "must be a JSON object"],
    [[["metadata", "{"]], "bad_json", "In the metadata part: "],
    [
      [
        ["metadata", "{}"],
        ["metadata[main_module]", "x"],
      ],
      "bad_multipart",
      "both",
    ],
    [[["metadata[__proto__][x]", "1"]], "bad_multipart", "cannot be read"],
  ] as const)("refuses metadata %# in a sentence", async (fields, kind, detail) => {
    expect(await readUpload(post(form(fields)))).toMatchObject(refusal(kind, detail));
  });

  it("bounds the metadata, as one part and as the sum of its fields", async () => {
    const json = (size: number) => `{"x":"${"a".repeat(size - 8)}"}`;
    expect((await readUpload(post(form([["metadata", json(UPLOAD_METADATA_BYTES_MAX)]])))).ok).toBe(
      true,
    );
    expect(
      await readUpload(post(form([["metadata", json(UPLOAD_METADATA_BYTES_MAX + 1)]]))),
    ).toMatchObject(refusal("bad_multipart", "1048577 bytes"));
    const half = "a".repeat(UPLOAD_METADATA_BYTES_MAX / 2);
    const halves = (more: string) =>
      form([
        ["metadata[x]", half],
        ["metadata[y]", half + more],
      ]);
    expect((await readUpload(post(halves("")))).ok).toBe(true);
    expect((await readUpload(post(halves("a")))).ok).toBe(false);
  });

  it("bounds the body", async () => {
    const body = new Uint8Array(UPLOAD_BODY_BYTES_MAX + 1);
    body.set(new TextEncoder().encode(WRANGLER_UPLOAD.body));
    expect(await readUpload(post(body, WRANGLER_UPLOAD.contentType))).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: UPLOAD_BODY_BYTES_MAX },
    });
  });

  it("answers any damage to a real upload without throwing", async () => {
    const bytes = new TextEncoder().encode(WRANGLER_UPLOAD.body);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(bytes.length),
        async (changes, end) => {
          const damaged = bytes.slice(0, end);
          for (const [at, byte] of changes) if (at < end) damaged[at] = byte;
          const upload = await readUpload(post(damaged, WRANGLER_UPLOAD.contentType));
          if (upload.ok)
            decideUpload(upload.value, { path: "version", workerName: "full", bindingStubs: true });
          else expect(["bad_multipart", "bad_json"]).toContain(upload.error.kind);
        },
      ),
      { numRuns: 300 },
    );
  });
});
