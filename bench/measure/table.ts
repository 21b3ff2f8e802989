/** Results as one Markdown table. */
import type { Spread } from "./statistics.ts";

/** Held against the median. */
export interface Target {
  readonly bound: "at least" | "at most";
  readonly value: number;
}

export interface Row {
  readonly benchmark: string;
  readonly what: string;
  readonly unit: "req/s" | "calls/s" | "ms" | "µs" | "MB" | "×";
  readonly result: Spread;
  /** Latency of single requests, milliseconds. */
  readonly p50?: Spread;
  readonly p99?: Spread;
  readonly target?: Target;
}

const HEAD = ["Benchmark", "What", "Result", "Unit", "p50 ms", "p99 ms", "n", "Target"];

/** `judge`: say whether targets are met. */
export function formatTable(rows: readonly Row[], judge: boolean): string {
  const body = rows.map((row) => [
    row.benchmark,
    row.what,
    formatSpread(row.result),
    row.unit,
    row.p50 ? formatSpread(row.p50) : "",
    row.p99 ? formatSpread(row.p99) : "",
    String(row.result.samples),
    row.target ? formatTarget(row.target, judge ? row.result.median : undefined) : "",
  ]);
  const widths = HEAD.map((_, column) =>
    Math.max(...[HEAD, ...body].map((cells) => cells[column]?.length ?? 0)),
  );
  const print = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [print(HEAD), rule, ...body.map(print)].join("\n");
}

function formatTarget({ bound, value: limit }: Target, value: number | undefined): string {
  if (value === undefined) return `${bound} ${formatNumber(limit)}`;
  const met = bound === "at least" ? value >= limit : value <= limit;
  return `${bound} ${formatNumber(limit)}: ${met ? "met" : "MISSED"}`;
}

function formatSpread({ median, min, max, samples }: Spread): string {
  if (samples === 1) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three digits that count; whole numbers from 100 on. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
