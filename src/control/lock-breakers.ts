/** The breakers that one lock keeps, so that a lease can tell of them without a question to the database. */
import { inForce, withoutVersion, withTripped, type Breaker } from "../domain/breaker.ts";
import type { VersionId } from "../domain/ids.ts";

export class LockBreakers {
  readonly #sql: SqlStorage;
  /** Those of earlier deployments too, until the next one trips: a deployment need not write to void them. */
  #breakers: readonly Breaker[];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS breakers (id INTEGER PRIMARY KEY CHECK (id = 1), breakers TEXT NOT NULL)",
    );
    const row = sql.exec<{ breakers: string }>("SELECT breakers FROM breakers").toArray()[0];
    this.#breakers = row === undefined ? [] : (JSON.parse(row.breakers) as Breaker[]);
  }

  /** While the deployment `seq` is current. */
  inForce(seq: number): readonly Breaker[] {
    return this.#breakers.length === 0 ? this.#breakers : inForce(this.#breakers, seq);
  }

  /** The breaker that holds from now on: this one, or the one that the version has already. */
  trip(tripped: Breaker): Breaker {
    const { breakers, held } = withTripped(this.#breakers, tripped);
    if (held === tripped) this.adopt(breakers);
    return held;
  }

  /** False when none holds for this version while the deployment `seq` is current. */
  reset(versionId: VersionId, seq: number): boolean {
    const valid = this.inForce(seq);
    const left = withoutVersion(valid, versionId);
    if (left.length === valid.length) return false;
    this.adopt(left);
    return true;
  }

  /** Keep these and no others. */
  adopt(breakers: readonly Breaker[]): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO breakers (id, breakers) VALUES (1, ?)",
      JSON.stringify(breakers),
    );
    this.#breakers = breakers;
  }
}
