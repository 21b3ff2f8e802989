import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  answerOf,
  type BytesCall,
  type BytesResults,
  callRequest,
} from "../../../src/data/r2/calls.ts";
import type { Stores } from "../../../src/data/stores.ts";
import { R2_DELETE_KEYS_MAX, R2_KEY_BYTES_MAX } from "../../../src/domain/limits-r2.ts";

const store = (exports as unknown as { R2Store: Stores["R2Store"] & Fetcher }).R2Store;

let lastBucket = 0;
const newBucket = (): string => String(++lastBucket);

async function send<Action extends keyof BytesResults>(
  bucket: string,
  call: BytesCall & { readonly action: Action },
  body: BodyInit | null = null,
) {
  const response = await store.fetch(callRequest(bucket, call, body)!);
  const answer = answerOf<Action>(response);
  return { ...answer, body: await response.text() };
}

const put = (bucket: string, key: string, options = {}) =>
  send(bucket, { action: "put", key, options }, "x");
const keysOf = async (bucket: string, options = {}) => {
  const answer = await store.list(bucket, options);
  return answer.ok ? answer.value.objects.map(({ key }) => key) : answer.error;
};
const refused = (message: string) => ({ ok: false, error: { name: "Error", message } });

// The first call loads the whole of the main module.
beforeAll(() => store.head("1", "a"), 60_000);

describe("the door to R2", () => {
  it("takes keys and lists of keys up to their limits, and no more", async () => {
    const bucket = newBucket();
    const longest = "k".repeat(R2_KEY_BYTES_MAX);
    expect(await put(bucket, longest)).toMatchObject({ ok: true, value: { key: longest } });
    expect(await put(bucket, `${longest}k`)).toMatchObject(
      refused("put: The specified object name is not valid. (10020)"),
    );
    const many = Array.from({ length: R2_DELETE_KEYS_MAX }, (_, i) => `k${i}`);
    expect(await store.delete(bucket, [...many.slice(1), longest])).toEqual({ ok: true });
    expect(await store.delete(bucket, [...many, longest])).toMatchObject({ ok: false });
    expect(await keysOf(bucket)).toEqual([]);
  });

  it("gives back all metadata that it takes, and refuses the rest", async () => {
    const bucket = newBucket();
    // The widest in a header: what R2 counts as one byte needs six characters.
    const customMetadata = { k: "\u00E4".repeat(8191) };
    expect(await put(bucket, "a", { customMetadata })).toMatchObject({ ok: true });
    const got = await send(bucket, { action: "get", key: "a" });
    expect(got).toMatchObject({ ok: true, value: { object: { customMetadata } }, body: "x" });
    const tooLarge = refused(
      "put: Your metadata headers exceed the maximum allowed metadata size. (10012)",
    );
    expect(await put(bucket, "b", { customMetadata: { k: "v".repeat(8192) } })).toMatchObject(
      tooLarge,
    );
    const httpMetadata = { contentType: "t".repeat(55_000) };
    expect(await put(bucket, "b", { httpMetadata })).toMatchObject(tooLarge);
    expect(await store.createMultipartUpload(bucket, "b", { httpMetadata })).toMatchObject({
      ok: false,
    });
  });

  it("lets no bucket see or touch another's objects, whatever it is asked", async () => {
    const [one, other] = ["1001", "1001".concat("0")];
    await put(one, "mine");
    await put(other!, "theirs");
    const place = (text: string) => btoa(`k${text}`).replaceAll("=", "");
    for (const options of [
      {},
      { prefix: "" },
      { startAfter: "" },
      { cursor: place("../") },
      { delimiter: "/" },
      { prefix: "../" },
    ]) {
      const keys = await keysOf(one!, options);
      expect(keys).not.toContain("theirs");
    }
    for (const key of ["../7pu/theirs", "/theirs", "theirs", "7pu/theirs"]) {
      expect(await store.head(one!, key)).toEqual({ ok: true, value: null });
      expect(await store.delete(one!, key)).toEqual({ ok: true });
    }
    expect(await keysOf(other!)).toEqual(["theirs"]);

    const upload = await store.createMultipartUpload(other!, "theirs");
    if (!upload.ok) throw new Error("no upload");
    const foreign = await send(
      one!,
      { action: "uploadPart", key: "theirs", uploadId: upload.value, partNumber: 1 },
      "x",
    );
    expect(foreign).toMatchObject({ ok: false });
  });

  it("answers hostile arguments with a refusal", async () => {
    const bucket = newBucket();
    const hostile: readonly unknown[] = [null, 5, {}, [], true, ["a"], { toString: "x" }];
    for (const value of hostile) {
      const any = value as never;
      expect(await store.head(bucket, any)).toMatchObject({ ok: false });
      expect(await store.head(any, "a")).toMatchObject({ ok: false });
      expect(await store.list(bucket, { prefix: any })).toMatchObject({ ok: false });
      expect(await store.createMultipartUpload(bucket, any)).toMatchObject({ ok: false });
      expect(await store.abortMultipartUpload(bucket, "a", any)).toMatchObject({ ok: false });
      expect(await send(bucket, { action: "put", key: any }, "x")).toMatchObject({ ok: false });
      expect(await store.completeMultipartUpload(bucket, "a", "x", any)).toMatchObject({
        ok: false,
      });
    }
    expect(await store.delete(bucket, [5 as never])).toMatchObject({ ok: false });
    const headers = { headers: [["bad header\n", "x"]] };
    expect(
      await send(bucket, { action: "get", key: "a", options: { onlyIf: headers } }),
    ).toMatchObject({ ok: false });
    for (const [name, value] of [
      ["x-switchback-r2", "{"],
      ["x-switchback-r2", `{"action":"close"}`],
      ["other", ""],
    ] as const) {
      const response = await store.fetch("http://r2/", { headers: { [name]: value } });
      expect(response.status).toBe(400);
    }
  });

  it("closes a bucket for good when it is empty, and goes on with it when it is not", async () => {
    const bucket = newBucket();
    await put(bucket, "a");
    expect(await store.close(bucket)).toEqual({ ok: true, value: false });
    expect(await keysOf(bucket)).toEqual(["a"]);
    await store.delete(bucket, "a");
    expect(await store.close(bucket)).toEqual({ ok: true, value: true });
    expect(await store.close(bucket)).toEqual({ ok: true, value: true });
    expect(await put(bucket, "a")).toMatchObject(
      refused("put: The specified bucket does not exist. (10006)"),
    );
  });
});
