/**
 * Functions of an analytics query, as SQLite computes them. Each reads its arguments once a row and grows with them no
 * more than linearly: there is no other way to bound what a query costs.
 */

export type ColumnType = "String" | "Float64" | "Int64" | "UInt64" | "UInt8" | "DateTime";

export interface Expression {
  /** SQLite's. */
  readonly sql: string;
  readonly type: ColumnType;
  /** The text, where it is one literally. */
  readonly literal?: string;
  /** Seconds, where it is an interval. */
  readonly interval?: number;
}

interface Definition {
  /** How many arguments, at least and at most. */
  readonly takes: readonly [number, number];
  readonly type: ColumnType | ((args: readonly Expression[]) => ColumnType);
  readonly sql: (args: readonly string[], given: readonly Expression[]) => string;
}

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

const ofFirst = (args: readonly Expression[]): ColumnType => args[0]?.type ?? "String";
const ofSecond = (args: readonly Expression[]): ColumnType => args[1]?.type ?? "String";
const call =
  (name: string): Definition["sql"] =>
  (args) =>
    `${name}(${args.join(", ")})`;

const startOf = (seconds: number): Definition => ({
  takes: [1, 1],
  type: "DateTime",
  sql: ([time]) => `(${time} / ${seconds} * ${seconds})`,
});
const startOfUnit = (unit: string): Definition => ({
  takes: [1, 1],
  type: "DateTime",
  sql: ([time]) => `unixepoch(${time}, 'unixepoch', 'start of ${unit}')`,
});
const partOf = (format: string): Definition => ({
  takes: [1, 1],
  type: "Int64",
  sql: ([time]) => `CAST(strftime('${format}', ${time}, 'unixepoch') AS INTEGER)`,
});
const cast = (to: string, type: ColumnType): Definition => ({
  takes: [1, 1],
  type,
  sql: ([value]) => `CAST(${value} AS ${to})`,
});
const same = (name: string): Definition => ({ takes: [1, 1], type: ofFirst, sql: call(name) });

/** By name in lower case. */
export const FUNCTIONS: Readonly<Record<string, Definition>> = {
  // Aggregates.
  count: { takes: [0, 1], type: "UInt64", sql: (args) => `count(${args[0] ?? "*"})` },
  countif: {
    takes: [1, 1],
    type: "UInt64",
    sql: ([condition]) => `count(CASE WHEN ${condition} THEN 1 END)`,
  },
  sum: { takes: [1, 1], type: ofFirst, sql: ([value]) => `ifnull(sum(${value}), 0)` },
  sumif: {
    takes: [2, 2],
    type: ofFirst,
    sql: ([value, condition]) => `ifnull(sum(CASE WHEN ${condition} THEN ${value} END), 0)`,
  },
  avg: { takes: [1, 1], type: "Float64", sql: call("avg") },
  avgif: {
    takes: [2, 2],
    type: "Float64",
    sql: ([value, condition]) => `avg(CASE WHEN ${condition} THEN ${value} END)`,
  },
  min: same("min"),
  max: same("max"),
  any: same("min"),
  uniq: { takes: [1, 1], type: "UInt64", sql: ([value]) => `count(DISTINCT ${value})` },
  // Times.
  now: { takes: [0, 0], type: "DateTime", sql: () => "unixepoch()" },
  today: { takes: [0, 0], type: "DateTime", sql: () => `(unixepoch() / ${DAY_S} * ${DAY_S})` },
  todatetime: {
    takes: [1, 2],
    type: "DateTime",
    sql: ([value], [given]) =>
      given?.type === "String" ? `unixepoch(${value})` : `CAST(${value} AS INTEGER)`,
  },
  tounixtimestamp: { takes: [1, 1], type: "Int64", sql: ([time]) => `(${time})` },
  tostartofinterval: {
    takes: [2, 3],
    type: "DateTime",
    sql: ([time, interval]) => `(${time} / ${interval} * ${interval})`,
  },
  tostartofminute: startOf(MINUTE_S),
  tostartoffiveminutes: startOf(5 * MINUTE_S),
  tostartoftenminutes: startOf(10 * MINUTE_S),
  tostartoffifteenminutes: startOf(15 * MINUTE_S),
  tostartofhour: startOf(HOUR_S),
  tostartofday: startOf(DAY_S),
  tostartofmonth: startOfUnit("month"),
  tostartofyear: startOfUnit("year"),
  toyear: partOf("%Y"),
  tomonth: partOf("%m"),
  todayofmonth: partOf("%d"),
  todayofweek: partOf("%u"),
  tohour: partOf("%H"),
  tominute: partOf("%M"),
  tosecond: partOf("%S"),
  toyyyymm: partOf("%Y%m"),
  // Numbers.
  intdiv: {
    takes: [2, 2],
    type: "Int64",
    sql: ([left, right]) => `CAST(${left} / (${right}) AS INTEGER)`,
  },
  touint8: cast("INTEGER", "Int64"),
  touint32: cast("INTEGER", "Int64"),
  touint64: cast("INTEGER", "UInt64"),
  toint64: cast("INTEGER", "Int64"),
  tofloat64: cast("REAL", "Float64"),
  abs: same("abs"),
  round: { takes: [1, 2], type: "Float64", sql: call("round") },
  floor: { takes: [1, 1], type: "Float64", sql: call("floor") },
  ceil: { takes: [1, 1], type: "Float64", sql: call("ceil") },
  // Texts.
  tostring: {
    takes: [1, 1],
    type: "String",
    sql: ([value], [given]) =>
      given?.type === "DateTime" ? `datetime(${value}, 'unixepoch')` : `CAST(${value} AS TEXT)`,
  },
  lower: same("lower"),
  upper: same("upper"),
  length: { takes: [1, 1], type: "UInt64", sql: call("length") },
  empty: { takes: [1, 1], type: "UInt8", sql: ([text]) => `(${text} = '')` },
  notempty: { takes: [1, 1], type: "UInt8", sql: ([text]) => `(${text} <> '')` },
  substring: { takes: [2, 3], type: "String", sql: call("substr") },
  position: { takes: [2, 2], type: "UInt64", sql: call("instr") },
  startswith: {
    takes: [2, 2],
    type: "UInt8",
    sql: ([text, start]) => `(substr(${text}, 1, length(${start})) = ${start})`,
  },
  concat: { takes: [1, 20], type: "String", sql: (args) => `(${args.join(" || ")})` },
  if: { takes: [3, 3], type: ofSecond, sql: call("iif") },
};
