import { describe, expect, it } from "vitest";
import { readAnalyticsQuery } from "../../src/domain/analytics-query.ts";
import {
  ANALYTICS_DEPTH_MAX,
  ANALYTICS_QUERY_CHARS_MAX,
} from "../../src/domain/limits-analytics.ts";

const read = (query: string) => {
  const result = readAnalyticsQuery(query);
  return result.ok ? result.value : result.error;
};

describe("a query is one SELECT from one dataset", () => {
  it.each([
    "INSERT INTO ds VALUES (1)",
    "DROP TABLE ds",
    "SELECT 1 FROM ds; SELECT 2 FROM ds",
    "SELECT 1 FROM ds; DROP TABLE points",
    "SELECT 1 FROM a, b",
    "SELECT 1 FROM a JOIN b",
    "SELECT 1 FROM (SELECT 1 FROM a)",
    "SELECT (SELECT 1) FROM a",
    "SELECT 1 FROM a UNION SELECT 1 FROM b",
    "WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x",
    "SELECT 1 FROM a WHERE blob1 IN (SELECT 1)",
    "SELECT randomblob(1000000000) FROM a",
    "SELECT load_extension('x') FROM a",
    "SELECT replace(blob1, 'a', 'b') FROM a",
    "SELECT sql FROM a",
    "SELECT rowid FROM a",
    "SELECT 1",
    "SELECT FROM a",
    "SELECT 1 FROM a LIMIT x",
    "SELECT 1 FROM a LIMIT -1",
    "SELECT 1 FROM a FORMAT CSV",
    "SELECT 1 FROM a WHERE blob1 LIKE '%a%b%'",
    "SELECT 1 FROM a WHERE blob1 LIKE blob2",
    "SELECT blob21 FROM a",
    "SELECT constructor(1) FROM a",
    "SELECT 'open FROM a",
    "SELECT 1 FROM a WHERE x = ?",
    "SELECT \u0000 FROM a",
    "",
  ])("refuses %j, in a sentence", (query) => {
    expect(read(query)).toMatch(/^\S.*\.$/s);
  });

  it("refuses what is too long or too deep, at the bound", () => {
    const nested = (depth: number) => `SELECT ${"(".repeat(depth)}1${")".repeat(depth)} FROM a`;
    expect(typeof read(nested(ANALYTICS_DEPTH_MAX - 1))).toBe("object");
    expect(read(nested(ANALYTICS_DEPTH_MAX))).toMatch(/nested/);
    const long = (length: number) => `SELECT 1 FROM a ${" ".repeat(length - 16)}`;
    expect(typeof read(long(ANALYTICS_QUERY_CHARS_MAX))).toBe("object");
    expect(read(long(ANALYTICS_QUERY_CHARS_MAX + 1))).toMatch(/longer/);
    const doubling = Array.from({ length: 25 }, (_, n) => `a${n} + a${n} AS a${n + 1}`);
    expect(read(`SELECT 1 AS a0, ${doubling.join(", ")} FROM a`)).toMatch(/too long/);
    expect(read(`SELECT ${"-".repeat(20)}1 FROM a`)).toMatch(/expected|FROM/);
  });

  it("keeps texts texts", () => {
    const query = read("SELECT 'it''s; DROP TABLE points --' AS x FROM a WHERE blob1 = 'a\\'b'");
    expect(query).toMatchObject({
      sql: expect.stringContaining("'it''s; DROP TABLE points --'") as string,
    });
    expect(query).toMatchObject({ sql: expect.stringContaining("'a''b'") as string });
  });

  it("tells names and types of the columns", () => {
    expect(
      read(
        'SELECT blob1, count() AS n, sum(double1 * _sample_interval) AS total, toStartOfHour(timestamp) AS hour FROM "my-data" FORMAT JSONEachRow',
      ),
    ).toMatchObject({
      dataset: "my-data",
      format: "JSONEachRow",
      columns: [
        { name: "blob1", type: "String" },
        { name: "n", type: "UInt64" },
        { name: "total", type: "Float64" },
        { name: "hour", type: "DateTime" },
      ],
    });
  });
});
