/**
 * What the gateway costs with warm leases: a deployed Worker against the same code bare, against the least gateway
 * that is possible, and against that gateway with what else it would need. All in one process each, so that it is
 * code that is compared; what a host's processes cost is in split.ts.
 */
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { differencesOf, ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { putWorker } from "../servers/deployed-worker.ts";

const CONNECTIONS = [1, 16] as const;
/** The least that a bare Worker may reach, with all that one process has, of what it reaches alone. */
const PROCESS_SHARE_MIN = 0.95;
/** The least that Switchback may reach of what a gateway reaches that has nothing to decide. */
const GATEWAY_SHARE_MIN: Target = { bound: "at least", value: 0.95 };
/** The most that deciding may add to one request, in microseconds. */
const GATEWAY_ADDS_MAX: Target = { bound: "at most", value: 20 };

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly host: string;
}

export async function benchmarkGateway(lab: Lab): Promise<Row[]> {
  const subjects = await startSubjects(lab);
  // Many short turns: what disturbs the machine for a second then disturbs all of a round.
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

const RAW = "bare Worker, raw workerd";
const BARE = "bare Worker, one process";
const FIXED = "fixed gateway";
const IDENTIFYING = "fixed gateway with three headers";
const ASKING = "fixed gateway that asks two objects";
const SWITCHBACK = "Switchback";
const SILENT = "Switchback without headers";

async function startSubjects(lab: Lab): Promise<Subject[]> {
  const raw = await lab.rawWorkerd();
  const bare = await lab.oneProcess("hello");
  const fixed = await lab.oneProcess("fixed-gateway");
  const identifying = await lab.oneProcess("identifying-gateway");
  const asking = await lab.oneProcess("asking-gateway");
  const switchback = await lab.oneProcess();
  const silent = await lab.oneProcess("switchback", {
    SWITCHBACK_IDENTIFY_VERSIONS: "off",
  });
  for (const host of [switchback, silent]) await putWorker(lab.api(host), "hello");
  return [
    { name: RAW, port: raw.port, host: "hello.localhost" },
    { name: BARE, port: bare.port, host: "hello.localhost" },
    { name: FIXED, port: fixed.port, host: "hello.localhost" },
    { name: IDENTIFYING, port: identifying.port, host: "hello.localhost" },
    { name: ASKING, port: asking.port, host: "hello.localhost" },
    { name: SWITCHBACK, port: switchback.port, host: "hello.localhost" },
    { name: SILENT, port: silent.port, host: "hello.localhost" },
  ];
}

function rowsOf(connections: number, reports: ReadonlyMap<string, readonly LoadReport[]>): Row[] {
  const with_ = `c=${connections}`;
  const rates = (name: string) => (reports.get(name) ?? []).map((r) => r.requestsPerSecond);
  const ratio = (above: string, below: string, target?: Target): Row => ({
    benchmark: "gateway",
    what: `${above} ÷ ${below}, ${with_}`,
    unit: "×",
    result: ratiosOf(rates(above), rates(below)),
    ...(target ? { target } : {}),
  });
  const medians = (name: string) => (reports.get(name) ?? []).map((r) => r.p50 * 1000);
  const added = (above: string, below: string, target?: Target): Row => ({
    benchmark: "gateway",
    what: `p50 of ${above} − ${below}, ${with_}`,
    unit: "µs",
    result: differencesOf(medians(above), medians(below)),
    ...(target ? { target } : {}),
  });
  return [
    ...[...reports].map(([name, of]): Row => ({
      benchmark: "gateway",
      what: `${name}, ${with_}`,
      unit: "req/s",
      result: spreadOf(rates(name)),
      p50: spreadOf(of.map((report) => report.p50)),
      p99: spreadOf(of.map((report) => report.p99)),
    })),
    ratio(BARE, RAW, { bound: "at least", value: PROCESS_SHARE_MIN }),
    ratio(SWITCHBACK, BARE),
    ratio(SILENT, FIXED, GATEWAY_SHARE_MIN),
    ratio(SWITCHBACK, IDENTIFYING, GATEWAY_SHARE_MIN),
    ratio(SWITCHBACK, FIXED, GATEWAY_SHARE_MIN),
    ratio(IDENTIFYING, FIXED),
    ratio(SWITCHBACK, ASKING),
    ...(connections === 1
      ? [
          added(SILENT, FIXED, GATEWAY_ADDS_MAX),
          added(SWITCHBACK, IDENTIFYING, GATEWAY_ADDS_MAX),
          added(SWITCHBACK, FIXED, GATEWAY_ADDS_MAX),
          added(IDENTIFYING, FIXED),
        ]
      : []),
  ];
}
