/** Outcomes as Markdown tables. */
import type { Latencies } from "./latencies.ts";
import type { Outcome, Scenario } from "./run.ts";

export function formatTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...body.map(line)].join("\n");
}

export const SCALING_HEAD: readonly string[] = [
  "Isolates",
  "Requests/s each",
  "Lease",
  "Drift",
  "Acknowledged after, p50 / p99 ms",
  "of",
  "Lock calls/s",
  "Turned away/s",
  "Added at rest, p50 / p99 ms",
  "Added in a deployment, p50 / p99 ms",
  "Refused",
  "Stale",
  "Back",
];

export function scalingRow(scenario: Scenario, outcome: Outcome): readonly string[] {
  const { acknowledgement, replicas } = outcome;
  const via = replicas === 0 ? "" : ` (${replicas} replicas)`;
  const lease = `${scenario.leaseMs / 1_000} s`;
  const deployments = acknowledgement.count + outcome.unacknowledged;
  return [
    scenario.isolates.toLocaleString("en") + via,
    String(scenario.rate),
    scenario.replicaLeaseMs === null ? lease : `${scenario.replicaLeaseMs / 1_000} s / ${lease}`,
    `${scenario.driftPermille / 10} %`,
    quantiles(acknowledgement),
    `${acknowledgement.count}/${deployments}`,
    whole(outcome.lockCallsPerSecond),
    whole(outcome.turnedAwayPerSecond),
    quantiles(outcome.atRest),
    quantiles(outcome.changing),
    outcome.refused === 0 ? "0" : percent(outcome.refused / outcome.requests),
    whole(outcome.stale),
    whole(outcome.stepsBack),
  ];
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en");

const percent = (share: number): string =>
  share < 0.0001 ? "< 0.01 %" : `${(share * 100).toFixed(2)} %`;

function quantiles(latencies: Latencies): string {
  if (latencies.count === 0) return "–";
  return `${whole(latencies.quantile(0.5))} / ${whole(latencies.quantile(0.99))}`;
}
