/** Answers of the SQL API: not in the envelope, but in the format that the query asks for. */
import type { AnalyticsAnswer } from "../../control/query-analytics.ts";
import type { ColumnType } from "../../domain/analytics-functions.ts";

type Value = AnalyticsAnswer["rows"][number][number];

export function toWireAnalytics({ columns, rows, format }: AnalyticsAnswer): Response {
  const values = rows.map((row) => row.map((value, index) => shown(value, columns[index]?.type)));
  const object = (row: readonly Value[]) =>
    Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null]));
  switch (format) {
    case "JSON":
      return Response.json({ meta: columns, data: values.map(object), rows: rows.length });
    case "JSONEachRow":
      return textOf(
        values.map((row) => JSON.stringify(object(row))),
        "application/x-ndjson",
      );
    case "TabSeparated":
      return textOf(
        values.map((row) => row.map(escaped).join("\t")),
        "text/tab-separated-values; charset=utf-8",
      );
  }
}

const textOf = (lines: readonly string[], type: string): Response =>
  new Response(lines.map((line) => `${line}\n`).join(""), { headers: { "content-type": type } });

/** A time is stored as seconds since 1970. */
function shown(value: Value, type: ColumnType | undefined): Value {
  if (type !== "DateTime" || typeof value !== "number") return value;
  const time = new Date(value * 1000);
  if (Number.isNaN(time.getTime())) return null;
  return time.toISOString().slice(0, 19).replace("T", " ");
}

const ESCAPES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\\": "\\\\" };

const escaped = (value: Value): string =>
  value === null ? "\\N" : String(value).replaceAll(/[\t\n\\]/g, (char) => ESCAPES[char] ?? char);
