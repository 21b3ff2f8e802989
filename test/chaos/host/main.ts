/** The long form: `npm run chaos:host -- --kills 200 [--seed N]`. Prints a table; ends with 1 if anything was wrong. */
import { parseArgs } from "node:util";
import { runHostChaos } from "./run.ts";
import { tableOf, faultsOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    log: { type: "boolean", default: false },
  },
});
console.log(`seed ${values.seed}`);
const report = await runHostChaos({ kills: Number(values.kills), seed: Number(values.seed) });
console.log(tableOf(report));
const faults = faultsOf(report);
for (const sentence of faults.slice(0, 20)) console.log(`  ${sentence}`);
if (values.log || faults.length > 0) process.stderr.write(report.log);
process.exit(faults.length === 0 ? 0 : 1);
