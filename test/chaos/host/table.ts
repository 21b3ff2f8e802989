/** A report for people. */
import type { HostChaosReport } from "./run.ts";

/** Everything that must not be; a sentence each. */
export function faultsOf(report: HostChaosReport): string[] {
  return [
    ...report.violations,
    ...report.hangs.map((hang) => `hang: ${hang}`),
    ...report.stuck.map((what) => `stuck: ${what}`),
    ...report.leftOver.map((what) => `left over after the end: ${what}`),
    ...(report.exit === 0 ? [] : [`the host ended with ${report.exit} instead of 0`]),
  ];
}

/** Markdown. Times are milliseconds from the kill of that process alone. */
export function tableOf(report: HostChaosReport): string {
  const rows = [...report.byKind].map(([kind, { kills, pauses, servedMs, wholeMs }]) =>
    [kind, kills, pauses, ...percentiles(servedMs), ...percentiles(wholeMs)].join(" | "),
  );
  const lost = report.violations.filter((sentence) => sentence.includes("was acknowledged as"));
  return [
    "| process | kills | pauses | all served again p50 | p99 | all processes back p50 | p99 |",
    "|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
    "",
    `${report.kills} kills in ${Math.round(report.seconds)} s; ${report.reads} checked reads, ` +
      `${report.violations.length} violations; ${report.acknowledged} deployments acknowledged ` +
      `(${report.unanswered} times asked again, ${report.refused.length} refused), ${lost.length} lost; ` +
      `${report.uploads} uploads; ${report.hangs.length} hangs; ${report.stuck.length} stuck.`,
    `Visits: ${JSON.stringify(report.visits)}`,
  ].join("\n");
}

function percentiles(all: readonly number[]): string[] {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return [at(0.5), at(0.99)].map((ms) => (ms === undefined ? "" : String(Math.round(ms))));
}
