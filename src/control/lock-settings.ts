/** What one lock is told about leases: the Worker's own settings, and whether somebody is about to roll back. */
import { canonicalJson } from "../domain/canonical-json.ts";
import type { GivenNamespaces } from "../domain/given-namespaces.ts";
import type { LeaseTerms } from "../domain/lease.ts";
import { DEFAULT_LEASE_SETTINGS, type LeaseSettings } from "../domain/lease-settings.ts";
import type { Worker } from "../domain/worker.ts";
import { ARMED_LEASE_MS, AUTHORITY_LEASES_MIN } from "../domain/limits.ts";

/** Where a Worker's row keeps its lease settings, for a lock that lost its storage. */
export const LEASE_SETTINGS_KEY = "lease";

export const leaseSettingsOf = (worker: Worker): LeaseSettings =>
  (worker.settings[LEASE_SETTINGS_KEY] as LeaseSettings | undefined) ?? DEFAULT_LEASE_SETTINGS;

interface Stored {
  readonly worker: LeaseSettings;
  readonly armedUntil: number;
  /** Somebody is tailing the Worker, until then at most; absent: nobody has yet. */
  readonly tailedUntil?: number;
  /** Absent: nothing. */
  readonly given?: GivenNamespaces;
  /** When everybody has heard of it. */
  readonly givenHeardOn?: number;
}

export class LockSettings {
  readonly #sql: SqlStorage;
  readonly #installation: () => LeaseTerms;
  #stored: Stored;

  constructor(sql: SqlStorage, installation: () => LeaseTerms) {
    this.#sql = sql;
    this.#installation = installation;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY CHECK (id = 1), settings TEXT NOT NULL)",
    );
    const row = sql.exec<{ settings: string }>("SELECT settings FROM settings").toArray()[0];
    this.#stored =
      row === undefined
        ? { worker: DEFAULT_LEASE_SETTINGS, armedUntil: 0 }
        : (JSON.parse(row.settings) as Stored);
  }

  get worker(): LeaseSettings {
    return this.#stored.worker;
  }

  /** The terms under which a lease is given now. */
  terms(now: number): LeaseTerms {
    const installation = this.#installation();
    const own = this.#stored.worker.leaseMs ?? installation.leaseMs;
    const leaseMs = now < this.#stored.armedUntil ? Math.min(own, ARMED_LEASE_MS) : own;
    const authorityMs = Math.max(installation.authorityMs, own * AUTHORITY_LEASES_MIN);
    return { ...installation, leaseMs, authorityMs };
  }

  configure(worker: LeaseSettings): LeaseSettings {
    this.#save({ ...this.#stored, worker });
    return worker;
  }

  isTailed(now: number): boolean {
    return now < (this.#stored.tailedUntil ?? 0);
  }

  tail(tailedUntil: number): void {
    this.#save({ ...this.#stored, tailedUntil });
  }

  get given(): GivenNamespaces {
    return this.#stored.given ?? {};
  }

  /** `drainMs`: how long until everybody has heard, if it is news. How long until everybody has, in milliseconds. */
  give(given: GivenNamespaces, drainMs: number, now: number): number {
    const { givenHeardOn = 0 } = this.#stored;
    if (canonicalJson(given) === canonicalJson(this.given)) return Math.max(0, givenHeardOn - now);
    this.#save({ ...this.#stored, given, givenHeardOn: now + drainMs });
    return drainMs;
  }

  arm(armedUntil: number): number {
    this.#save({ ...this.#stored, armedUntil });
    return armedUntil;
  }

  #save(stored: Stored): void {
    this.#stored = stored;
    this.#sql.exec(
      "INSERT OR REPLACE INTO settings (id, settings) VALUES (1, ?)",
      JSON.stringify(stored),
    );
  }
}
