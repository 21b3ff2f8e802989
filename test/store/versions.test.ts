import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, describe, expect, it } from "vitest";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import type { Database } from "../../src/store/database.ts";
import {
  countVersions,
  findPreviewVersion,
  findVersion,
  listVersions,
  versionsBefore,
} from "../../src/store/versions.ts";
import { createdWorker, freshDatabase, storedVersion } from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});

describe("versions", () => {
  it("come back as they were stored", async () => {
    const worker = await createdWorker("store-a");
    const version = await storedVersion(worker.id, {
      bindings: [{ name: "V", type: "plain_text", text: "x", unknown: { kept: true } }],
      annotations: { triggeredBy: "upload", tag: "t", message: "m", other: { "workers/x": "y" } },
      settings: { limits: { cpu_ms: 5 } },
    });
    expect(await findVersion(db, worker.id, version.id)).toEqual(version);
  });

  it("uploaded at the same time have numbers without gaps", async () => {
    const worker = await createdWorker("store-b");
    const all = await Promise.all(Array.from({ length: 12 }, () => storedVersion(worker.id)));
    const numbers = all.map((version) => version.number).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(await countVersions(db, worker.id)).toBe(12);
  });

  it("keep up to a thousand modules in one write, in order", async () => {
    const worker = await createdWorker("store-c");
    const modules = Array.from({ length: 999 }, (_, i) => ({
      name: `m${i}.js`,
      type: "esm" as const,
      sha256: "0".repeat(64),
      size: i,
    }));
    const version = await storedVersion(worker.id, { modules });
    expect((await findVersion(db, worker.id, version.id))?.modules).toEqual(modules);
  });

  it("are listed newest first, page after page without overlap or gap", async () => {
    const worker = await createdWorker("store-d");
    for (let i = 0; i < 7; i++) await storedVersion(worker.id);
    const pages: number[][] = [];
    for (const page of [1, 2, 3, 4]) {
      const beforeNumber = versionsBefore(7, page, 3);
      const items = await listVersions(db, worker.id, { beforeNumber, limit: 3 });
      pages.push(items.map((version) => version.number));
    }
    expect(pages).toEqual([[7, 6, 5], [4, 3, 2], [1], []]);
  });

  it("are found for a preview by id prefix, and by alias the newest", async () => {
    const worker = await createdWorker("store-e");
    const aliased = { triggeredBy: "version_upload" as const, alias: "staging", other: {} };
    const first = await storedVersion(worker.id, { annotations: aliased });
    const second = await storedVersion(worker.id, { annotations: aliased });
    expect(await findPreviewVersion(db, worker.id, first.id.slice(0, 8))).toBe(first.id);
    expect(await findPreviewVersion(db, worker.id, "staging")).toBe(second.id);
    expect(await findPreviewVersion(db, worker.id, "nothing")).toBeNull();
  });

  it("are found for a preview in their Worker alone, and by the whole prefix", async () => {
    const worker = await createdWorker("store-g");
    const other = await createdWorker("store-h");
    const ids = ["0badcafe-0", "0badcafe-f", "0badcaff-0"].map((id) => id as VersionId);
    for (const id of ids) await storedVersion(worker.id, { id });
    expect(await findPreviewVersion(db, worker.id, "0badcafe")).toBe(ids[1]);
    expect(await findPreviewVersion(db, worker.id, "0badcaff")).toBe(ids[2]);
    expect(await findPreviewVersion(db, other.id, "0badcafe")).toBeNull();
    expect(await findPreviewVersion(db, worker.id, "0badcafd")).toBeNull();
  });

  it("are looked for by indexes, for anybody may ask for any label", async () => {
    const queries: { readonly query: string; readonly params: unknown[] }[] = [];
    const logger = {
      logQuery: (query: string, params: unknown[]) => void queries.push({ query, params }),
    };
    const logged = drizzle(env.DB, { logger });
    await findPreviewVersion(logged, "w" as WorkerId, "0badcafe");
    const plans = queries.map(async ({ query, params }) => {
      const plan = env.DB.prepare(`EXPLAIN QUERY PLAN ${query}`).bind(...params);
      const { results } = await plan.all<{ detail: string }>();
      return results.map(({ detail }) => detail).filter((detail) => !detail.includes("ORDER BY"));
    });
    expect(await Promise.all(plans)).toEqual([
      ["SEARCH versions USING INDEX sqlite_autoindex_versions_1 (id>? AND id<?)"],
      ["SEARCH versions USING INDEX versions_alias (worker_id=? AND alias=?)"],
    ]);
  });

  it("cannot be stored twice under one number", async () => {
    const worker = await createdWorker("store-f");
    const version = await storedVersion(worker.id);
    const copy = env.DB.prepare(
      `INSERT INTO versions SELECT 'other', worker_id, number, created_on, author_id, author_email, source,
        triggered_by, message, tag, alias, annotations, syntax, main_module, bindings, compatibility_date,
        compatibility_flags, handlers, startup_time_ms, content_hash, settings, sealed_secrets
       FROM versions WHERE id = ?`,
    ).bind(version.id);
    await expect(copy.run()).rejects.toThrow(/UNIQUE/);
  });
});
