/** Queries of Analytics Engine datasets: one SELECT from one dataset, in a part of Cloudflare's SQL. */
import type { ColumnType, Expression } from "./analytics-functions.ts";
import { ExpressionReader, QueryError } from "./analytics-expression.ts";
import { tokensOf } from "./analytics-tokens.ts";
import {
  ANALYTICS_COLUMNS_MAX,
  ANALYTICS_DATASET_CHARS_MAX,
  ANALYTICS_QUERY_CHARS_MAX,
  ANALYTICS_ROWS_MAX,
  ANALYTICS_SQL_CHARS_MAX,
} from "./limits-analytics.ts";
import { err, ok, type Result } from "./result.ts";

export interface AnalyticsColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export type AnalyticsFormat = "JSON" | "JSONEachRow" | "TabSeparated";

interface AnalyticsQuery {
  readonly dataset: string;
  /** SQLite's, over the table `points`: it reads and writes nothing else. */
  readonly sql: string;
  /** In the order of the SQL's columns. */
  readonly columns: readonly AnalyticsColumn[];
  readonly format: AnalyticsFormat;
}

const FORMATS: Readonly<Record<string, AnalyticsFormat>> = {
  json: "JSON",
  jsoneachrow: "JSONEachRow",
  tabseparated: "TabSeparated",
};

/** Whether a dataset can have this name. */
export const isDatasetName = (name: string): boolean =>
  name !== "" && name.length <= ANALYTICS_DATASET_CHARS_MAX && !name.includes("\0");

/** Otherwise what is wrong, as a sentence. */
export function readAnalyticsQuery(query: string): Result<AnalyticsQuery, string> {
  if (query.length > ANALYTICS_QUERY_CHARS_MAX) {
    return err(`it is longer than ${ANALYTICS_QUERY_CHARS_MAX} characters.`);
  }
  const tokens = tokensOf(query);
  if (!tokens.ok) return tokens;
  try {
    // The dataset is a column of the answer, and named after the columns: so it is looked for first.
    const from = tokens.value.findIndex(
      ({ kind, text }) => kind === "name" && text.toUpperCase() === "FROM",
    );
    if (from === -1) throw new QueryError("it has no FROM.");
    const dataset = new ExpressionReader(tokens.value.slice(from + 1)).name();
    if (!isDatasetName(dataset)) throw new QueryError("no dataset can have that name.");
    const reader = new ExpressionReader(tokens.value);
    reader.dataset = dataset;
    return ok(readSelect(reader, dataset));
  } catch (error) {
    if (error instanceof QueryError) return err(error.message);
    throw error;
  }
}

function readSelect(reader: ExpressionReader, dataset: string): AnalyticsQuery {
  if (!reader.word("select")) throw new QueryError("only SELECT can be asked.");
  const distinct = reader.word("distinct") ? "DISTINCT " : "";
  const items = readItems(reader);
  reader.expect("FROM");
  reader.name();
  const where = reader.word("where") ? ` WHERE ${reader.expression().sql}` : "";
  const group = readGroups(reader);
  const having = reader.word("having") ? ` HAVING ${reader.expression().sql}` : "";
  const order = readOrder(reader);
  const limit = readLimit(reader);
  const format = readFormat(reader);
  reader.symbol(";");
  const { kind, text } = reader.peek();
  if (kind !== "end") {
    throw new QueryError(
      `the end was expected, not ${JSON.stringify(text.slice(0, 40))}: one SELECT from one dataset, without joins and subqueries, can be asked.`,
    );
  }
  const selected = items
    .map(({ expression }, index) => `${expression.sql} AS c${index}`)
    .join(", ");
  const sql = `SELECT ${distinct}${selected} FROM points${where}${group}${having}${order}${limit}`;
  if (sql.length > ANALYTICS_SQL_CHARS_MAX) throw new QueryError("it is too long.");
  const columns = items.map(({ name, expression: { type } }) => ({ name, type }));
  return { dataset, sql, columns, format };
}

interface Item {
  readonly name: string;
  readonly expression: Expression;
}

function readItems(reader: ExpressionReader): readonly Item[] {
  const items: Item[] = [];
  do {
    if (reader.symbol("*")) {
      items.push(...reader.columns().map(([name, expression]) => ({ name, expression })));
    } else {
      items.push(readItem(reader, items.length));
    }
    if (items.length > ANALYTICS_COLUMNS_MAX) {
      throw new QueryError(`it has more than ${ANALYTICS_COLUMNS_MAX} columns.`);
    }
  } while (reader.symbol(","));
  return items;
}

function readItem(reader: ExpressionReader, index: number): Item {
  const first = reader.peek();
  const expression = reader.expression();
  if (!reader.word("as")) {
    const isColumn = first.kind === "name" && expression.sql.includes(first.text.toLowerCase());
    return { name: isColumn ? first.text : `column${index + 1}`, expression };
  }
  const name = reader.name();
  reader.aliases.set(name.toLowerCase(), expression);
  return { name, expression };
}

function readGroups(reader: ExpressionReader): string {
  if (!reader.word("group")) return "";
  reader.expect("by");
  const groups = [];
  do groups.push(ungrouped(reader.expression()));
  while (reader.symbol(","));
  return ` GROUP BY ${groups.join(", ")}`;
}

function readOrder(reader: ExpressionReader): string {
  if (!reader.word("order")) return "";
  reader.expect("by");
  const orders = [];
  do {
    const by = ungrouped(reader.expression());
    const isDescending = reader.word("desc");
    if (!isDescending) reader.word("asc");
    orders.push(isDescending ? `${by} DESC` : by);
  } while (reader.symbol(","));
  return ` ORDER BY ${orders.join(", ")}`;
}

/** A bare number would be the number of a column to SQLite. */
const ungrouped = ({ sql }: Expression): string => (/^\d+$/.test(sql) ? `(${sql} + 0)` : sql);

/** One row more than may be answered, so that it is seen when there are too many. */
function readLimit(reader: ExpressionReader): string {
  const isGiven = reader.word("limit");
  const limit = isGiven && !reader.word("all") ? reader.wholeNumber() : ANALYTICS_ROWS_MAX + 1;
  const offset = reader.word("offset") ? reader.wholeNumber() : 0;
  return ` LIMIT ${Math.min(limit, ANALYTICS_ROWS_MAX + 1)} OFFSET ${offset}`;
}

function readFormat(reader: ExpressionReader): AnalyticsFormat {
  if (!reader.word("format")) return "JSON";
  const format = FORMATS[reader.name().toLowerCase()];
  if (format !== undefined) return format;
  throw new QueryError(`FORMAT has to be one of ${Object.values(FORMATS).join(", ")}.`);
}
