/** What migrations a D1 database has, as `wrangler d1 migrations apply` keeps them. */
export interface D1Applied {
  readonly count: number;
  /** Name of the one applied last; null: none. */
  readonly last: string | null;
}

/** Of databases that answered, by id. */
export type D1AppliedById = Readonly<Record<string, D1Applied>>;
