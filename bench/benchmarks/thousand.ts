/**
 * A thousand deployed Workers on one host that may not use much memory: what the first request to each takes, against
 * the first requests on a host that has only few, and what the gateways' memory comes to.
 */
import type { Lab } from "../measure/lab.ts";
import { residentMegabytes } from "../measure/resident-memory.ts";
import { shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import { putWorker } from "../servers/deployed-worker.ts";

const FEW = 25;
/** MiB; a thousand small Workers would take about 2,000. */
const MEMORY_MB = 512;
/** Each Worker is two changes of the route table, that wait a lease each. */
const LEASE_MS = 50;
const SETTINGS = {
  SWITCHBACK_GATEWAY_MEMORY_MB: String(MEMORY_MB),
  SWITCHBACK_LEASE_MS: String(LEASE_MS),
};
const COLD_SHARE_MAX: Target = { bound: "at most", value: 1.5 };
/** A gateway at its limit gets a successor first, and may be there beside it for a while. */
const MEMORY_MAX: Target = { bound: "at most", value: MEMORY_MB * 1.5 };

export async function benchmarkThousand(lab: Lab): Promise<Row[]> {
  const few = await coldTimes(lab, FEW);
  const many = await coldTimes(lab, lab.quick ? 60 : 1_000);
  const row = (
    what: string,
    unit: Row["unit"],
    samples: readonly number[],
    target?: Target,
  ): Row => ({
    benchmark: "thousand",
    what,
    unit,
    result: spreadOf(samples),
    ...(target ? { target } : {}),
  });
  const cold = spreadOf(few.first).median;
  return [
    row(`first request to one of ${few.first.length} Workers`, "ms", few.first),
    row(`first request to one of ${many.first.length} Workers`, "ms", many.first),
    row(
      "p50 of the first requests, many ÷ few",
      "×",
      [spreadOf(many.first).median / cold],
      COLD_SHARE_MAX,
    ),
    row("request to one of many that was asked before", "ms", many.again),
    row("largest gateway while all were asked", "MB", many.memory, MEMORY_MAX),
  ];
}

async function coldTimes(lab: Lab, count: number) {
  const host = await lab.host("switchback", lab.directory(), SETTINGS);
  const api = lab.api(host);
  const names = Array.from({ length: count }, (_, at) => `worker-${at}`);
  for (const name of names) await putWorker(api, name);
  const first: number[] = [];
  const again: number[] = [];
  const memory: number[] = [];
  for (const times of [first, again]) {
    for (const name of shuffled(names)) {
      const [, ms] = await timed(() => api.visit(`${name}.localhost`));
      times.push(ms);
      if (times.length % FEW === 0) {
        memory.push(Math.max(...host.processes().gateways.map(residentMegabytes)));
      }
    }
  }
  api.close();
  await host.stop();
  return { first, again, memory };
}
