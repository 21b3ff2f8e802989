import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readBytes, readJson } from "../../src/api/read-body.ts";
import { JSON_BODY_BYTES_MAX, UPLOAD_INFLATION_RATIO_MAX } from "../../src/domain/limits.ts";

const MIB = 1024 * 1024;

const post = (body: BodyInit | null, headers: Record<string, string> = {}): Request =>
  new Request("https://api.test/", { method: "POST", body, headers });

async function compress(
  bytes: Uint8Array,
  format: "gzip" | "deflate" = "gzip",
): Promise<Uint8Array> {
  const stream = new Response(bytes).body?.pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream ?? null).arrayBuffer());
}

/** A body of `count` chunks that also tells how many of them were taken and whether it was cancelled. */
function watched(chunk: Uint8Array, count: number, then: "close" | "fail" | "hang" = "close") {
  const seen = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (seen.pulled < count) controller.enqueue(chunk.slice());
        else if (then === "close") controller.close();
        else if (then === "fail") controller.error(new Error("connection lost"));
        else return new Promise(() => undefined);
        seen.pulled += 1;
        return undefined;
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, stream };
}

describe("readBytes", () => {
  it("gives the body byte for byte, in as many chunks as it comes", async () => {
    const { stream } = watched(new Uint8Array([1, 2, 3]), 3);
    const bytes = await readBytes(post(stream), 9);
    expect(bytes).toEqual({ ok: true, value: new Uint8Array([1, 2, 3, 1, 2, 3, 1, 2, 3]) });
  });

  it("gives an absent body as no bytes", async () => {
    expect(await readBytes(post(null, { "content-encoding": "gzip" }), 9)).toEqual({
      ok: true,
      value: new Uint8Array(0),
    });
  });

  it("refuses one byte over the limit and leaves the rest for whoever throws it away", async () => {
    const { seen, stream } = watched(new Uint8Array(10), 1_000);
    expect(await readBytes(post(stream), 29)).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: 29 },
    });
    expect(seen).toMatchObject({ cancelled: false });
    expect(stream.locked).toBe(false);
    expect(seen.pulled).toBeLessThan(6);
  });

  it("refuses a body whose Content-Length is over the limit without reading it", async () => {
    const { seen, stream } = watched(new Uint8Array(10), 1);
    expect(await readBytes(post(stream, { "content-length": "30" }), 29)).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: 29 },
    });
    expect(seen.pulled).toBe(0);
  });

  it.each(["gzip", "deflate"] as const)("inflates %s", async (format) => {
    const text = new TextEncoder().encode("hello ".repeat(100_000));
    const body = await compress(text, format);
    const bytes = await readBytes(post(body, { "content-encoding": format }), text.byteLength);
    expect(bytes.ok && bytes.value.byteLength).toBe(text.byteLength);
  });

  it("counts inflated bytes, not compressed ones", async () => {
    const body = await compress(new Uint8Array(1_001));
    expect(await readBytes(post(body, { "content-encoding": "gzip" }), 1_000)).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: 1_000 },
    });
  });

  it("cuts a gzip bomb off by its ratio or its size, whichever it passes first", async () => {
    const bomb = await compress(new Uint8Array(8 * MIB));
    const inflatedMax = bomb.byteLength * UPLOAD_INFLATION_RATIO_MAX;
    expect(inflatedMax).toBeLessThan(2 * MIB);
    const headers = { "content-encoding": "gzip" };
    expect(await readBytes(post(bomb, headers), 16 * MIB)).toMatchObject({
      ok: false,
      error: { kind: "bad_request", detail: expect.stringContaining("200 times") },
    });
    expect(await readBytes(post(bomb, headers), inflatedMax)).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: inflatedMax },
    });
  });

  it("lets what compresses well through below the first MiB", async () => {
    const body = await compress(new Uint8Array(MIB));
    const bytes = await readBytes(post(body, { "content-encoding": "gzip" }), 2 * MIB);
    expect(bytes.ok).toBe(true);
  });

  it.each([
    ["no gzip at all", async () => new TextEncoder().encode("plain text, not gzip")],
    ["gzip cut short", async () => (await compress(new Uint8Array(5_000))).slice(0, -6)],
    [
      "gzip with a wrong check sum",
      async () => {
        const bytes = await compress(new Uint8Array(5_000));
        bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
        return bytes;
      },
    ],
  ])("refuses %s in a sentence", async (_, make) => {
    const bytes = await readBytes(post(await make(), { "content-encoding": "gzip" }), MIB);
    expect(bytes).toMatchObject({
      ok: false,
      error: { kind: "bad_request", detail: expect.stringContaining("not the gzip stream") },
    });
  });

  it("refuses an encoding that it does not know", async () => {
    expect(await readBytes(post("x", { "content-encoding": "br" }), 9)).toMatchObject({
      ok: false,
      error: { kind: "bad_request", detail: expect.stringContaining('"br"') },
    });
  });

  it.each([{}, { "content-encoding": "gzip" }])(
    "refuses a body whose client goes away, with headers %j",
    async (headers) => {
      const start = (await compress(new Uint8Array(5_000))).slice(0, 10);
      const { stream } = watched(start, 1, "fail");
      expect(await readBytes(post(stream, headers), MIB)).toMatchObject({
        ok: false,
        error: { kind: "bad_request", detail: expect.stringContaining("ended before") },
      });
    },
  );

  it("stops reading a compressed body at the limit, since inflated it is larger still", async () => {
    const { seen, stream } = watched(new Uint8Array(10), 1_000);
    const bytes = await readBytes(post(stream, { "content-encoding": "gzip" }), 29);
    expect(bytes).toEqual({ ok: false, error: { kind: "body_too_large", bytesMax: 29 } });
    expect(seen).toMatchObject({ cancelled: false });
    expect(seen.pulled).toBeLessThan(6);
  });

  it("does not wait for a client that stalls after sending too much", async () => {
    const { stream } = watched(new Uint8Array(30), 1, "hang");
    expect((await readBytes(post(stream), 29)).ok).toBe(false);
  });

  it("answers any bytes under any encoding without throwing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom("", "gzip", "deflate", "identity", "br"),
        async (body, encoding) => {
          const bytes = await readBytes(post(body, { "content-encoding": encoding }), 32);
          expect(typeof bytes.ok).toBe("boolean");
        },
      ),
    );
  });
});

describe("readJson", () => {
  it("reads JSON whatever the Content-Type says", async () => {
    for (const type of ["text/plain;charset=UTF-8", "application/json", "image/png"])
      expect(await readJson(post('{"a":1}', { "content-type": type }))).toEqual({
        ok: true,
        value: { a: 1 },
      });
  });

  it("says what the parser says", async () => {
    expect(await readJson(post('{"a":'))).toMatchObject({
      ok: false,
      error: { kind: "bad_json", detail: expect.stringContaining("JSON") },
    });
    expect(await readJson(post(new Uint8Array([0x22, 0xff, 0x22])))).toMatchObject({
      error: { kind: "bad_json", detail: expect.stringContaining("UTF-8") },
    });
  });

  it("refuses nesting that would exhaust the stack of what walks it", async () => {
    const nested = (depth: number) => post("[".repeat(depth) + "]".repeat(depth));
    expect((await readJson(nested(64))).ok).toBe(true);
    expect(await readJson(nested(65))).toMatchObject({ error: { kind: "bad_json" } });
    expect(await readJson(nested(100_000))).toMatchObject({ error: { kind: "bad_json" } });
  });

  it("bounds the body", async () => {
    const text = (size: number) => post(JSON.stringify("a".repeat(size - 2)));
    expect((await readJson(text(JSON_BODY_BYTES_MAX))).ok).toBe(true);
    expect(await readJson(text(JSON_BODY_BYTES_MAX + 1))).toEqual({
      ok: false,
      error: { kind: "body_too_large", bytesMax: JSON_BODY_BYTES_MAX },
    });
  });

  it("checks against a schema and names the field that is wrong", async () => {
    const schema = z.object({ versions: z.array(z.object({ percentage: z.number() })) });
    const body = '{"versions":[{"percentage":"x"}]}';
    expect(await readJson(post(body), schema)).toMatchObject({
      ok: false,
      error: { kind: "bad_request", detail: expect.stringMatching(/^versions\.0\.percentage: /) },
    });
  });

  it("takes an empty body where the schema allows none, and asks for JSON elsewhere", async () => {
    const schema = z.object({ a: z.number() });
    expect(await readJson(post(null), schema.optional())).toEqual({ ok: true, value: undefined });
    expect(await readJson(post(""), schema)).toMatchObject({
      error: { kind: "bad_json", detail: expect.stringContaining("empty") },
    });
    expect(await readJson(post(null))).toEqual({ ok: true, value: undefined });
  });
});
