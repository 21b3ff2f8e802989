/**
 * The granting side of leases in a Durable Object: the pure rules of domain/lease with this object's clock
 * and storage. Of all leases it keeps one number; of itself, durably, how long it may give any.
 */
import {
  authorise,
  authorityRecord,
  boot,
  earlierAuthority,
  grant,
  isDrained,
  needsAuthority,
  spread,
  type AuthorityRecord,
  type Grant,
  type Granter,
  type LeaseTerms,
} from "../domain/lease.ts";

/** The {@link AuthorityRecord} as a row. */
interface Row extends Record<string, SqlStorageValue> {
  readonly horizon: number;
  readonly authority_ms: number;
  /** 1: nobody may be answered before the leases of earlier lives are over. */
  readonly silent: number;
}

export class LeaseGranter {
  readonly #sql: SqlStorage;
  readonly #terms: () => LeaseTerms;
  #granter: Granter;
  #lastNow: number;
  #silentUntil = -Infinity;

  /** `skewMs`: how far the wall clocks of two machines may be apart. */
  constructor(sql: SqlStorage, terms: () => LeaseTerms, skewMs: number, now: number) {
    this.#sql = sql;
    this.#terms = terms;
    this.#lastNow = now;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS authority (id INTEGER PRIMARY KEY CHECK (id = 1), horizon INTEGER NOT NULL, authority_ms INTEGER NOT NULL, silent INTEGER NOT NULL)",
    );
    const row = sql.exec<Row>("SELECT horizon, authority_ms, silent FROM authority").toArray()[0];
    const earlierMs =
      row === undefined
        ? null
        : earlierAuthority({ horizon: row.horizon, authorityMs: row.authority_ms }, now, skewMs);
    // No authority of its own yet: the first lease writes it down before it leaves.
    this.#granter = { ...boot(terms(), now, earlierMs), authorityUntil: now };
    if (row?.silent === 1) this.#silentUntil = this.#granter.drainedAt;
  }

  /** Give a lease. Synchronous; the authority it may write is durable before the answer leaves the object. */
  grant(register: { readonly seq: number; readonly pending: boolean }, now: number): Grant {
    this.#observe(now);
    if (now < this.#silentUntil) return { kind: "refuse" };
    const terms = this.#terms();
    if (needsAuthority(terms, this.#granter, now)) {
      this.#granter = authorise(terms, this.#granter, now);
      this.#record(authorityRecord(this.#granter, now), false);
    }
    const given = grant(terms, this.#granter, register, now);
    this.#granter = given.granter;
    return given.grant;
  }

  isDrained(now: number): boolean {
    this.#observe(now);
    return isDrained(this.#granter, now);
  }

  /**
   * This object lost its storage: an earlier life may have given leases of which nothing is known here. Waits
   * them out before anything new becomes visible; with `silently`, before anybody is answered at all.
   */
  distrust(now: number, silently: boolean): void {
    const terms = this.#terms();
    const { authorityMs } = terms;
    const over = now + spread(terms, authorityMs);
    this.#granter = {
      ...this.#granter,
      drainedAt: Math.max(this.#granter.drainedAt, over),
      inheritedMs: Math.max(this.#granter.inheritedMs, authorityMs),
      inheritedUntil: Math.max(this.#granter.inheritedUntil, over),
    };
    if (silently) this.#silentUntil = over;
    // A restart in the meantime has to wait as well.
    this.#record({ authorityMs, horizon: now + authorityMs }, silently);
  }

  #record(record: AuthorityRecord, silent: boolean): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO authority (id, horizon, authority_ms, silent) VALUES (1, ?, ?, ?)",
      record.horizon,
      record.authorityMs,
      silent ? 1 : 0,
    );
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
        ...this.#granter,
        drainedAt: Math.min(this.#granter.drainedAt, longest),
        authorityUntil: Math.min(this.#granter.authorityUntil, now),
      };
    }
    this.#lastNow = now;
  }
}
