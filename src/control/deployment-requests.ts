/**
 * What a lock was asked to deploy, by key, and what became of it. An answer that was lost on its way is found
 * here again; a deployment that was given up is known to have been.
 */
import type { Deployment } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { DeploymentId } from "../domain/ids.ts";
import { IDEMPOTENCY_KEEP_MS } from "../domain/limits.ts";
import type { Coverage, Receipt } from "../domain/receipt.ts";
import { err, ok, type Result } from "../domain/result.ts";

export interface Keyed {
  readonly key: string;
  /** Hash of what was asked for; the same key may not ask for something else. */
  readonly bodyHash: string;
}

export type DeployOutcome =
  | {
      readonly kind: "visible";
      readonly receipt: Receipt;
      /** The answer may have been released with this receipt. */
      readonly isAcknowledged: boolean;
    }
  | { readonly kind: "given_up"; readonly error: DomainError };

interface Row extends Record<string, SqlStorageValue> {
  readonly body_hash: string;
  readonly deployment_id: string;
  readonly deployment: string;
  readonly outcome: string | null;
  readonly at: number;
}

export class DeploymentRequests {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, body_hash TEXT NOT NULL,
       deployment_id TEXT NOT NULL UNIQUE, deployment TEXT NOT NULL, outcome TEXT, at INTEGER NOT NULL)`,
    );
  }

  /** The deployment made for a key; null when the key is new. */
  find({ key, bodyHash }: Keyed): Result<DeploymentId, DomainError> | null {
    const row = this.#one("key", key);
    if (row === null) return null;
    return row.body_hash === bodyHash
      ? ok(row.deployment_id as DeploymentId)
      : err({ kind: "idempotency_key_reused", key });
  }

  byDeployment(id: DeploymentId): { deployment: Deployment; outcome: DeployOutcome | null } | null {
    const row = this.#one("deployment_id", id);
    if (row === null) return null;
    return {
      deployment: JSON.parse(row.deployment) as Deployment,
      outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as DeployOutcome),
    };
  }

  /** In the transaction of the intent. */
  remember({ key, bodyHash }: Keyed, deployment: Deployment, now: number): void {
    this.#sql.exec("DELETE FROM requests WHERE at < ?", now - IDEMPOTENCY_KEEP_MS);
    this.#sql.exec(
      "INSERT INTO requests (key, body_hash, deployment_id, deployment, at) VALUES (?, ?, ?, ?, ?)",
      key,
      bodyHash,
      deployment.id,
      JSON.stringify(deployment),
      now,
    );
  }

  /** A keyed call that was sent away before it began: its retry is sent away too. */
  rememberRefusal(
    { key, bodyHash }: Keyed,
    id: DeploymentId,
    error: DomainError,
    now: number,
  ): void {
    const outcome: DeployOutcome = { kind: "given_up", error };
    this.#sql.exec(
      "INSERT OR IGNORE INTO requests (key, body_hash, deployment_id, deployment, outcome, at) VALUES (?, ?, ?, 'null', ?, ?)",
      key,
      bodyHash,
      id,
      JSON.stringify(outcome),
      now,
    );
  }

  /** In the transaction that makes it visible. */
  flipped(deployment: Deployment, times: { drainedOn: number; flippedOn: number }): void {
    const row = this.#one("deployment_id", deployment.id);
    const acceptedOn = row?.at ?? times.flippedOn;
    const receipt: Receipt = {
      deploymentId: deployment.id,
      seq: deployment.seq,
      acceptedOn,
      drainedOn: Math.max(acceptedOn, times.drainedOn),
      flippedOn: times.flippedOn,
      acknowledgedOn: times.flippedOn,
      versions: deployment.versions,
      coverage: null,
    };
    this.#setOutcome(deployment.id, { kind: "visible", receipt, isAcknowledged: false });
  }

  /** Complete the receipt, when the answer is about to be released; once, so that what was told stays true. */
  acknowledge(id: DeploymentId, coverage: Coverage | null, acknowledgedOn: number): void {
    const outcome = this.byDeployment(id)?.outcome;
    if (outcome?.kind !== "visible" || outcome.isAcknowledged) return;
    const receipt = { ...outcome.receipt, coverage, acknowledgedOn };
    this.#setOutcome(id, { kind: "visible", receipt, isAcknowledged: true });
  }

  /** The receipts of what became visible after `seq`. */
  receiptsAfter(seq: number): Receipt[] {
    return this.#sql
      .exec<{ outcome: string }>(
        "SELECT outcome FROM requests WHERE outcome IS NOT NULL AND deployment ->> 'seq' > ?",
        seq,
      )
      .toArray()
      .map((row) => JSON.parse(row.outcome) as DeployOutcome)
      .flatMap((outcome) => (outcome.kind === "visible" ? [outcome.receipt] : []));
  }

  /**
   * In the transaction that gives it up. A key whose deployment failed on the way may be tried again; one that a
   * rollback overtook may not, or the retry would undo the rollback.
   */
  giveUp(id: DeploymentId, error: DomainError): void {
    this.#setOutcome(id, { kind: "given_up", error });
    if (error.kind !== "superseded_by_rollback") {
      this.#sql.exec(
        "UPDATE requests SET key = 'given up: ' || deployment_id WHERE deployment_id = ?",
        id,
      );
    }
  }

  #setOutcome(id: DeploymentId, outcome: DeployOutcome): void {
    this.#sql.exec(
      "UPDATE requests SET outcome = ? WHERE deployment_id = ?",
      JSON.stringify(outcome),
      id,
    );
  }

  #one(column: "key" | "deployment_id", value: string): Row | null {
    const rows = this.#sql.exec<Row>(`SELECT * FROM requests WHERE ${column} = ?`, value).toArray();
    return rows[0] ?? null;
  }
}
