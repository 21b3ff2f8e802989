import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMultipart } from "../../src/api/multipart.ts";
import { UPLOAD_PART_HEADER_BYTES_MAX, UPLOAD_PARTS_MAX } from "../../src/domain/limits.ts";

const TYPE = 'multipart/form-data; boundary="b"';
const encode = (text: string) => new TextEncoder().encode(text);

async function* chunked(bytes: Uint8Array, size = bytes.byteLength): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size);
}

const read = (text: string, contentType: string | null = TYPE, size?: number) =>
  readMultipart(chunked(encode(text), size), contentType);
const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const refusal = (detail: string) => ({
  ok: false,
  error: { kind: "bad_multipart", detail: expect.stringContaining(detail) },
});

describe("readMultipart", () => {
  const TWO = `${part("a", "1")}--b\r\nContent-Disposition: form-data; name="f"; filename="f.js"\r\nContent-Type: Application/JavaScript+Module; charset=utf-8\r\n\r\nx\r\n--y\r\n--b--\r\n`;
  const PARTS = {
    ok: true,
    value: [
      { name: "a", filename: null, contentType: "", contentTypeHeader: "", bytes: encode("1") },
      {
        name: "f",
        filename: "f.js",
        contentType: "application/javascript+module",
        contentTypeHeader: "Application/JavaScript+Module; charset=utf-8",
        bytes: encode("x\r\n--y"),
      },
    ],
  };

  it("reads parts with their names, files and types", async () => {
    expect(await read(TWO)).toEqual(PARTS);
  });

  it("reads the same parts however the body is cut into chunks", async () => {
    for (let size = 1; size < 80; size += 1) expect(await read(TWO, TYPE, size)).toEqual(PARTS);
  });

  it("finds the boundary in the first line when the Content-Type has none", async () => {
    for (const type of ["application/javascript", "multipart/form-data", "", null])
      for (const size of [1, 3, 1_000]) expect(await read(TWO, type, size)).toEqual(PARTS);
  });

  it("ignores what follows the closing boundary", async () => {
    expect(await read(`${TWO}epilogue`, TYPE, 7)).toEqual(PARTS);
  });

  it.each([
    ["", "empty"],
    ["export default {}", "does not start with a boundary"],
    ["--", "does not start with a boundary"],
    [`--${"x".repeat(80)}\r\n`, "does not start with a boundary"],
    ["--b\x00\r\n\r\n", "does not start with a boundary"],
  ])("refuses %j, which is no form", async (text, detail) => {
    expect(await read(text, null)).toMatchObject(refusal(detail));
  });

  it.each([
    [part("a", "1"), "before its closing boundary"],
    ["--c\r\n", "missing initial boundary"],
    ["--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "no name"],
    [`${part("", "x")}--b--`, "no name"],
    [`${part("a", "1")}${part("a", "2")}--b--`, 'Two of its parts are named "a"'],
  ])("refuses malformed parts %# in a sentence", async (text, detail) => {
    expect(await read(text)).toMatchObject(refusal(detail));
  });

  it("refuses part headers that are not UTF-8", async () => {
    const body = encode(`${part("a?", "1")}--b--`);
    body[body.indexOf(63)] = 0xff;
    expect(await readMultipart(chunked(body), TYPE)).toMatchObject(refusal("cannot be read"));
  });

  it("lets list fields repeat", async () => {
    const fields = [part("files[]", "1"), part("metadata[bindings][][name]", "A")].join("");
    expect(await read(`${fields}${fields}--b--`)).toMatchObject({ ok: true });
  });

  it("takes as many parts as the limit and no more", async () => {
    const parts = (count: number) =>
      `${Array.from({ length: count }, (_, index) => part(`p${index}`, "")).join("")}--b--`;
    expect((await read(parts(UPLOAD_PARTS_MAX))).ok).toBe(true);
    expect(await read(parts(UPLOAD_PARTS_MAX + 1))).toMatchObject(refusal("more than 1000 parts"));
  });

  it("takes part headers as long as the limit and no longer", async () => {
    const start = 'Content-Disposition: form-data; name="a"\r\nX: ';
    const headed = (size: number) => `--b\r\n${start.padEnd(size, "x")}\r\n\r\n1\r\n--b--`;
    expect((await read(headed(UPLOAD_PART_HEADER_BYTES_MAX))).ok).toBe(true);
    expect(await read(headed(UPLOAD_PART_HEADER_BYTES_MAX + 1))).toMatchObject(
      refusal("longer than 8192 bytes"),
    );
  });

  it("answers any bytes, in any chunks, under any Content-Type, without throwing", async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          "--b",
          "--",
          "\r\n",
          "\r\n\r\n",
          "Content-Disposition: form-data; name=",
          "a",
        ),
        fc.constantFrom('"', ";", "filename*=UTF-8''%ff", "Content-Type: a/b", "\0", "é"),
        fc.string(),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.integer({ min: 1, max: 40 }),
        fc.oneof(fc.constantFrom(TYPE, null), fc.string()),
        async (text, size, type) => {
          const parts = await read(text.join(""), type, size);
          expect(parts.ok || parts.error.kind).toSatisfy(
            (kind: unknown) => kind === true || kind === "bad_multipart",
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
