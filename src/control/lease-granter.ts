/**
 * The granting side of leases in a Durable Object: the pure rules of domain/lease with this object's clock
 * and storage. Of all leases it keeps one number; of itself, durably, how long it may give any.
 */
import {
  authorise,
  boot,
  grant,
  isDrained,
  needsAuthority,
  spread,
  type Grant,
  type Granter,
  type LeaseTerms,
} from "../domain/lease.ts";
import { AUTHORITY_SKEW_MS_MAX } from "../domain/limits.ts";

/** The end of the last authority on the wall clock, and the term it was taken under. */
interface Horizon extends Record<string, SqlStorageValue> {
  readonly ends_at: number;
  readonly authority_ms: number;
}

export class LeaseGranter {
  readonly #sql: SqlStorage;
  readonly #terms: () => LeaseTerms;
  #granter: Granter;
  #lastNow: number;

  constructor(sql: SqlStorage, terms: () => LeaseTerms, now: number) {
    this.#sql = sql;
    this.#terms = terms;
    this.#lastNow = now;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS horizon (id INTEGER PRIMARY KEY CHECK (id = 1), ends_at INTEGER NOT NULL, authority_ms INTEGER NOT NULL)",
    );
    const horizon = sql.exec<Horizon>("SELECT ends_at, authority_ms FROM horizon").toArray()[0];
    const isOver = horizon === undefined || now > horizon.ends_at + AUTHORITY_SKEW_MS_MAX;
    // No authority of its own yet: the first lease writes it down before it leaves.
    this.#granter = {
      ...boot(terms(), now, isOver ? null : horizon.authority_ms),
      authorityUntil: now,
    };
  }

  /** Give a lease. Synchronous; the authority it may write is durable before the answer leaves the object. */
  grant(register: { readonly seq: number; readonly pending: boolean }, now: number): Grant {
    this.#observe(now);
    const terms = this.#terms();
    if (needsAuthority(terms, this.#granter, now)) {
      this.#sql.exec(
        "INSERT OR REPLACE INTO horizon (id, ends_at, authority_ms) VALUES (1, ?, ?)",
        now + terms.authorityMs,
        terms.authorityMs,
      );
      this.#granter = authorise(terms, this.#granter, now);
    }
    const given = grant(terms, this.#granter, register, now);
    this.#granter = given.granter;
    return given.grant;
  }

  isDrained(now: number): boolean {
    this.#observe(now);
    return isDrained(this.#granter, now);
  }

  /** On this object's clock: from then on no lease given so far is alive. */
  get drainedAt(): number {
    return this.#granter.drainedAt;
  }

  /**
   * A clock that was set back would make authority last longer than its record says, and drains too:
   * the authority is dropped, and no drain takes longer than the longest lease that can exist.
   */
  #observe(now: number): void {
    if (now < this.#lastNow) {
      const longest = now + spread(this.#terms(), this.#terms().authorityMs);
      this.#granter = {
        drainedAt: Math.min(this.#granter.drainedAt, longest),
        authorityUntil: Math.min(this.#granter.authorityUntil, now),
      };
    }
    this.#lastNow = now;
  }
}
