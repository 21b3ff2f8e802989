/**
 * A host under steady load for a while: `npm run soak -- --minutes 30`. Exit code 1 if a request failed that may not,
 * if anything but the acknowledged deployment was served, or if something has grown beyond its bound.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { row, type Sample, table, told, trends } from "./report.ts";
import { diskMb, heldByKind } from "./samples.ts";
import { SoakHost } from "./soak-host.ts";
import { Tally } from "./tally.ts";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    gateways: { type: "string", default: "2" },
    "no-attacks": { type: "boolean", default: false },
    log: { type: "boolean", default: false },
  },
});
const totalMs = Number(flags.minutes) * 60_000;
/** A sample a minute; of a short run enough to see a trend. */
const SAMPLES_MIN = 12;
const sampleMs = Math.min(60_000, totalMs / SAMPLES_MIN);
if (!(totalMs > 0)) throw new Error("--minutes has to be a number above 0");

const host = await SoakHost.start(Number(flags.gateways));
const tally = new Tally();
const load = new Load(host, tally, !flags["no-attacks"]);
const samples: Sample[] = [];
try {
  await load.start();
  const startedAt = performance.now();
  while (performance.now() - startedAt < totalMs) {
    await sleep(sampleMs);
    const sample = take((performance.now() - startedAt) / 1_000);
    console.log(samples.length === 0 ? table([sample]) : row(sample));
    samples.push(sample);
  }
  await load.stop();
} finally {
  await host.stop();
}
process.exit(judge() ? 0 : 1);

function take(second: number): Sample {
  const latencies = tally.takeLatencies();
  const quantile = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    second,
    held: heldByKind(host.launcher),
    diskMb: diskMb(host.directory),
    logKb: host.logBytes / 1_000,
    answered: latencies.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    changes: load.changes,
    attacks: load.attacks,
    failures: tally.failures,
  };
}

function judge(): boolean {
  const seen = trends(samples);
  console.log(`\n${seen.map(told).join("\n")}\n`);
  for (const sentence of tally.told) console.log(sentence);
  const { answered, failures, lostWithProcess, closedForRestart, violations } = tally;
  const { changes, attacks } = load;
  const counts = { answered, failures, lostWithProcess, closedForRestart, violations };
  console.log(JSON.stringify({ ...counts, changes, attacks }));
  if (flags.log) console.log(host.log);
  return failures === 0 && violations === 0 && seen.every(({ isFlat }) => isFlat);
}
