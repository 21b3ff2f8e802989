import { describe, expect, it, onTestFinished } from "vitest";
import { METRICS_WORKERS_MAX } from "../../../src/domain/limits.ts";
import type { GatewayKind, GatewayProcess } from "../../../src/host/gateway-process.ts";
import { HostCounters } from "../../../src/host/metrics/host-counters.ts";
import { Metrics } from "../../../src/host/metrics/metrics.ts";

interface Counts {
  readonly served?: number;
  readonly workers?: Record<string, { requests: number; errors: number }>;
}

const report = ({ served = 0, workers = {} }: Counts) => ({
  counters: {
    requests: { served },
    staleAnswers: 0,
    loads: 0,
    loadFailures: 0,
    evictions: 0,
    webSockets: 0,
    leaseAsks: 0,
    ledgerReads: 0,
  },
  gauges: { loadedVersions: 1, inFlight: 0, webSockets: 0, draining: 0 },
  workers,
  durationMs: { bounds: [1, 1000], counts: [served, 0, 0], sum: 500 },
});

/** A host on paper. Its gateways tell what they are given to tell; null: nothing in time. */
function host() {
  const alive = new Set<GatewayProcess>();
  const counters = new HostCounters();
  const control = { pid: undefined, starts: 1, isUp: true, said: { counters: [] as unknown[] } };
  const metrics = new Metrics({
    counters,
    control: {
      get pid() {
        return control.pid;
      },
      get starts() {
        return control.starts;
      },
      get isUp() {
        return control.isUp;
      },
      ask: async () => ({ status: 200, text: JSON.stringify(control.said) }),
    },
    gateways: { alive },
    data: { stores: [], objects: [] },
    placement: { suspects: 2 },
    traffic: () => ({
      counts: { held: 1, lost: 2, again: 3, overdue: 4, refused: 5, unavailable: 6 },
      answers: {
        api: [0, 0, 7, 0, 0, 0],
        visitors: [0, 1, 8, 0, 0, 9],
        events: [0, 0, 3, 0, 0, 0],
      },
      holding: 0,
    }),
    front: () => ({ connections: 11 }),
    launcherPid: process.pid,
  });
  onTestFinished(() => metrics.stop());
  return {
    control,
    counters,
    metrics,
    gateway: (name: string, kind: GatewayKind, told: { counts: Counts | null }) => {
      const gateway = {
        name,
        kind,
        pid: undefined,
        isUp: true,
        ask: async () =>
          told.counts === null
            ? undefined
            : { status: 200, text: JSON.stringify(report(told.counts)) },
      } as unknown as GatewayProcess;
      alive.add(gateway);
      return {
        gateway,
        end: () => {
          alive.delete(gateway);
          counters.totals.forget(name);
        },
      };
    },
  };
}

describe("the metrics of a host", () => {
  it("tell a wedged gateway by switchback_up 0, and everything else all the same", async () => {
    const { gateway, metrics } = host();
    gateway("g1", "pool", { counts: null });
    gateway("g2", "pool", { counts: { served: 4 } });
    const text = await metrics.text();
    expect(text).toContain('switchback_up{process="gateway",name="g1",kind="pool"} 0\n');
    expect(text).toContain('switchback_up{process="gateway",name="g2",kind="pool"} 1\n');
    expect(text).toContain('switchback_up{process="supervisor",name="supervisor",kind=""} 1\n');
    expect(text).toContain('switchback_gateway_requests_total{kind="pool",outcome="served"} 4\n');
    expect(text).toContain('switchback_gateways{kind="pool"} 2\n');
    expect(text).toContain('switchback_requests_total{to="visitors",status="5xx"} 9\n');
    expect(text).toContain('switchback_requests_failed_total{reason="unavailable"} 6\n');
    expect(text).toContain("switchback_suspects 2\n");
    expect(text).toContain("switchback_connections 11\n");
  });

  it("count on when a gateway is replaced", async () => {
    const { gateway, metrics } = host();
    const first = gateway("g1", "pool", { counts: { served: 4 } });
    await metrics.collect();
    first.end();
    gateway("g2", "pool", { counts: { served: 1 } });
    expect(await metrics.text()).toContain(
      'switchback_gateway_requests_total{kind="pool",outcome="served"} 5\n',
    );
  });

  it("count on when the control process is started again, and tell when it is down", async () => {
    const { control, metrics } = host();
    const asks = (value: number) => ({ name: "asks", labels: { ask: "version" }, value });
    const unknown = { name: "unheard_of", labels: {}, value: 1 };
    control.said = { counters: [asks(3), unknown] };
    await metrics.collect();
    control.starts = 2;
    // More than before, and counted from nothing all the same.
    control.said = { counters: [asks(7)] };
    const text = await metrics.text();
    expect(text).toContain('switchback_control_asks_total{ask="version"} 10\n');
    expect(text).toContain('switchback_up{process="control",name="control",kind=""} 1\n');
    expect(text).not.toContain("unheard_of");
    control.isUp = false;
    expect(await metrics.text()).toContain(
      'switchback_up{process="control",name="control",kind=""} 0\n',
    );
  });

  it("name no more Workers than the limit, over all gateways, and count the others together", async () => {
    const { gateway, metrics } = host();
    const workers = (prefix: string) =>
      Object.fromEntries(
        Array.from({ length: METRICS_WORKERS_MAX }, (_, n) => [
          `${prefix}${n}`,
          { requests: 1, errors: 0 },
        ]),
      );
    gateway("g1", "pool", { counts: { workers: workers("a") } });
    await metrics.collect();
    gateway("g2", "pool", { counts: { workers: workers("b") } });
    const lines = (await metrics.text()).split("\n");
    const named = lines.filter((line) => line.startsWith("switchback_worker_requests_total{"));
    expect(named).toHaveLength(METRICS_WORKERS_MAX + 1);
    expect(named).toContain(`switchback_worker_requests_total{worker=""} ${METRICS_WORKERS_MAX}`);
  });

  it("take nothing from a gateway whose answer is no report", async () => {
    const { gateway, metrics } = host();
    const { gateway: odd } = gateway("g1", "pool", { counts: {} });
    Object.assign(odd, { ask: async () => ({ status: 200, text: '{"counters":{}}' }) });
    expect(await metrics.text()).toContain(
      'switchback_up{process="gateway",name="g1",kind="pool"} 0\n',
    );
  });

  it("begin at 0, so that the first incident is an increase", async () => {
    const { counters, metrics } = host();
    const before = await metrics.text();
    for (const kind of ["pool", "quarantine", "trial"]) {
      expect(before).toContain(`switchback_gateway_starts_total{kind="${kind}"} 0\n`);
      expect(before).toContain(`switchback_gateway_stale_answers_total{kind="${kind}"} 0\n`);
      for (const cause of ["blocked", "crashed", "memory"]) {
        const labels = `kind="${kind}",cause="${cause}"`;
        expect(before).toContain(`switchback_gateway_losses_total{${labels}} 0\n`);
      }
    }
    for (const reason of ["blocked", "crashed", "memory"]) {
      expect(before).toContain(`switchback_versions_stopped_total{reason="${reason}"} 0\n`);
      expect(before).toContain(`switchback_recovery_seconds_count{cause="${reason}"} 0\n`);
    }
    expect(before).toContain("switchback_log_lines_suppressed_total 0\n");
    counters.gatewayStarted("pool");
    counters.gatewayLost({ name: "g1", kind: "pool" }, "crashed", 0);
    counters.versionStopped("memory");
    const after = await metrics.text();
    expect(after).toContain('switchback_gateway_losses_total{kind="pool",cause="crashed"} 1\n');
    expect(after).toContain('switchback_versions_stopped_total{reason="memory"} 1\n');
    // Once, and not beside the one that was 0.
    expect(after.split("\n")).toHaveLength(before.split("\n").length);
  });

  it("tell how long it took from the first sign of a loss until another gateway served", async () => {
    const { counters, metrics } = host();
    const wedged = { name: "g1", kind: "pool" } as const;
    counters.silent(wedged, 1_000);
    counters.gatewayLost(wedged, "blocked", 1_600);
    counters.replaced(wedged, 1_700);
    const text = await metrics.text();
    expect(text).toContain('switchback_gateway_losses_total{kind="pool",cause="blocked"} 1\n');
    expect(text).toContain('switchback_recovery_seconds_sum{cause="blocked"} 0.7\n');
    expect(text).toContain('switchback_recovery_seconds_bucket{cause="blocked",le="0.5"} 0\n');
    expect(text).toContain('switchback_recovery_seconds_bucket{cause="blocked",le="0.75"} 1\n');
  });
});
