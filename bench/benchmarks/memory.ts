/** Resident memory of the two processes of one host: at rest, with many Workers loaded, under load. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../measure/lab.ts";
import { residentMegabytes } from "../measure/resident-memory.ts";
import { spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { putWorker } from "../servers/deployed-worker.ts";

/** Until a started host has done what it does at start. */
const SETTLE_MS = 1_500;

export async function benchmarkMemory(lab: Lab): Promise<Row[]> {
  const directory = lab.directory();
  const workers = Array.from({ length: lab.quick ? 5 : 100 }, (_, i) => `worker-${i}`);
  const first = await lab.host("switchback", directory);
  const setup = lab.api(first);
  for (const name of workers) await putWorker(setup, name);
  await first.stop();

  const seen = { supervisor: [] as number[], idle: [] as number[] };
  const loaded = { total: [] as number[], each: [] as number[], afterLoad: [] as number[] };
  // A new process each time: what one has taken it does not give back.
  for (let round = 1; round <= (lab.quick ? 1 : 3); round++) {
    const host = await lab.host("switchback", directory);
    await sleep(SETTLE_MS);
    seen.idle.push(residentMegabytes(host.runtimePid));
    const api = lab.api(host);
    const [one = "", ...others] = workers;
    await api.visit(`${one}.localhost`);
    const withOne = residentMegabytes(host.runtimePid);
    for (const name of others) await api.visit(`${name}.localhost`);
    const withAll = residentMegabytes(host.runtimePid);
    loaded.total.push(withAll);
    loaded.each.push((withAll - withOne) / others.length);
    await lab.load.run({
      port: host.port,
      host: `${one}.localhost`,
      connections: 16,
      warmMs: 0,
      measureMs: lab.quick ? 500 : 5_000,
      expected: "Hello",
    });
    loaded.afterLoad.push(residentMegabytes(host.runtimePid));
    seen.supervisor.push(residentMegabytes(host.supervisorPid));
    api.close();
    await host.stop();
  }
  return [
    row("supervisor", seen.supervisor),
    row("runtime, idle", seen.idle),
    row(`runtime, ${workers.length} small Workers loaded`, loaded.total),
    row("runtime, each further small Worker", loaded.each),
    row("runtime, the same after some seconds of load, c=16", loaded.afterLoad),
  ];
}

const row = (what: string, samples: readonly number[]): Row => ({
  benchmark: "memory",
  what,
  unit: "MB",
  result: spreadOf(samples),
});
