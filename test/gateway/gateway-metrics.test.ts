import { describe, expect, it } from "vitest";
import type { WorkerId } from "../../src/domain/ids.ts";
import { METRICS_WORKERS_MAX } from "../../src/domain/limits.ts";
import { GatewayMetrics } from "../../src/gateway/gateway-metrics.ts";
import { answering, fakeSwitchback } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
const reportOf = (metrics: GatewayMetrics) =>
  metrics.report({ loadedVersions: 0, draining: 0, webSockets: 0, webSocketsEver: 0 });

function setUp(source: string, options = {}) {
  const switchback = fakeSwitchback(options);
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, source);
  switchback.deploy(workerId, [versionId, 100]);
  return { ...switchback, workerId, versionId };
}

describe("a gateway's report", () => {
  it("counts requests by how they ended, and by Worker", async () => {
    const { fetch, gateway, workerId } = setUp(
      `export default { fetch(request) {
         if (request.method === "PUT") throw new Error("boom");
         return new Response("x", { status: 500 });
       } }`,
    );
    // An error that a Worker answers with is an answer.
    await fetch(HOST);
    await fetch(HOST);
    await fetch(HOST, { method: "PUT" });
    await fetch("http://none.example/");
    const { counters, workers, durationMs, gauges } = gateway.report();
    expect(counters.requests).toEqual({ served: 2, worker_threw: 1, no_such_host: 1 });
    expect(workers).toEqual({ [workerId]: { requests: 3, errors: 1 } });
    expect(durationMs.counts.reduce((sum, count) => sum + count)).toBe(4);
    expect(gauges).toMatchObject({ inFlight: 0, loadedVersions: 1, draining: 0 });
  });

  it("counts a preview as a request, and as no traffic of its Worker", async () => {
    const { fetch, gateway, previews, versionId, workerId } = setUp(answering(`"x"`));
    previews.set(`next-${workerId}`, versionId);
    await fetch("http://none-web.workers.example/");
    await fetch("http://next-web.workers.example/");
    const { counters, workers } = gateway.report();
    expect(counters.requests).toEqual({ preview_not_found: 1, served: 1 });
    expect(workers).toEqual({});
  });

  it("counts what is in flight while it is", async () => {
    const { fetch, gateway } = setUp(
      `export default { fetch: async () => { await scheduler.wait(20); return new Response(); } }`,
    );
    const answers = [fetch(HOST), fetch(HOST)];
    expect(gateway.report().gauges.inFlight).toBe(2);
    await Promise.all(answers);
    expect(gateway.report().gauges.inFlight).toBe(0);
  });

  it("counts loads, those that failed, and what was unloaded", async () => {
    const { fetch, gateway, deploy, version, workerId, scope, settled } = setUp(answering(`"x"`));
    await fetch(HOST);
    await fetch(HOST);
    deploy(workerId, [version(workerId, `throw new Error("boom")`), 100]);
    await fetch(HOST);
    gateway.evict(scope, "memory");
    await settled();
    const { counters } = gateway.report();
    expect(counters).toMatchObject({ loads: 2, loadFailures: 1, evictions: 2 });
    expect(gateway.report().gauges.loadedVersions).toBe(0);
  });

  it("counts questions to the locks, readings of the ledger, and answers that may be stale", async () => {
    const { fetch, gateway, cut } = setUp(answering(`"x"`));
    await fetch(HOST);
    expect(gateway.report().counters).toMatchObject({ leaseAsks: 2, ledgerReads: 0 });
    const { restore } = cut("lock");
    await fetch(HOST);
    expect(gateway.report().counters.ledgerReads).toBeGreaterThan(0);
    restore();
    cut("lock", "ledger");
    expect((await fetch(HOST)).headers.has("x-switchback-stale")).toBe(true);
    expect(gateway.report().counters.staleAnswers).toBe(1);
  });

  it("is plain data that JSON carries as it is", async () => {
    const { fetch, gateway } = setUp(answering(`"x"`));
    await fetch(HOST);
    const report = gateway.report();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe("counting", () => {
  it("puts a duration into the first bucket whose bound it does not pass", () => {
    const metrics = new GatewayMetrics();
    for (const ms of [0, 1, 1.5, 2, 10_000, 10_001]) metrics.count("served", null, ms);
    const { bounds, counts, sum } = reportOf(metrics).durationMs;
    expect(counts.length).toBe(bounds.length + 1);
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 2, 1, 1]);
    expect(sum).toBe(20_005.5);
  });

  it("tells so many Workers apart and no more; nothing is lost", () => {
    const metrics = new GatewayMetrics();
    for (let n = 0; n < METRICS_WORKERS_MAX + 50; n++) {
      metrics.count("worker_threw", `w${n}` as WorkerId, 1);
    }
    metrics.count("served", "w0" as WorkerId, 1);
    const { workers } = reportOf(metrics);
    expect(Object.keys(workers).length).toBe(METRICS_WORKERS_MAX + 1);
    expect(workers["w0"]).toEqual({ requests: 2, errors: 1 });
    expect(workers[""]).toEqual({ requests: 50, errors: 50 });
  });
});
