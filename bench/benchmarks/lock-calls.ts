/** How often one gateway isolate asks a Worker's lock, by how many requests it gets. */
import { setTimeout as sleep } from "node:timers/promises";
import { LEASE_MS_ONE_MACHINE } from "../../src/domain/limits.ts";
import type { Lab } from "../measure/lab.ts";
import { shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import type { ApiClient } from "../servers/api-client.ts";
import { putWorker } from "../servers/deployed-worker.ts";

/** Requests per second, evenly spaced; null: one at a time, as fast as they are answered. */
const RATES = [1, 5, 20, 100, null] as const;
/** An isolate asks ahead once half of its lease is over, so it never asks more often than this per second. */
const CALLS_MAX = 2_000 / LEASE_MS_ONE_MACHINE;
/** A span may begin just before an ask and end just after one. */
const EDGE = 1;

export async function benchmarkLockCalls(lab: Lab): Promise<Row[]> {
  const host = await lab.host("counting-switchback", lab.directory(), {
    SWITCHBACK_GATEWAYS: "1",
  });
  const api = lab.api(host);
  await putWorker(api, "hello");
  const spanMs = lab.quick ? 500 : 3_000;
  const subjects = RATES.map((rate) => ({
    rate,
    asks: [] as number[],
    requests: [] as number[],
  }));
  for (let round = 1; round <= (lab.quick ? 1 : 5); round++) {
    for (const { rate, asks, requests } of shuffled(subjects)) {
      // What the span before has left is over by then.
      await sleep(2 * LEASE_MS_ONE_MACHINE);
      await countsOf(api);
      const startedAt = performance.now();
      const sent =
        rate === null
          ? await askAtOnce(lab, host.port, spanMs)
          : await askEvenly(api, rate, spanMs);
      const seconds = (performance.now() - startedAt) / 1000;
      asks.push((await countsOf(api)).deployment / seconds);
      requests.push(sent / seconds);
    }
  }
  return subjects.map(({ rate, asks, requests }) => ({
    benchmark: "lock-calls",
    what: `one isolate, ${rate === null ? `${Math.round(spreadOf(requests).median)} requests/s as they come` : `${rate} requests/s`}`,
    unit: "calls/s",
    result: spreadOf(asks),
    target: {
      bound: "at most",
      value: Math.min(rate ?? CALLS_MAX, CALLS_MAX) + EDGE / (spanMs / 1000),
    },
  }));
}

async function countsOf(api: ApiClient): Promise<{ readonly deployment: number }> {
  return JSON.parse((await api.visit("localhost", "/lock-calls")).body) as {
    readonly deployment: number;
  };
}

async function askEvenly(api: ApiClient, rate: number, spanMs: number): Promise<number> {
  const startedAt = performance.now();
  const requests = Math.max(1, Math.floor((rate * spanMs) / 1000));
  for (let i = 0; i < requests; i++) {
    await sleep(Math.max(0, startedAt + (i * 1000) / rate - performance.now()));
    await api.visit("hello.localhost");
  }
  await sleep(Math.max(0, startedAt + spanMs - performance.now()));
  return requests;
}

async function askAtOnce(lab: Lab, port: number, measureMs: number): Promise<number> {
  const order = { port, hosts: ["hello.localhost"], connections: 1, warmMs: 0, measureMs };
  const { requestsPerSecond } = await lab.load.run({ ...order, expected: "Hello" });
  return (requestsPerSecond * measureMs) / 1000;
}
