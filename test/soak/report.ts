/** Samples over time → a table, and what has grown more than it may. Pure. */
import { type Held, LASTING, type LastingKind } from "./samples.ts";

export interface Sample {
  /** Since the load began, in seconds. */
  readonly second: number;
  readonly held: Readonly<Record<LastingKind, Held>>;
  readonly diskMb: number;
  readonly logKb: number;
  /** Requests answered since the sample before. */
  readonly answered: number;
  /** Of those, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly changes: number;
  readonly attacks: number;
  readonly failures: number;
}

/** How much more the last third of the samples may have than the first, on average. */
const GROWTH_MAX: Readonly<Record<LastingKind, Omit<Held, "processes">>> = {
  launcher: { rssMb: 15, descriptors: 4, threads: 2 },
  supervisor: { rssMb: 60, descriptors: 120, threads: 4 },
  control: { rssMb: 60, descriptors: 40, threads: 4 },
  pool: { rssMb: 40, descriptors: 60, threads: 4 },
  trial: { rssMb: 40, descriptors: 10, threads: 4 },
};
/** V8 collects what it need not keep only when its heap has grown for a while, in seconds; growth before is no leak. */
const WARM_S = 360;
/** Fewer samples after that show no growth. */
const WARM_SAMPLES_MIN = 6;
/** At any time, in MB: what a run that is too short to see growth is judged by. */
const RSS_MB_MAX: Readonly<Record<LastingKind, number>> = {
  launcher: 150,
  supervisor: 400,
  control: 500,
  pool: 512,
  trial: 300,
};
/** An uploaded version, its deployment and what is kept of both, in MB. */
const DISK_MB_A_CHANGE_MAX = 0.1;
/** SQLite's files grow in steps, in MB. */
const DISK_MB_MAX = 12;
/** Latency may grow by this factor, and by so many milliseconds: the machine may do something else too. */
const LATENCY_FACTOR_MAX = 1.5;
const P50_MS_MAX = 5;
const P99_MS_MAX = 100;
/** The same of a short run: one attack is a large part of its samples. */
const SHORT_RUN_P99_MS_MAX = 3_000;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** The middle of the values: one sample during an attack says nothing about growth. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function table(samples: readonly Sample[]): string {
  const kinds = LASTING.map((kind) => `${kind} MB/fd/thr`.padStart(22)).join("");
  const head = `${"s".padStart(6)}${kinds}${"disk MB".padStart(9)}${"log kB".padStart(8)}${"answered".padStart(10)}${"p50 ms".padStart(8)}${"p99 ms".padStart(8)}${"changes".padStart(9)}${"attacks".padStart(9)}${"failed".padStart(8)}`;
  return [head, ...samples.map(row)].join("\n");
}

export function row(sample: Sample): string {
  const kinds = LASTING.map((kind) => {
    const { rssMb, descriptors, threads } = sample.held[kind];
    return `${rssMb.toFixed(0)}/${descriptors}/${threads}`.padStart(22);
  });
  const { second, diskMb, logKb, answered, p50, p99, changes, attacks, failures } = sample;
  return [
    second.toFixed(0).padStart(6),
    ...kinds,
    diskMb.toFixed(1).padStart(9),
    logKb.toFixed(0).padStart(8),
    String(answered).padStart(10),
    p50.toFixed(1).padStart(8),
    p99.toFixed(1).padStart(8),
    String(changes).padStart(9),
    String(attacks).padStart(9),
    String(failures).padStart(8),
  ].join("");
}

export interface Trend {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly max: number;
  readonly isFlat: boolean;
}

/** The first third against the last, once everything is warm; of a short run all but the first sample, without memory. */
export function trends(samples: readonly Sample[]): readonly Trend[] {
  const warm = samples.filter(({ second }) => second >= WARM_S);
  const isLong = warm.length >= WARM_SAMPLES_MIN;
  const judged = isLong ? warm : samples.slice(1);
  const third = Math.max(1, Math.floor(judged.length / 3));
  const first = judged.slice(0, third);
  const last = judged.slice(-third);
  const trend = (what: string, of: (sample: Sample) => number, max: (from: number) => number) => {
    const [from, to] = [median(first.map(of)), median(last.map(of))];
    return { what, first: from, last: to, max: max(from), isFlat: to <= max(from) };
  };
  const held = LASTING.flatMap((kind) => [
    trend(
      `${kind} rssMb`,
      ({ held }) => held[kind].rssMb,
      (from) => (isLong ? from + GROWTH_MAX[kind].rssMb : RSS_MB_MAX[kind]),
    ),
    ...(["descriptors", "threads"] as const).map((field) =>
      trend(
        `${kind} ${field}`,
        ({ held }) => held[kind][field],
        (from) => from + GROWTH_MAX[kind][field],
      ),
    ),
  ]);
  const changes = mean(last.map((s) => s.changes)) - mean(first.map((s) => s.changes));
  const diskMax = DISK_MB_MAX + changes * DISK_MB_A_CHANGE_MAX;
  return [
    ...held,
    trend(
      "disk MB",
      (s) => s.diskMb,
      (from) => from + diskMax,
    ),
    trend(
      "p50 ms",
      (s) => s.p50,
      (from) => from * LATENCY_FACTOR_MAX + P50_MS_MAX,
    ),
    trend(
      "p99 ms",
      (s) => s.p99,
      (from) => from * LATENCY_FACTOR_MAX + (isLong ? P99_MS_MAX : SHORT_RUN_P99_MS_MAX),
    ),
  ];
}

export const told = ({ what, first, last, max, isFlat }: Trend): string =>
  `${isFlat ? "flat " : "GROWS"} ${what.padEnd(24)} ${first.toFixed(1).padStart(9)} → ${last.toFixed(1).padStart(9)}   at most ${max.toFixed(1)}`;
