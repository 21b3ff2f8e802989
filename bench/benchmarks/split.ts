/**
 * What it costs that a host is several processes: throughput, latency and CPU time of a trivial Worker with warm
 * leases, with one gateway and with two, against the same script in one process. And what it is good for: wedge.ts.
 */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMsOf } from "../measure/cpu-time.ts";
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { differencesOf, ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { putWorker } from "../servers/deployed-worker.ts";
import type { HostProcess } from "../servers/host-process.ts";
import { measureWedges } from "./wedge.ts";

const CONNECTIONS = [1, 16, 64] as const;
const WORKERS = Array.from({ length: 8 }, (_, i) => `worker-${i}`);
/** Many Workers have their homes in different gateways; one that is hot gets help from the others. */
const LOADS = [
  { text: `${WORKERS.length} Workers`, hosts: WORKERS.map((name) => `${name}.localhost`) },
  { text: "one hot Worker", hosts: ["worker-0.localhost"] },
] as const;
/** The least that the host may reach of what one process reaches. */
const SPLIT_SHARE_MIN: Target = { bound: "at least", value: 0.9 };
/** The number of connections for which that is wanted. */
const SPLIT_SHARE_CONNECTIONS = 16;

const ONE = "one process";
const gatewaysText = (gateways: number) => `${gateways} gateway${gateways === 1 ? "" : "s"}`;
const SPLITS = [1, 2].map((gateways) => ({ gateways, name: gatewaysText(gateways) }));
/** What `npm start` runs here without a flag, or comes nearest to it. */
const DEFAULT = gatewaysText(Math.min(availableParallelism(), 2));

interface Subject {
  readonly name: string;
  readonly host: HostProcess;
}

interface Sample extends LoadReport {
  /** Of all processes together, in microseconds; null where it is not known. */
  readonly cpuPerAnswer: number | null;
}

export async function benchmarkSplit(lab: Lab): Promise<Row[]> {
  return [...(await measureThroughput(lab)), ...(await measureWedges(lab))];
}

async function measureThroughput(lab: Lab): Promise<Row[]> {
  const subjects = await startSubjects(lab);
  const rounds = lab.quick ? 2 : 15;
  const rows = await measureRest(lab, subjects);
  for (const { text, hosts } of LOADS) {
    for (const connections of CONNECTIONS) {
      const samples = new Map(subjects.map(({ name }) => [name, [] as Sample[]]));
      // Round 0 is for the compilers.
      for (let round = 0; round <= rounds; round++) {
        for (const { name, host } of shuffled(subjects)) {
          const sample = await loadOnce(lab, host, hosts, connections);
          if (round > 0) samples.get(name)?.push(sample);
        }
      }
      rows.push(...rowsOf(`${text}, c=${connections}`, connections, samples));
    }
  }
  for (const { host } of subjects) await host.stop();
  return rows;
}

/** What the processes cost while nobody comes: probes, looks at memory, timers. */
async function measureRest(lab: Lab, subjects: readonly Subject[]): Promise<Row[]> {
  const spanMs = lab.quick ? 500 : 2_000;
  const rests = subjects.map(({ name, host }) => ({
    name,
    pids: host.processes().all,
    cpuMs: [] as number[],
  }));
  // All at once: nobody disturbs anybody who does nothing.
  for (let round = 0; round <= (lab.quick ? 1 : 5); round++) {
    const before = rests.map(({ pids }) => cpuMsOf(pids));
    const startedAt = performance.now();
    await sleep(spanMs);
    const seconds = (performance.now() - startedAt) / 1_000;
    for (const [i, { pids, cpuMs }] of rests.entries()) {
      const [from, to] = [before[i] ?? null, cpuMsOf(pids)];
      // Round 0 is for what the load before has left to do.
      if (round > 0 && from !== null && to !== null) cpuMs.push((to - from) / seconds);
    }
  }
  return rests.flatMap(({ name, cpuMs }): Row[] => {
    if (cpuMs.length === 0) return [];
    const what = `CPU time per second at rest, ${name}`;
    return [{ benchmark: "split", what, unit: "ms", result: spreadOf(cpuMs) }];
  });
}

async function startSubjects(lab: Lab): Promise<Subject[]> {
  const subjects = [{ name: ONE, host: await lab.oneProcess() }];
  for (const { gateways, name } of SPLITS) {
    const settings = { SWITCHBACK_GATEWAYS: String(gateways) };
    subjects.push({ name, host: await lab.host("switchback", lab.directory(), settings) });
  }
  for (const { host } of subjects) {
    const api = lab.api(host);
    for (const worker of WORKERS) await putWorker(api, worker);
    // Every version loaded in every gateway, and what runs on a compiler's first draft compiled.
    await loadOnce(lab, host, LOADS[0].hosts, 64, lab.quick ? 200 : 2_000);
    await loadOnce(lab, host, LOADS[1].hosts, 64, lab.quick ? 200 : 1_000);
  }
  return subjects;
}

async function loadOnce(
  lab: Lab,
  host: HostProcess,
  hosts: readonly string[],
  connections: number,
  measureMs = lab.quick ? 100 : 500,
): Promise<Sample> {
  const { all } = host.processes();
  const before = cpuMsOf(all);
  const report = await lab.load.run({
    port: host.port,
    hosts,
    connections,
    warmMs: lab.quick ? 50 : 150,
    measureMs,
    expected: "Hello",
  });
  const after = cpuMsOf(all);
  const known = before !== null && after !== null;
  return { ...report, cpuPerAnswer: known ? ((after - before) * 1_000) / report.answers : null };
}

function rowsOf(
  load: string,
  connections: number,
  samples: ReadonlyMap<string, readonly Sample[]>,
): Row[] {
  const row = (what: string, unit: Row["unit"], result: Row["result"]): Row => ({
    benchmark: "split",
    what: `${what}, ${load}`,
    unit,
    result,
  });
  const of = (name: string) => samples.get(name) ?? [];
  const rates = (name: string) => of(name).map((sample) => sample.requestsPerSecond);
  const medians = (name: string) => of(name).map((sample) => sample.p50 * 1_000);
  const cpu = (name: string) =>
    of(name).flatMap(({ cpuPerAnswer }) => (cpuPerAnswer === null ? [] : [cpuPerAnswer]));
  const hasCpu = [...samples.keys()].every((name) => cpu(name).length > 0);
  return [
    ...[...samples].map(([name, reports]): Row => ({
      ...row(name, "req/s", spreadOf(rates(name))),
      p50: spreadOf(reports.map((report) => report.p50)),
      p99: spreadOf(reports.map((report) => report.p99)),
    })),
    ...SPLITS.map(({ name }): Row => ({
      ...row(`${name} ÷ ${ONE}`, "×", ratiosOf(rates(name), rates(ONE))),
      ...(name === DEFAULT && connections === SPLIT_SHARE_CONNECTIONS
        ? { target: SPLIT_SHARE_MIN }
        : {}),
    })),
    ...(connections === 1
      ? SPLITS.map(({ name }) =>
          row(`p50 of ${name} − ${ONE}`, "µs", differencesOf(medians(name), medians(ONE))),
        )
      : []),
    ...(hasCpu
      ? [
          ...[...samples.keys()].map((name) =>
            row(`CPU time per request, ${name}`, "µs", spreadOf(cpu(name))),
          ),
          ...SPLITS.map(({ name }) =>
            row(`CPU time per request, ${name} ÷ ${ONE}`, "×", ratiosOf(cpu(name), cpu(ONE))),
          ),
        ]
      : []),
  ];
}
