import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { AnalyticsObject } from "../../../src/data/analytics/analytics-object.ts";
import type { AnalyticsStore } from "../../../src/data/analytics/analytics-store.ts";
import type { AnalyticsPoint } from "../../../src/domain/analytics-point.ts";
import {
  ANALYTICS_BYTES_MAX,
  ANALYTICS_DROP_POINTS,
  ANALYTICS_POINTS_MAX,
  ANALYTICS_RETENTION_MS,
  ANALYTICS_ROWS_MAX,
} from "../../../src/domain/limits-analytics.ts";

const store = (exports as unknown as { readonly AnalyticsStore: AnalyticsStore }).AnalyticsStore;
const objectOf = (dataset: string) =>
  env.ANALYTICS.getByName(dataset) as unknown as DurableObjectStub<AnalyticsObject>;

let datasets = 0;
const newDataset = () => `ds_${datasets++}`;
const point = (
  index: string | null,
  blobs: readonly (string | null)[] = [],
  doubles: readonly number[] = [],
): AnalyticsPoint => ({ index, blobs, doubles });

async function rows(query: string): Promise<unknown> {
  const answer = await store.query(query);
  return answer.ok ? answer.value.rows : answer.error;
}

describe("a dataset", { timeout: 30_000 }, () => {
  beforeAll(async () => {
    await store.query("SELECT 1 FROM warm");
  }, 60_000);

  it("answers what Workers' dashboards ask", async () => {
    const ds = newDataset();
    await store.write(ds, [
      point("a", ["/x", "200"], [10]),
      point("a", ["/x", "500"], [30]),
      point("b", ["/y"], [5, 7]),
    ]);
    expect(
      await rows(
        `SELECT blob1 AS path, SUM(_sample_interval) AS n, avg(double1) AS ms FROM ${ds}
          WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY path ORDER BY n DESC, path LIMIT 10`,
      ),
    ).toEqual([
      ["/x", 2, 20],
      ["/y", 1, 5],
    ]);
    expect(await rows(`SELECT blob2, double2 FROM ${ds} WHERE index1 = 'b'`)).toEqual([["", 7]]);
    expect(
      await rows(`SELECT countIf(blob2 = '500') / count() AS share FROM ${ds} WHERE index1 = 'a'`),
    ).toEqual([[0.5]]);
    expect(
      await rows(`SELECT intDiv(double1, 20) * 20 AS b, count(*) FROM ${ds} GROUP BY b ORDER BY b`),
    ).toEqual([
      [0, 2],
      [20, 1],
    ]);
    expect(await rows(`SELECT uniq(index1), count(DISTINCT blob1) FROM ${ds}`)).toEqual([[2, 2]]);
    expect(await rows(`SELECT DISTINCT dataset FROM ${ds}`)).toEqual([[ds]]);
    expect(await rows(`SELECT index1 FROM ${ds} GROUP BY index1 HAVING count() > 1`)).toEqual([
      ["a"],
    ]);
  });

  it("reckons with times", async () => {
    const ds = newDataset();
    await store.write(ds, [point("a")]);
    await runInDurableObject(objectOf(ds), (_, { storage }) => {
      storage.sql.exec("UPDATE points SET timestamp = unixepoch('2026-03-04 05:06:07')");
    });
    const at = Date.UTC(2026, 2, 4, 5, 6, 7) / 1000;
    expect(
      await rows(
        `SELECT toStartOfInterval(timestamp, INTERVAL '5' MINUTE), toStartOfDay(timestamp), toStartOfMonth(timestamp),
          toHour(timestamp), toYear(timestamp), toUnixTimestamp(timestamp) FROM ${ds}`,
      ),
    ).toEqual([[at - 67, at - (at % 86_400), Date.UTC(2026, 2, 1) / 1000, 5, 2026, at]]);
    const among = async (condition: string) =>
      ((await rows(`SELECT 1 FROM ${ds} WHERE ${condition}`)) as unknown[]).length;
    expect(await among("timestamp >= toDateTime('2026-03-04 05:06:07')")).toBe(1);
    expect(await among("timestamp > '2026-03-04 05:06:07'")).toBe(0);
    expect(await among("timestamp BETWEEN '2026-03-04' AND '2026-03-05'")).toBe(1);
    expect(await among("timestamp < NOW()")).toBe(at < Date.now() / 1000 ? 1 : 0);
  });

  it("matches texts with LIKE at their ends", async () => {
    const ds = newDataset();
    await store.write(ds, [
      point(null, ["/shop/cart"]),
      point(null, ["/SHOP/x"]),
      point(null, [""]),
    ]);
    const among = async (condition: string) =>
      ((await rows(`SELECT 1 FROM ${ds} WHERE ${condition}`)) as unknown[]).length;
    expect(await among("blob1 LIKE '/shop%'")).toBe(1);
    expect(await among("blob1 ILIKE '/shop%'")).toBe(2);
    expect(await among("blob1 LIKE '%cart'")).toBe(1);
    expect(await among("blob1 LIKE '%op/c%'")).toBe(1);
    expect(await among("blob1 NOT LIKE '/shop%'")).toBe(2);
    expect(await among("blob1 LIKE '%'")).toBe(3);
  });

  it("that nobody wrote to is told from one without rows", async () => {
    expect(await rows("SELECT count() FROM never_written")).toMatch(/no dataset "never_written"/);
    const tables = await runInDurableObject(objectOf("never_written"), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'points'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("refuses an answer of too many rows, and gives one that is just small enough", async () => {
    const ds = newDataset();
    await store.write(ds, [point("a")]);
    const fill = (to: number) =>
      runInDurableObject(objectOf(ds), (_, { storage }) => {
        storage.sql.exec(
          `WITH RECURSIVE n(i) AS (SELECT (SELECT max(id) FROM points) + 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO points (id, timestamp, bytes) SELECT i, 1700000000, 1 FROM n`,
          to,
        );
      });
    await fill(ANALYTICS_ROWS_MAX);
    expect(await rows(`SELECT 1 FROM ${ds}`)).toHaveLength(ANALYTICS_ROWS_MAX);
    await fill(ANALYTICS_ROWS_MAX + 1);
    expect(await rows(`SELECT 1 FROM ${ds}`)).toMatch(/more than 10000 rows/);
    expect(await rows(`SELECT 1 FROM ${ds} LIMIT 20000`)).toMatch(/more than 10000 rows/);
    expect(await rows(`SELECT count() FROM ${ds}`)).toEqual([[ANALYTICS_ROWS_MAX + 1]]);
  });

  it("tells what SQLite finds wrong with a query", async () => {
    const ds = newDataset();
    await store.write(ds, [point("a")]);
    expect(await rows(`SELECT sum(count()) FROM ${ds}`)).toMatch(/misuse of aggregate/);
  });

  it("loses what is older than 90 days, and then no more", async () => {
    const ds = newDataset();
    await store.write(ds, [point("old"), point("older"), point("new")]);
    await runInDurableObject(objectOf(ds), (_, { storage }) => {
      const old = Math.floor((Date.now() - ANALYTICS_RETENTION_MS) / 1000) - 1;
      storage.sql.exec("UPDATE points SET timestamp = ? WHERE index1 <> 'new'", old);
    });
    expect(await runDurableObjectAlarm(objectOf(ds))).toBe(true);
    expect(await rows(`SELECT index1 FROM ${ds}`)).toEqual([["new"]]);
  });

  it("loses its oldest when there are too many", async () => {
    const ds = newDataset();
    await store.write(ds, [point("first")]);
    await runInDurableObject(objectOf(ds), (_, { storage }) => {
      storage.sql.exec(
        "INSERT INTO points (id, timestamp, bytes, index1) VALUES (?, unixepoch(), 1, 'last')",
        ANALYTICS_POINTS_MAX - 1,
      );
    });
    await expect(
      runInDurableObject(objectOf(ds), (_, state) => state.abort("restart")),
    ).rejects.toThrow();
    await store.write(ds, [point("new")]);
    expect(await rows(`SELECT index1 FROM ${ds}`)).toEqual([["first"], ["last"], ["new"]]);
    await store.write(ds, [point("newest")]);
    expect(await rows(`SELECT index1 FROM ${ds}`)).toEqual([["last"], ["new"], ["newest"]]);
  });

  it("loses its oldest when they are too large", async () => {
    const ds = newDataset();
    await store.write(ds, [point("large")]);
    await runInDurableObject(objectOf(ds), (_, { storage }) => {
      storage.sql.exec("UPDATE points SET bytes = ?", ANALYTICS_BYTES_MAX);
      storage.sql.exec(
        "INSERT INTO points (id, timestamp, bytes, index1) VALUES (?, unixepoch(), 1, 'small')",
        ANALYTICS_DROP_POINTS + 1,
      );
    });
    await expect(
      runInDurableObject(objectOf(ds), (_, state) => state.abort("restart")),
    ).rejects.toThrow();
    await store.write(ds, [point("new")]);
    expect(await rows(`SELECT index1 FROM ${ds}`)).toEqual([["small"], ["new"]]);
  });
});
