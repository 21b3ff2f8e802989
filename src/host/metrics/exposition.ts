/** Prometheus' text format, version 0.0.4. Pure. */

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** A histogram's samples end in `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  /** Also where the page for operators has it from. */
  readonly help: string;
}

/** The families in their order, each with its samples; those without any are left out, and so is what has no family. */
export function exposition(
  families: Readonly<Record<string, Family>>,
  samples: Iterable<Sample>,
): string {
  const byFamily = new Map<string, string[]>();
  for (const { name, labels, value } of samples) {
    const family = familyOf(families, name);
    if (family === null) continue;
    const lines = byFamily.get(family) ?? [];
    byFamily.set(family, lines);
    lines.push(`${name}${labelsText(labels)} ${valueText(value)}`);
  }
  return Object.entries(families)
    .filter(([name]) => byFamily.has(name))
    .flatMap(([name, { type, help }]) => [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...(byFamily.get(name) ?? []),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

function familyOf(families: Readonly<Record<string, Family>>, name: string): string | null {
  if (Object.hasOwn(families, name)) return name;
  const base = name.replace(/_(?:bucket|sum|count)$/, "");
  return Object.hasOwn(families, base) && families[base]?.type === "histogram" ? base : null;
}

/** `{a="1",b="2"}`, or nothing. The same labels in the same order give the same text. */
export function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/**
 * The samples of a histogram. `bounds`: inclusive upper ones; `counts`: one for each and one for the rest, not
 * cumulative.
 */
export function histogram(
  name: string,
  labels: Labels,
  {
    bounds,
    counts,
    sum,
  }: {
    readonly bounds: readonly number[];
    readonly counts: readonly number[];
    readonly sum: number;
  },
): Sample[] {
  let total = 0;
  const buckets = [...bounds, Infinity].map((bound, at) => {
    total += counts[at] ?? 0;
    const le = valueText(bound);
    return { name: `${name}_bucket`, labels: { ...labels, le }, value: total };
  });
  return [
    ...buckets,
    { name: `${name}_sum`, labels, value: sum },
    { name: `${name}_count`, labels, value: total },
  ];
}
