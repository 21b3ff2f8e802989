/**
 * A static asset that the gateway has in memory, against a bare Worker that says the same and against a deployed one:
 * all in one process each, so that it is code that is compared.
 */
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { putAssets } from "../servers/deployed-assets.ts";
import { putWorker } from "../servers/deployed-worker.ts";

const CONNECTIONS = [1, 16] as const;
/** The least that assets may reach of what a bare Worker reaches that sends the same headers. */
const BARE_SHARE_MIN: Target = { bound: "at least", value: 0.8 };

const BARE = "bare Worker, one process";
const HEADERS = "bare Worker with an asset's headers";
const WORKER = "deployed Worker";
const ASSET = "static asset";

export async function benchmarkAssets(lab: Lab): Promise<Row[]> {
  const bare = await lab.oneProcess("hello");
  const headers = await lab.oneProcess("hello-asset");
  const switchback = await lab.oneProcess();
  await putWorker(lab.api(switchback), "hello");
  await putAssets(lab.api(switchback), switchback.port, "site", { "/index.html": "Hello" });
  const subjects = [
    { name: BARE, port: bare.port, host: "hello.localhost" },
    { name: HEADERS, port: headers.port, host: "hello.localhost" },
    { name: WORKER, port: switchback.port, host: "hello.localhost" },
    { name: ASSET, port: switchback.port, host: "site.localhost" },
  ];
  const rounds = lab.quick ? 3 : 25;
  const measureMs = lab.quick ? 100 : 400;
  const warmMs = lab.quick ? 50 : 100;
  const rows: Row[] = [];
  for (const connections of CONNECTIONS) {
    const reports = new Map(subjects.map(({ name }) => [name, [] as LoadReport[]]));
    // Round 0 is for the compilers.
    for (let round = 0; round <= rounds; round++) {
      for (const { name, port, host } of shuffled(subjects)) {
        const order = { port, hosts: [host], connections, warmMs, measureMs, expected: "Hello" };
        const report = await lab.load.run(order);
        if (round > 0) reports.get(name)?.push(report);
      }
    }
    rows.push(...rowsOf(connections, reports));
  }
  return rows;
}

function rowsOf(connections: number, reports: ReadonlyMap<string, readonly LoadReport[]>): Row[] {
  const with_ = `c=${connections}`;
  const rates = (name: string) => (reports.get(name) ?? []).map((r) => r.requestsPerSecond);
  const ratio = (above: string, below: string, target?: Target): Row => ({
    benchmark: "assets",
    what: `${above} ÷ ${below}, ${with_}`,
    unit: "×",
    result: ratiosOf(rates(above), rates(below)),
    ...(target ? { target } : {}),
  });
  return [
    ...[...reports].map(([name, of]): Row => ({
      benchmark: "assets",
      what: `${name}, ${with_}`,
      unit: "req/s",
      result: spreadOf(rates(name)),
      p50: spreadOf(of.map((report) => report.p50)),
      p99: spreadOf(of.map((report) => report.p99)),
    })),
    ratio(ASSET, HEADERS, BARE_SHARE_MIN),
    ratio(ASSET, BARE),
    ratio(ASSET, WORKER),
  ];
}
