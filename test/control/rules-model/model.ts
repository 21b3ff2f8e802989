/** What one Worker may deploy, in memory and by other means than the product: what the real thing is compared with. */

export interface ModelVersion {
  readonly id: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Names of buckets that it is bound to. */
  readonly buckets: readonly string[];
  /** Durable Object migrations that had been applied. */
  readonly migrations: number;
}

export interface ModelDeployment {
  /** Indexes into the versions. */
  readonly shares: ReadonlyMap<number, number>;
  /** What a rollback left; null: it was none. */
  readonly left: readonly number[] | null;
}

/** A rule that the model can be made to forget: then the two have to differ. */
export type Rule =
  | "recent"
  | "migration"
  | "missing"
  | "secrets"
  | "revoked"
  | "force is for secrets alone"
  | "serving versions may change their share"
  | "previous skips what was left";

export class Model {
  readonly versions: ModelVersion[] = [];
  readonly history: ModelDeployment[] = [];
  readonly buckets = new Set<string>();
  readonly revoked = new Map<string, number>();
  max = 0;
  migrations = 0;
  readonly #without: Rule | null;

  constructor(without: Rule | null) {
    this.#without = without;
  }

  get current(): ModelDeployment | undefined {
    return this.history.at(-1);
  }

  get servesAllOfLatest(): boolean {
    return this.current?.shares.size === 1 && this.current.shares.has(this.versions.length - 1);
  }

  /** The code of what decides against it; null: nothing does. */
  against(shares: ReadonlyMap<number, number>, force: boolean): number | null {
    const has = (rule: Rule) => this.#without !== rule;
    const serving = this.current?.shares ?? new Map<number, number>();
    const exempt = (at: number) =>
      has("serving versions may change their share") ? serving.has(at) : false;
    const entering = [...shares.keys()].filter((at) => !exempt(at));
    const all = [...shares.keys()];
    if (has("migration") && all.some((at) => this.version(at).migrations !== this.migrations))
      return 130_055;
    if (force && !has("force is for secrets alone")) return null;
    const oldest = this.versions.length - this.max;
    if (has("recent") && this.max > 0 && entering.some((at) => at < oldest)) return 130_052;
    const newest = Math.max(-1, ...[...serving].filter(([, part]) => part > 0).map(([at]) => at));
    const older = entering.filter((at) => at < newest);
    const now = newest < 0 ? {} : this.version(newest).secrets;
    const comesBack = (at: number) =>
      Object.entries(this.version(at).secrets).some(
        ([name, text]) => now[name] !== text && (this.revoked.get(name) ?? -1) >= at,
      );
    if (has("revoked") && entering.some(comesBack)) return 130_054;
    const isMissing = (at: number) =>
      this.version(at).buckets.some((name) => !this.buckets.has(name));
    if (has("missing") && entering.some(isMissing)) return 130_053;
    const differs = (at: number) => {
      const then = this.version(at).secrets;
      const names = new Set([...Object.keys(then), ...Object.keys(now)]);
      return [...names].some((name) => then[name] !== now[name]);
    };
    if (has("secrets") && !force && older.some(differs)) return 10_220;
    return null;
  }

  /** It was accepted. An upload or a changed secret never goes back, a rollback always does. */
  deployed(shares: ReadonlyMap<number, number>, as: "upload" | "deployment" | "rollback"): void {
    const newestOf = (of: ReadonlyMap<number, number>) =>
      Math.max(-1, ...[...of].filter(([, part]) => part > 0).map(([at]) => at));
    const served = (at: number) =>
      this.history.some((deployment) => (deployment.shares.get(at) ?? 0) > 0);
    const serving = this.current?.shares ?? new Map<number, number>();
    const isRollback =
      as === "rollback" ||
      (as === "deployment" &&
        newestOf(shares) < newestOf(serving) &&
        [...shares].every(([at, part]) => part === 0 || served(at)));
    const left = isRollback ? [...serving.keys()].filter((at) => !shares.has(at)) : null;
    this.history.push({ shares, left });
  }

  /** Where a rollback to `previous` goes; null: nowhere. */
  previous(): number | null {
    const skip = new Set(this.current?.shares.keys());
    if (this.#without !== "previous skips what was left")
      for (const { left } of this.history.toReversed()) {
        if (left === null) break;
        for (const at of left) skip.add(at);
      }
    for (const { shares } of this.history.toReversed()) {
      const [only] = shares;
      const full = [...shares].find(([, part]) => part === 100) ?? null;
      if (only !== undefined && full !== null && !skip.has(full[0])) return full[0];
    }
    return null;
  }

  version(at: number): ModelVersion {
    const version = this.versions[at];
    if (version === undefined) throw new Error(`the model has no version ${at}`);
    return version;
  }
}
