import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Worker } from "../../src/domain/worker.ts";
import {
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  storedVersion,
} from "../support/fixtures.ts";

beforeAll(() => freshDatabase());

const served = async (worker: Worker) => {
  const { results } = await env.DB.prepare(
    "SELECT number, last_served.seq AS seq, full_seq AS fullSeq FROM last_served JOIN versions ON versions.id = version_id WHERE last_served.worker_id = ? ORDER BY number",
  )
    .bind(worker.id)
    .all<{ number: number; seq: number; fullSeq: number | null }>();
  return results;
};

describe("when a version last served", () => {
  it("is known of each share, and of whole shares by themselves; what never had one has no row", async () => {
    const worker = await createdWorker("last-served");
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => storedVersion(worker.id)));
    const ids = [one, two, three].map((version) => version?.id ?? "");
    const byNumber = [one, two, three].toSorted((a, b) => (a?.number ?? 0) - (b?.number ?? 0));
    const [first = "", second = "", third = ""] = byNumber.map((version) => version?.id ?? "");
    expect(new Set(ids).size).toBe(3);
    const deployed = async (...shares: [string, number][]) =>
      expect((await deployTo(worker.id, deployRequest(command(shares)))).ok).toBe(true);
    await deployed([first, 100]);
    await deployed([first, 90], [second, 10]);
    await deployed([first, 99.9995], [third, 0]);
    await deployed([second, 50], [first, 50]);
    const expected = [
      { number: 1, seq: 4, fullSeq: 3 },
      { number: 2, seq: 4, fullSeq: null },
    ];
    expect(await served(worker)).toEqual(expected);

    // What a database of an earlier release is given when it is brought to this one.
    await env.DB.prepare("DELETE FROM last_served").run();
    const statements = env.TEST_MIGRATIONS.flatMap(({ queries }) => queries);
    const backfill = statements.find((text) => text.includes("INSERT INTO `last_served`")) ?? "";
    await env.DB.prepare(backfill).run();
    expect(await served(worker)).toEqual(expected);
  });
});
