import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { AnalyticsStore } from "../../src/data/analytics/analytics-store.ts";
import { ACCOUNT, apiClient, type Client } from "./api-fixture.ts";

const SQL = `${ACCOUNT}/analytics_engine/sql`;
const store = (exports as unknown as { readonly AnalyticsStore: AnalyticsStore }).AnalyticsStore;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
  await store.write("visits", [
    { index: "a", blobs: ["/x\ty"], doubles: [1.5] },
    { index: "b", blobs: [], doubles: [] },
  ]);
}, 60_000);

const ask = async (query: string) => {
  const answer = await client.raw("POST", SQL, { body: query });
  return { type: answer.headers.get("content-type"), text: await answer.text() };
};

describe("…/analytics_engine/sql", () => {
  it("answers with columns, rows and their number", async () => {
    const { text } = await ask(
      "SELECT blob1 AS path, double1, toStartOfDay(timestamp) AS day FROM visits ORDER BY index1 FORMAT JSON",
    );
    const day = `${new Date().toISOString().slice(0, 10)} 00:00:00`;
    expect(JSON.parse(text)).toEqual({
      meta: [
        { name: "path", type: "String" },
        { name: "double1", type: "Float64" },
        { name: "day", type: "DateTime" },
      ],
      data: [
        { path: "/x\ty", double1: 1.5, day },
        { path: "", double1: 0, day },
      ],
      rows: 2,
    });
  });

  it("answers in the other formats too, and to GET", async () => {
    const lines = await ask("SELECT index1, blob1 FROM visits ORDER BY index1 FORMAT JSONEachRow");
    expect(lines.text).toBe('{"index1":"a","blob1":"/x\\ty"}\n{"index1":"b","blob1":""}\n');
    const table = await ask("SELECT index1, blob1 FROM visits ORDER BY index1 FORMAT TabSeparated");
    expect(table.text).toBe("a\t/x\\ty\nb\t\n");
    const query = encodeURIComponent("SELECT count() AS n FROM visits");
    expect(await (await client.raw("GET", `${SQL}?query=${query}`)).json()).toMatchObject({
      data: [{ n: 2 }],
    });
  });

  it.each(["", "SELECT 1", "DROP TABLE points", "SELECT 1 FROM nowhere", "x".repeat(20_000)])(
    "refuses %j with a sentence",
    async (query) => {
      const answer = await client.call("POST", SQL, query);
      expect([answer.status, answer.errors[0]?.code]).toEqual([400, 130063]);
      expect(answer.errors[0]?.message).toMatch(/^The query cannot be answered: .*\.$/);
    },
  );

  it("refuses a body that is no query by its size", async () => {
    expect((await client.call("POST", SQL, "x".repeat(100_000))).status).toBe(413);
  });
});
