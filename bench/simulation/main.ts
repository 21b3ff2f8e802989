/**
 * `node bench/simulation/main.ts [--quick]`: what leases cost and give with many isolates, by the product's own rules
 * in virtual time. docs/scaling.md explains the tables. Exits with 1 if any request was served anything older than
 * was visible when it came, or if a rule that was broken on purpose did not show.
 */
import { parseArgs } from "node:util";
import { run, type Outcome, type Scenario } from "./run.ts";
import { formatTable, SCALING_HEAD, scalingRow, whole } from "./tables.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const { quick } = values;
/** Requests per second of an isolate, unless a table is about that. */
const RATE = 5;
const BASE = {
  rate: RATE,
  leaseMs: 1_000,
  driftPermille: 100,
  seed: 7,
  replicaLeaseMs: null,
  deployments: true,
  broken: null,
} satisfies Partial<Scenario>;

let violations = 0;

const flat = quick
  ? sizes([10, 100, 250], 1_000, 20)
  : [
      ...sizes([10, 100, 250, 300, 500, 1_000], 1_000, 60),
      ...sizes([10, 100, 250, 300, 500, 1_000], 5_000, 120),
    ];
if (!quick) flat.push({ ...BASE, isolates: 10_000, seconds: 5 });
print("Isolates ask the lock", await scaling(flat));
if (!quick) print("The same, with quieter and busier isolates", await scaling(rates()));

const stacked = quick
  ? [planned(1_000, 10, 100), planned(10_000, 5, 100)]
  : [
      ...[1, 100].flatMap((drift) => [planned(1_000, 40, drift), planned(10_000, 14, drift)]),
      { ...planned(100_000, 9, 100), rate: 1 },
    ];
print("Isolates ask a replica object near them (planned, not built)", await scaling(stacked));
print(
  "Calls of the lock per second, between deployments: simulated (expected; at most)",
  await calls(),
);
await brokenRules();

if (violations > 0) {
  write(`\n${violations} requests were served something older than was visible when they came.`);
  process.exit(1);
}

function sizes(isolates: readonly number[], leaseMs: number, seconds: number): Scenario[] {
  return [1, 100].flatMap((driftPermille) =>
    isolates.map((count) => ({ ...BASE, isolates: count, leaseMs, driftPermille, seconds })),
  );
}

function rates(): Scenario[] {
  const cases = [
    [1_000, 0.2],
    [1_000, 0.5],
    [1_000, 1],
    [500, 1],
    [500, 2],
    [250, 20],
    [250, 50],
    [100, 50],
  ] as const;
  return cases.map(([isolates, rate]) => ({ ...BASE, isolates, rate, seconds: 40 }));
}

function planned(isolates: number, seconds: number, driftPermille: number): Scenario {
  return { ...BASE, isolates, seconds, driftPermille, replicaLeaseMs: 2_000 };
}

async function scaling(scenarios: readonly Scenario[]): Promise<string> {
  const rows: (readonly string[])[] = [];
  for (const scenario of scenarios) rows.push(scalingRow(scenario, await sound(scenario)));
  return formatTable(SCALING_HEAD, rows);
}

async function calls(): Promise<string> {
  const rates = [0.1, 0.5, 5, 50];
  const rows: string[][] = [];
  for (const leaseMs of quick ? [1_000] : [1_000, 5_000]) {
    for (const isolates of quick ? [100] : [10, 100, 250]) {
      const cells: string[] = [];
      for (const rate of rates) {
        const scenario = { ...BASE, isolates, rate, leaseMs, seconds: 63, deployments: false };
        const { lockCallsPerSecond } = await sound(scenario);
        // A refresh is asked for by the first request after half of the lease.
        const expected = isolates / (1 / rate + leaseMs / 2_000);
        const most = isolates * Math.min(rate, 2_000 / leaseMs);
        cells.push(`${whole(lockCallsPerSecond)} (${whole(expected)}; ${whole(most)})`);
      }
      rows.push([whole(isolates), `${leaseMs / 1_000} s`, ...cells]);
    }
  }
  return formatTable(
    ["Isolates", "Lease", ...rates.map((rate) => `${rate} requests/s each`)],
    rows,
  );
}

async function brokenRules(): Promise<void> {
  const common = { ...BASE, isolates: 300, rate: 20, seconds: 20, driftPermille: 300 };
  const trusting = await run({ ...common, broken: "clocks are trusted" });
  const uncut = await run({ ...common, replicaLeaseMs: 2_000, broken: "children are not cut" });
  write("\n## Rules broken on purpose\n");
  write(`Clocks are off by up to 30 % and the lock trusts them: ${trusting.stale} stale.`);
  write(`Leases of a replica outlive its own: ${uncut.stale} stale.`);
  if (trusting.stale > 0 && uncut.stale > 0) return;
  write("A broken rule did not show: the zeros above prove nothing.");
  process.exit(1);
}

async function sound(scenario: Scenario): Promise<Outcome> {
  const outcome = await run(scenario);
  violations += outcome.stale + outcome.stepsBack;
  return outcome;
}

function print(title: string, table: string): void {
  write(`\n## ${title}\n\n${table}`);
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
