import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AnalyticsStore } from "../../src/data/analytics/analytics-store.ts";
import { analyticsDataset } from "../../src/injected/analytics.ts";

interface Exports {
  readonly AnalyticsBinding: (options: { props: { dataset: string } }) => Fetcher;
  readonly AnalyticsStore: AnalyticsStore;
}
const { AnalyticsBinding, AnalyticsStore: store } = exports as unknown as Exports;

let datasets = 0;
function bound(): { readonly name: string; readonly dataset: AnalyticsEngineDataset } {
  const name = `injected_${datasets++}`;
  const stub = AnalyticsBinding({ props: { dataset: name } });
  const dataset = analyticsDataset({ name: "AE", type: "analytics_engine", stub });
  return { name, dataset: dataset as AnalyticsEngineDataset };
}
async function rows(query: string): Promise<unknown> {
  const answer = await store.query(query);
  return answer.ok ? answer.value.rows : answer.error;
}
const any = <T>(value: unknown) => value as T;
const list = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

describe("an Analytics Engine binding", { timeout: 20_000 }, () => {
  beforeAll(async () => {
    await store.query("SELECT 1 FROM warm");
  }, 60_000);

  it("writes without being waited for, and what it wrote can be asked", async () => {
    const { name, dataset } = bound();
    const buffer = new TextEncoder().encode("bytes").buffer as ArrayBuffer;
    expect(
      dataset.writeDataPoint({ indexes: ["i"], blobs: ["b", null, buffer], doubles: [1, 2] }),
    ).toBeUndefined();
    dataset.writeDataPoint({ doubles: [3] });
    dataset.writeDataPoint();
    await vi.waitFor(async () => {
      expect(await rows(`SELECT index1, blob1, blob2, blob3, double1 FROM ${name}`)).toEqual([
        ["i", "b", "", "bytes", 1],
        ["", "", "", "", 3],
        ["", "", "", "", 0],
      ]);
    });
  });

  it("drops what is more than 250 data points at a time", async () => {
    const { name, dataset } = bound();
    for (let n = 0; n < 251; n++) dataset.writeDataPoint({ doubles: [n] });
    await vi.waitFor(async () => {
      expect(await rows(`SELECT count(), max(double1) FROM ${name}`)).toEqual([[250, 249]]);
    });
  });

  it.each([
    [{ blobs: list(21, "x") }, "writeDataPoint(): Maximum of 20 blobs supported."],
    [{ doubles: list(21, 1) }, "writeDataPoint(): Maximum of 20 doubles supported."],
    [{ indexes: ["a", "b"] }, "writeDataPoint(): Maximum of 1 indexes supported."],
    [{ indexes: ["x".repeat(97)] }, "writeDataPoint(): Size of indexes[0] exceeds 96 bytes)."],
    [
      { blobs: ["x".repeat(16_384), "x"] },
      "writeDataPoint(): Cumulative size of blobs exceeds 16384 bytes).",
    ],
  ])("refuses at once what is too much", (event, message) => {
    expect(() => bound().dataset.writeDataPoint(event)).toThrow(new TypeError(message));
  });

  it("takes all that is just small enough", async () => {
    const { name, dataset } = bound();
    dataset.writeDataPoint({
      blobs: ["x".repeat(16_384), ...list(19, "")],
      doubles: list(20, 1),
      indexes: ["x".repeat(96)],
    });
    await vi.waitFor(async () => {
      expect(await rows(`SELECT length(blob1), double20 FROM ${name}`)).toEqual([[16_384, 1]]);
    });
  });

  it("takes nothing from a broker's caller that is no data point", async () => {
    const stub = any<{ write(points: unknown): Promise<void> }>(
      AnalyticsBinding({ props: { dataset: "hostile" } }),
    );
    for (const points of [
      "x",
      null,
      [null, 7, { blobs: "x" }],
      [{ blobs: list(21, "x"), doubles: [] }],
    ]) {
      await stub.write(points);
    }
    expect(await rows("SELECT count() FROM hostile")).toMatch(/no dataset/);
  });
});
