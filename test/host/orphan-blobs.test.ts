import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { describe, expect, it } from "vitest";
import { removeOrphanBlobs } from "../../src/host/orphan-blobs.ts";
import { temporaryDirectory } from "./host-process.ts";

/** A bucket as the pinned Miniflare stores it, with one object, one part of an upload, and what an upload left behind. */
async function bucket() {
  const directory = temporaryDirectory();
  const open = () =>
    new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        cf: false,
        resourcePersistencePath: directory,
        modules: true,
        script: "export default {}",
        compatibilityDate: "2026-10-01",
        r2Buckets: { BUCKET: "things" },
      }),
    );
  const first = open();
  const objects = await first.getR2Bucket("BUCKET");
  await objects.put("kept", "kept ".repeat(1_000));
  const upload = await objects.createMultipartUpload("parts");
  await upload.uploadPart(1, "part ".repeat(1_000));
  const wrong = objects.put("never", "x".repeat(5_000), { md5: "0".repeat(32) });
  await expect(wrong).rejects.toThrow("MD5");
  await first.dispose();
  return { r2: join(directory, "r2"), blobs: join(directory, "r2/things/blobs"), open };
}

describe("bytes that no object has", () => {
  it("are removed, and nothing else is", async () => {
    const { r2, blobs, open } = await bucket();
    expect(readdirSync(blobs)).toHaveLength(3);
    expect(removeOrphanBlobs(r2)).toBe(5_000);
    expect(readdirSync(blobs)).toHaveLength(2);
    expect(removeOrphanBlobs(r2)).toBe(0);
    const again = open();
    const objects = await again.getR2Bucket("BUCKET");
    expect(await (await objects.get("kept"))?.text()).toBe("kept ".repeat(1_000));
    await again.dispose();
  });

  it("stay where it is not known what is named", async () => {
    const { r2, blobs } = await bucket();
    writeFileSync(
      join(r2, "things/strange.sqlite"),
      "no database at all, but long enough for a head",
    );
    expect(removeOrphanBlobs(r2)).toBe(0);
    const other = temporaryDirectory();
    mkdirSync(join(other, "things/blobs"), { recursive: true });
    writeFileSync(join(other, "things/blobs/one"), "bytes");
    expect(removeOrphanBlobs(other)).toBe(0);
    new DatabaseSync(join(other, "things/other.sqlite")).exec("CREATE TABLE t (n)");
    expect(removeOrphanBlobs(other)).toBe(0);
    expect(existsSync(join(other, "things/blobs/one"))).toBe(true);
    expect(readdirSync(blobs)).toHaveLength(3);
    expect(removeOrphanBlobs(join(other, "none"))).toBe(0);
  });
});
