/** Resident memory of one host's processes: at rest, with many Workers loaded in one gateway, under load. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../measure/lab.ts";
import { residentMegabytes } from "../measure/resident-memory.ts";
import { spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { putWorker } from "../servers/deployed-worker.ts";

/** Until a started host has done what it does at start. */
const SETTLE_MS = 1_500;
/** One gateway, so that all is in one process; and no limit that would have it evict or be replaced. */
const SETTINGS = { SWITCHBACK_GATEWAYS: "1", SWITCHBACK_GATEWAY_MEMORY_MB: "8192" };

export async function benchmarkMemory(lab: Lab): Promise<Row[]> {
  const directory = lab.directory();
  const workers = Array.from({ length: lab.quick ? 5 : 100 }, (_, i) => `worker-${i}`);
  const first = await lab.host("switchback", directory, SETTINGS);
  const setup = lab.api(first);
  for (const name of workers) await putWorker(setup, name);
  await first.stop();

  const others = { node: [] as number[], control: [] as number[], trial: [] as number[] };
  const gateway = { idle: [] as number[], all: [] as number[], each: [] as number[] };
  const afterLoad: number[] = [];
  // New processes each time: what one has taken it does not give back.
  for (let round = 1; round <= (lab.quick ? 1 : 3); round++) {
    const host = await lab.host("switchback", directory, SETTINGS);
    const gatewayMegabytes = () => megabytesOf(host.processes().gateways);
    await sleep(SETTLE_MS);
    gateway.idle.push(gatewayMegabytes());
    const api = lab.api(host);
    const [one = "", ...more] = workers;
    await api.visit(`${one}.localhost`);
    const withOne = gatewayMegabytes();
    for (const name of more) await api.visit(`${name}.localhost`);
    const withAll = gatewayMegabytes();
    gateway.all.push(withAll);
    gateway.each.push((withAll - withOne) / more.length);
    await lab.load.run({
      port: host.port,
      hosts: [`${one}.localhost`],
      connections: 16,
      warmMs: 0,
      measureMs: lab.quick ? 500 : 5_000,
      expected: "Hello",
    });
    afterLoad.push(gatewayMegabytes());
    const { node, control, trial } = host.processes();
    others.node.push(megabytesOf(node));
    others.control.push(megabytesOf(control));
    others.trial.push(megabytesOf(trial));
    api.close();
    await host.stop();
  }
  return [
    row("launcher and supervisor", others.node),
    row("control process", others.control),
    row("process in which uploads are started", others.trial),
    row("gateway, idle", gateway.idle),
    row(`gateway, ${workers.length} small Workers loaded`, gateway.all),
    row("gateway, each further small Worker", gateway.each),
    row("gateway, the same after some seconds of load, c=16", afterLoad),
  ];
}

function megabytesOf(pids: readonly number[]): number {
  if (pids.length === 0) throw new Error("A process of the host was not found.");
  return pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
}

const row = (what: string, samples: readonly number[]): Row => ({
  benchmark: "memory",
  what,
  unit: "MB",
  result: spreadOf(samples),
});
