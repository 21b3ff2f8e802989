import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { SCHEDULES_PER_WORKER_MAX } from "../../src/domain/limits-cron.ts";
import { accountId } from "../support/fixtures.ts";
import { apiClient, deployedWorker } from "./api-fixture.ts";

async function worker() {
  const client = await apiClient();
  const { path } = await deployedWorker(client, `w${crypto.randomUUID()}`);
  const put = (...crons: unknown[]) =>
    client.call(
      "PUT",
      `${path}/schedules`,
      crons.map((cron) => ({ cron })),
    );
  const get = async () => (await client.call("GET", `${path}/schedules`)).result.schedules;
  return { client, path, put, get };
}

describe("schedules", () => {
  it("are replaced as a whole, in the order given; what stays keeps its age", async () => {
    const { put, get } = await worker();
    expect(await get()).toEqual([]);
    const first = await put("*/5 * * * *", "0 0 * * *");
    expect(first.result.schedules).toMatchObject([{ cron: "*/5 * * * *" }, { cron: "0 0 * * *" }]);
    const [, kept] = await get();
    await put("0 0 * * *", "0 12 * * MON", "0 12 * * MON");
    const now = await get();
    expect(now.map(({ cron }: { cron: string }) => cron)).toEqual(["0 0 * * *", "0 12 * * MON"]);
    expect(now[0].created_on).toBe(kept.created_on);
    await put();
    expect(await get()).toEqual([]);
  });

  it("are refused whole when one of them cannot be used", async () => {
    const { put, get, client, path } = await worker();
    await put("0 0 * * *");
    for (const bad of ["* * * *", "0 0 * * 0", "0 0 31 2 *", "", "x".repeat(300)]) {
      const refused = await put("1 1 * * *", bad);
      expect([refused.status, refused.errors[0]?.code]).toEqual([400, 130079]);
    }
    expect((await put(5)).errors[0]?.code).toBe(130001);
    expect((await client.call("PUT", `${path}/schedules`, {})).errors[0]?.code).toBe(130001);
    expect((await get()).map(({ cron }: { cron: string }) => cron)).toEqual(["0 0 * * *"]);
  });

  it("are as many as a Worker may have, and not one more", async () => {
    const { put } = await worker();
    const crons = Array.from(
      { length: SCHEDULES_PER_WORKER_MAX + 1 },
      (_, index) => `${index % 60} ${Math.floor(index / 60)} * * *`,
    );
    expect((await put(...crons.slice(1))).errors).toEqual([]);
    expect((await put(...crons)).errors[0]?.code).toBe(130074);
  });

  it("are the clock's to look at from the next minute on", async () => {
    const { put } = await worker();
    await put("0 0 1 1 *");
    const clock = env.CRON_CLOCK.getByName(accountId) as DurableObjectStub;
    const next = await runInDurableObject(clock, (_, state) => state.storage.getAlarm());
    expect(next! - Date.now()).toBeLessThanOrEqual(60_000);
    expect(next! % 60_000).toBe(0);
  });

  it("are of a Worker that there is", async () => {
    const { client, path } = await worker();
    const nobody = path.replace(/[^/]+$/, "nobody");
    for (const method of ["GET", "PUT"]) {
      const answer = await client.call(
        method,
        `${nobody}/schedules`,
        method === "PUT" ? [] : undefined,
      );
      expect([answer.status, answer.errors[0]?.code]).toEqual([404, 10007]);
    }
  });
});
