/** Durations in logarithmic buckets of 1 %: millions of them in a few kilobytes. Milliseconds. */
export class Latencies {
  readonly #buckets = new Float64Array(2_000);
  #count = 0;

  add(ms: number): void {
    const bucket = ms < 0.01 ? 0 : Math.min(1_999, 1 + Math.floor(Math.log(ms * 100) * 100));
    this.#buckets[bucket]! += 1;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** NaN when there are none. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= share * this.#count) return bucket === 0 ? 0 : Math.exp(bucket / 100) / 100;
    }
    return Number.NaN;
  }
}
