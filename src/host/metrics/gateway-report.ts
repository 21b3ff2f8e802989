/** What a gateway counts, as it tells it, and as metrics. */
import * as z from "zod";
import { METRICS_WORKERS_MAX } from "../../domain/limits.ts";
import type { GatewayKind } from "../gateway-process.ts";
import { histogram, type Labels, type Sample } from "./exposition.ts";
import type { FamilyName } from "./families.ts";

const count = z.number().min(0);
const Report = z.object({
  counters: z.object({
    requests: z.record(z.string(), count),
    staleAnswers: count,
    loads: count,
    loadFailures: count,
    evictions: count,
    webSockets: count,
    leaseAsks: count,
    ledgerReads: count,
  }),
  gauges: z.object({
    loadedVersions: count,
    inFlight: count,
    webSockets: count,
    draining: z.number(),
  }),
  workers: z.record(z.string(), z.object({ requests: count, errors: count })),
  durationMs: z.object({ bounds: z.array(z.number()), counts: z.array(count), sum: count }),
});
export type Report = z.infer<typeof Report>;

/** Null for what is not a report. */
export function parseReport(text: string): Report | null {
  try {
    return Report.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Which Workers have a label of their own: the first so many, over all gateways. */
export class WorkerLabels {
  readonly #known = new Set<string>();

  of(worker: string): string {
    if (this.#known.has(worker)) return worker;
    if (this.#known.size >= METRICS_WORKERS_MAX) return "";
    this.#known.add(worker);
    return worker;
  }
}

const sample = (name: FamilyName, labels: Labels, value: number): Sample => ({
  name,
  labels,
  value,
});

/** Those of a gateway's counters that have no label but its kind. */
const BY_KIND = {
  staleAnswers: "switchback_gateway_stale_answers_total",
  loads: "switchback_gateway_version_loads_total",
  loadFailures: "switchback_gateway_version_load_failures_total",
  evictions: "switchback_gateway_version_evictions_total",
  webSockets: "switchback_gateway_websockets_total",
  leaseAsks: "switchback_gateway_lease_asks_total",
  ledgerReads: "switchback_gateway_ledger_reads_total",
} as const satisfies Record<keyof Omit<Report["counters"], "requests">, FamilyName>;

/** For a kind of which there has been no gateway yet. */
export const countersAtZero = (kind: GatewayKind): Sample[] =>
  Object.values(BY_KIND).map((name) => sample(name, { kind }, 0));

/** What has been counted since the gateway started. */
export function countersOf(report: Report, kind: GatewayKind, workers: WorkerLabels): Sample[] {
  const { counters, durationMs } = report;
  const seconds = {
    bounds: durationMs.bounds.map((ms) => ms / 1_000),
    counts: durationMs.counts,
    sum: durationMs.sum / 1_000,
  };
  return [
    ...Object.entries(counters.requests).map(([outcome, value]) =>
      sample("switchback_gateway_requests_total", { kind, outcome }, value),
    ),
    ...Object.entries(BY_KIND).map(([counter, name]) =>
      sample(name, { kind }, counters[counter as keyof typeof BY_KIND]),
    ),
    ...Object.entries(report.workers).flatMap(([id, { requests, errors }]) => {
      const labels = { worker: workers.of(id) };
      return [
        sample("switchback_worker_requests_total", labels, requests),
        sample("switchback_worker_errors_total", labels, errors),
      ];
    }),
    ...histogram("switchback_gateway_request_duration_seconds", { kind }, seconds),
  ];
}

/** How the gateway is now. */
export function gaugesOf({ gauges }: Report, name: string, kind: GatewayKind): Sample[] {
  const labels = { name, kind };
  return [
    sample("switchback_gateway_loaded_versions", labels, gauges.loadedVersions),
    sample("switchback_gateway_requests_in_flight", labels, gauges.inFlight),
    sample("switchback_gateway_websockets", labels, gauges.webSockets),
    sample("switchback_gateway_draining", labels, gauges.draining),
  ];
}
