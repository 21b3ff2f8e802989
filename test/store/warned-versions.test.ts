import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import { openDatabase } from "../../src/store/database.ts";
import {
  countTriggers,
  d1WhenLastServed,
  findBoundD1,
  findWarnedVersion,
} from "../../src/store/warned-versions.ts";
import { freshDatabase } from "../support/fixtures.ts";

beforeAll(() => freshDatabase());

it("what warnings are decided on is found by a version's or a Worker's own keys, however long the history is", async () => {
  const asked: string[] = [];
  const recording = new Proxy(env.DB, {
    get: (target, name) =>
      name === "prepare"
        ? (text: string) => {
            asked.push(text);
            return target.prepare(text);
          }
        : Reflect.get(target, name),
  });
  const db = openDatabase(recording);
  const [workerId, versionId] = ["w" as WorkerId, "v" as VersionId];
  await findWarnedVersion(db, versionId);
  await d1WhenLastServed(db, workerId, versionId);
  await countTriggers(db, workerId);
  await findBoundD1(db, [versionId], 16);
  expect(asked).toHaveLength(4);
  for (const text of asked) {
    const parameters = text
      .split("?")
      .slice(1)
      .map(() => "[]");
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
      .bind(...parameters)
      .all<{ detail: string }>();
    const searched = results
      .map(({ detail }) => detail)
      .filter((each) => each.startsWith("SEARCH"));
    for (const each of searched) expect(each).toMatch(/\((?:id|version_id|worker_id)=\?/);
    expect(searched.length).toBeGreaterThan(0);
    const scanned = results.map(({ detail }) => detail).filter((each) => each.startsWith("SCAN"));
    for (const each of scanned) expect(each).toMatch(/CONSTANT ROW|json_each/);
  }
});
