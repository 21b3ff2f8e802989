/**
 * What this isolate has counted since it started: names and labels are written in the code, so there are few. Only
 * ever added to, on paths that wait for nothing.
 */
export interface Counter {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Counted extends Counter {
  value: number;
}

const counters = new Map<string, Counted>();

export function count(name: string, labels: Counter["labels"]): void {
  const key = [name, ...Object.values(labels)].join(" ");
  const counter = counters.get(key);
  if (counter === undefined) counters.set(key, { name, labels, value: 1 });
  else counter.value++;
}

/** As of now: a copy. */
export const counted = (): Counter[] =>
  Array.from(counters.values(), (counter) => ({ ...counter }));
