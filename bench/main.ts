/** `npm run bench`: runs the benchmarks one after another and prints one table. docs/benchmarks.md explains it. */
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { benchmarkAssets } from "./benchmarks/assets.ts";
import { benchmarkBindings } from "./benchmarks/bindings.ts";
import { benchmarkColdLoad } from "./benchmarks/cold-load.ts";
import { benchmarkDeploy } from "./benchmarks/deploy.ts";
import { benchmarkGateway } from "./benchmarks/gateway.ts";
import { benchmarkHistory } from "./benchmarks/history.ts";
import { benchmarkRollbacks } from "./benchmarks/rollbacks.ts";
import { benchmarkLockCalls } from "./benchmarks/lock-calls.ts";
import { benchmarkMemory } from "./benchmarks/memory.ts";
import { benchmarkSplit } from "./benchmarks/split.ts";
import { benchmarkThousand } from "./benchmarks/thousand.ts";
import { Lab } from "./measure/lab.ts";
import { formatTable, type Row } from "./measure/table.ts";

const BENCHMARKS: Readonly<Record<string, (lab: Lab) => Promise<Row[]>>> = {
  gateway: benchmarkGateway,
  split: benchmarkSplit,
  "cold-load": benchmarkColdLoad,
  deploy: benchmarkDeploy,
  "lock-calls": benchmarkLockCalls,
  history: benchmarkHistory,
  rollbacks: benchmarkRollbacks,
  memory: benchmarkMemory,
  bindings: benchmarkBindings,
  assets: benchmarkAssets,
  thousand: benchmarkThousand,
};
/** The whole run takes about fifteen minutes; one that hangs is ended, in milliseconds. */
const RUN_MS_MAX = 30 * 60 * 1000;

const { quick, names } = readFlags();

setTimeout(() => {
  console.error(`Not done after ${RUN_MS_MAX / 60_000} minutes; given up.`);
  process.exit(1);
}, RUN_MS_MAX).unref();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

// What else the machine was doing: with more than a little, only the ratios mean something.
const [loadBefore = 0] = loadavg();
const rows: Row[] = [];
for (const name of names) {
  console.error(`${name} …`);
  try {
    await using lab = new Lab(quick);
    rows.push(...((await BENCHMARKS[name]?.(lab)) ?? []));
  } catch (error) {
    // What the others found is worth minutes.
    console.error(`${name} failed:`, error);
    process.exitCode = 1;
  }
}
const [cpu] = cpus();
console.log(
  `\n${cpus().length} × ${cpu?.model ?? "unknown CPU"}, ${Math.round(totalmem() / 1e9)} GB, ` +
    `${process.platform} ${process.arch}, load average before: ${loadBefore.toFixed(1)}${quick ? "; --quick: figures mean nothing" : ""}\n`,
);
console.log(formatTable(rows, !quick));

function readFlags(): { quick: boolean; names: string[] } {
  const all = Object.keys(BENCHMARKS);
  try {
    const { values } = parseArgs({
      options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
    });
    const names = values.only?.split(",") ?? all;
    const unknown = names.find((name) => !all.includes(name));
    if (unknown !== undefined) throw new Error(`There is no benchmark "${unknown}"`);
    return { quick: values.quick, names };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`${reason}. Flags: --quick, --only with some of ${all.join(",")}.`);
    process.exit(2);
  }
}
