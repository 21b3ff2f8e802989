/**
 * `/metrics`: the supervisor asks its processes what they have counted, adds what it has counted itself, and answers
 * also while some of them are wedged or down.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import type { Placement } from "../../domain/containment/placement.ts";
import { METRICS_ASK_MS_MAX } from "../../domain/limits.ts";
import type { ControlProcess } from "../control-process.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Front } from "../front/front.ts";
import type { GatewayProcess } from "../gateway-process.ts";
import type { Traffic } from "../traffic.ts";
import { controlCountersOf } from "./control-report.ts";
import { exposition, type Labels, type Sample } from "./exposition.ts";
import { FAMILIES, type FamilyName } from "./families.ts";
import { countersOf, gaugesOf, parseReport, WorkerLabels } from "./gateway-report.ts";
import { GATEWAY_KINDS, type HostCounters } from "./host-counters.ts";
import { processSamples } from "./process-samples.ts";

export interface MetricsParts {
  readonly counters: HostCounters;
  readonly control: Pick<ControlProcess, "ask" | "pid" | "starts" | "isUp">;
  readonly gateways: { readonly alive: ReadonlySet<GatewayProcess> };
  readonly data: Pick<DataPlane, "stores" | "objects">;
  readonly placement: Pick<Placement, "suspects">;
  readonly traffic: () => Pick<Traffic, "counts" | "answers" | "holding">;
  readonly front: () => Pick<Front, "connections">;
  readonly launcherPid: number;
}

const NANOSECONDS_PER_MS = 1e6;
/** Between two looks at how late the event loop is, in milliseconds. */
const LAG_RESOLUTION_MS = 20;

export class Metrics {
  readonly #parts: MetricsParts;
  readonly #workers = new WorkerLabels();
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #collecting: Promise<Sample[]> | undefined;
  #controlName = "";

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#lag.enable();
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    const collected = await this.collect();
    const samples = [...collected, ...this.#ownSamples(), ...this.#parts.counters.samples];
    return exposition(FAMILIES, samples);
  }

  /** Asks every process; one round at a time, or an older answer could come after a newer one. */
  collect(): Promise<Sample[]> {
    return (this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = undefined;
    }));
  }

  stop(): void {
    this.#lag.disable();
  }

  async #collect(): Promise<Sample[]> {
    const { data, gateways, launcherPid } = this.#parts;
    const host = (process: "launcher" | "supervisor", pid: number) =>
      processSamples({ process, name: process, kind: "", pid, up: true });
    const collected = await Promise.all([
      host("launcher", launcherPid),
      host("supervisor", process.pid),
      this.#controlSamples(),
      ...data.stores.map(({ kind, pid }) =>
        processSamples({ process: "store", name: kind, kind, pid, up: pid !== undefined }),
      ),
      ...[...gateways.alive, ...data.objects].map((gateway) => this.#gatewaySamples(gateway)),
    ]);
    return collected.flat();
  }

  async #gatewaySamples(gateway: GatewayProcess): Promise<Sample[]> {
    const { name, kind, pid } = gateway;
    const answer = await gateway.ask("GET", "/metrics", METRICS_ASK_MS_MAX);
    const report = answer?.status === 200 ? parseReport(answer.text) : null;
    const ofProcess = await processSamples({
      process: "gateway",
      name,
      kind,
      pid,
      up: report !== null,
    });
    if (report === null) return ofProcess;
    const { totals } = this.#parts.counters;
    totals.take(name, countersOf(report, kind, this.#workers));
    const { gateways, data } = this.#parts;
    if (!gateways.alive.has(gateway) && !data.objects.includes(gateway)) totals.forget(name);
    return [...ofProcess, ...gaugesOf(report, name, kind)];
  }

  async #controlSamples(): Promise<Sample[]> {
    const { control, counters } = this.#parts;
    const { pid, starts } = control;
    const name = `control-${starts}`;
    const question = { method: "GET", path: "/metrics", timeoutMs: METRICS_ASK_MS_MAX };
    const answer = control.isUp ? await control.ask("internal", question) : undefined;
    const counted = answer?.status === 200 ? controlCountersOf(answer.text) : null;
    if (counted !== null) {
      if (this.#controlName !== name) counters.totals.forget(this.#controlName);
      this.#controlName = name;
      counters.totals.take(name, counted);
    }
    const up = counted !== null;
    return processSamples({ process: "control", name: "control", kind: "", pid, up });
  }

  #ownSamples(): Sample[] {
    const { control, data, gateways, placement, traffic, front } = this.#parts;
    const { counts, answers, holding } = traffic();
    const samples: Sample[] = [];
    const add = (name: FamilyName, value: number, labels: Labels = {}) =>
      samples.push({ name, labels, value });
    for (const quantile of [0.5, 0.99, 1]) {
      // What is measured is the time between two looks, not how much later the second came.
      const lagMs = this.#lag.percentile(quantile * 100) / NANOSECONDS_PER_MS - LAG_RESOLUTION_MS;
      const labels = { quantile: String(quantile) };
      add("switchback_event_loop_lag_seconds", Math.max(0, lagMs) / 1_000, labels);
    }
    this.#lag.reset();
    add("switchback_connections", front().connections);
    for (const to of ["api", "visitors", "events"] as const) {
      for (const [hundreds, value] of answers[to].entries()) {
        if (hundreds > 0) add("switchback_requests_total", value, { to, status: `${hundreds}xx` });
      }
    }
    for (const reason of ["lost", "overdue", "refused", "unavailable"] as const) {
      add("switchback_requests_failed_total", counts[reason], { reason });
    }
    add("switchback_requests_held_total", counts.held);
    add("switchback_requests_holding", holding);
    add("switchback_requests_retried_total", counts.again);
    for (const kind of GATEWAY_KINDS) {
      const up = [...gateways.alive, ...data.objects].filter(
        (gateway) => gateway.kind === kind && gateway.isUp,
      );
      add("switchback_gateways", up.length, { kind });
    }
    add("switchback_control_starts_total", control.starts);
    for (const { kind, starts } of data.stores)
      add("switchback_store_starts_total", starts, { kind });
    add("switchback_suspects", placement.suspects);
    return samples;
  }
}
