/**
 * The long form: every kind of chaos with short leases, then all at once with the leases of the defaults.
 * CHAOS_SECONDS: how long altogether (1200); CHAOS_SEED: what the choices are made from; CHAOS: one kind alone.
 */
import { CHAOS, type Chaos } from "./chaos.ts";
import { run } from "./harness.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 1_200);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const SHORT = { leaseMs: 250, driftPermille: 10 };
const DEFAULT = { leaseMs: 1_000, driftPermille: 100 };

const kinds = CHAOS.filter((kind) => (process.env.CHAOS ?? kind) === kind);
const plan: (readonly [Chaos, typeof SHORT])[] = [
  ...kinds.map((kind) => [kind, SHORT] as const),
  ["all", DEFAULT],
];
console.log(`seed ${seed}`);
let reads = 0;
let violations = 0;
for (const [index, [chaos, lease]] of plan.entries()) {
  const report = await run({ chaos, lease, seconds: seconds / plan.length, seed: seed + index });
  const { violations: wrong, ...numbers } = report;
  console.log(JSON.stringify({ ...lease, ...numbers, violations: wrong.length }));
  for (const sentence of wrong.slice(0, 20)) console.log(`  ${sentence}`);
  reads += report.reads;
  violations += wrong.length;
}
console.log(`${reads} reads, ${violations} violations`);
process.exit(violations === 0 ? 0 : 1);
