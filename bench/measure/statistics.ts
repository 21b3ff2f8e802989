/** Numbers of several rounds → the middle one and how far they lie apart. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

/** `share` 0 to 1; the nearest sample, never one made up between two. `sorted` is ascending and not empty. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  const value = sorted[index];
  if (value === undefined) throw new Error("A quantile of nothing was asked for.");
  return value;
}

export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    samples: sorted.length,
  };
}

/** Round by round, so that what slows the whole machine down for a while slows both sides. */
export function ratiosOf(above: readonly number[], below: readonly number[]): Spread {
  return spreadOf(above.map((value, round) => value / (below[round] ?? Number.NaN)));
}

/** Round by round, for the same reason. */
export function differencesOf(above: readonly number[], below: readonly number[]): Spread {
  return spreadOf(above.map((value, round) => value - (below[round] ?? Number.NaN)));
}

/** A new order each round: whoever comes after a busy neighbour is not always the same. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
