/** A D1 database as the account has it. Its contents are elsewhere. */
export interface D1Database {
  /** UUID. */
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdOn: number;
  /** What else was asked for: kept and told, without effect. */
  readonly settings: D1Settings;
}

export interface D1Settings {
  readonly primary_location_hint?: string;
  readonly jurisdiction?: string;
}
