/**
 * The lock of one Worker: its deployments happen here, one at a time, and here alone is the register that
 * every route of the Worker reads. The object's name is the Worker's id.
 */
import { DurableObject } from "cloudflare:workers";
import {
  decideDeployment,
  type CurrentDeployment,
  type Deployment,
  type DeploymentCommand,
} from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import { parseWorkerId, type DeploymentId, type WorkerId } from "../domain/ids.ts";
import { IDEMPOTENCY_KEEP_MS } from "../domain/limits.ts";
import type { Intent } from "../domain/register.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { openDatabase, type Database } from "../store/database.ts";
import {
  abortDeployment,
  activateDeployments,
  commitDeployment,
  findNewestDeployment,
  toCurrentDeployment,
} from "../store/deployments.ts";
import { findVersionOwners } from "../store/versions.ts";
import { findWorkerById } from "../store/workers.ts";
import { accountIdOf, deploymentVersionsMax } from "./config.ts";
import { DurableRegister, type LedgerHooks } from "./durable-register.ts";

/** A deployment on its way: what readers get, and what history will say. */
interface Release {
  readonly current: CurrentDeployment;
  readonly deployment: Deployment;
}

export interface DeployRequest {
  readonly command: DeploymentCommand;
  readonly deploymentId: DeploymentId;
  /** Null: every call is a deployment of its own. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
}

export class WorkerLock extends DurableObject<Env> {
  readonly #db: Database;
  readonly #register: DurableRegister<Release>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(env.DB);
    ctx.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS idempotency
       (key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, deployment TEXT NOT NULL, at INTEGER NOT NULL)`,
    );
    this.#register = new DurableRegister(ctx.storage, this.#ledger(), env.FAULT_POINT);
    if (this.#register.isNew) {
      // Only an object without memory asks: after a restore the ledger may know deployments that it does not.
      void ctx.blockConcurrencyWhile(() => this.#adoptLedger());
    }
  }

  /** The Worker's current deployment; null when it has none. Linearizable. */
  current(): CurrentDeployment | null {
    return this.#register.visible?.value.current ?? null;
  }

  /** {@link current}, after history has heard of everything that is visible. */
  async settledCurrent(): Promise<CurrentDeployment | null> {
    if (this.#register.isUnsettled) await this.#register.serialize(() => this.#register.recover());
    return this.current();
  }

  /** Deploy. When it returns a deployment, every later request on every route is routed by it. */
  async deploy(request: DeployRequest): Promise<Result<Deployment, DomainError>> {
    const done = await this.#register.serialize(() => this.#deploy(request));
    return done.ok ? done.value : done;
  }

  override async alarm(): Promise<void> {
    await this.#register.onAlarm();
  }

  async #deploy(request: DeployRequest): Promise<Result<Deployment, DomainError>> {
    const recovered = await this.#register.recover();
    if (!recovered.ok) return recovered;
    const { command, idempotency } = request;
    if (idempotency !== null) {
      const known = this.#findKeyed(idempotency);
      if (known !== null) return known;
    }
    const workerId = this.#workerId();
    const worker = await findWorkerById(this.#db, workerId);
    if (worker === null) return err({ kind: "worker_not_found" });
    const ids = command.versions.map((share) => share.versionId.toLowerCase());
    const plan = decideDeployment(
      {
        workerId,
        current: this.current(),
        versions: await findVersionOwners(this.#db, worker.accountId, ids),
        versionsMax: deploymentVersionsMax(this.env),
      },
      command,
    );
    if (!plan.ok) return plan;

    const previous = this.#register.visible?.value.deployment.createdOn ?? 0;
    const deployment: Deployment = {
      id: request.deploymentId,
      workerId,
      seq: this.#register.nextSeq,
      // Clients order deployments by their time as text: two of a Worker never share one.
      createdOn: Math.max(Date.now(), previous + 1),
      triggeredBy: command.triggeredBy,
      message: command.message,
      author: command.author,
      versions: plan.value.versions.map(({ versionId, percentage }) => ({ versionId, percentage })),
    };
    const current = {
      seq: deployment.seq,
      deploymentId: deployment.id,
      versions: plan.value.versions,
    };
    const changed = await this.#register.change(crypto.randomUUID(), { current, deployment }, () =>
      this.#remember(idempotency, deployment),
    );
    return changed.ok ? ok(deployment) : changed;
  }

  #ledger(): LedgerHooks<Release> {
    return {
      commit: ({ value: { deployment }, intentId }) =>
        commitDeployment(this.#db, accountIdOf(this.env), deployment, intentId, {
          id: deployment.id,
          at: deployment.createdOn,
          actorId: deployment.author.id,
          actorEmail: deployment.author.email,
          action: "deployment.create",
          target: `worker:${deployment.workerId}`,
          details: {
            deployment: deployment.id,
            seq: deployment.seq,
            versions: deployment.versions,
            message: deployment.message,
            source: deployment.author.source,
          },
        }),
      activate: (seq) => activateDeployments(this.#db, this.#workerId(), seq, Date.now()),
      abort: ({ value, intentId }: Intent<Release>) =>
        abortDeployment(this.#db, value.deployment, intentId),
      flipped: () => {},
      abandoned: ({ value }) => {
        this.ctx.storage.sql.exec(
          "DELETE FROM idempotency WHERE deployment ->> 'id' = ?",
          value.deployment.id,
        );
      },
    };
  }

  async #adoptLedger(): Promise<void> {
    const newest = await findNewestDeployment(this.#db, this.#workerId());
    if (newest.maxSeq === 0) return;
    if (newest.deployment === null) {
      this.#register.adopt({ visible: null, pending: null, nextSeq: newest.maxSeq + 1, settledSeq: 0 });
      return;
    }
    const { deployment, intentId } = newest;
    const current = await toCurrentDeployment(this.#db, deployment);
    // A row that is still `committing` may have been visible: finishing it is the only answer that is never wrong.
    this.#register.adopt({
      visible: { seq: deployment.seq, value: { current, deployment } },
      pending: null,
      nextSeq: newest.maxSeq + 1,
      settledSeq: newest.status === "active" ? deployment.seq : 0,
    });
    console.log(
      JSON.stringify({ level: "warn", event: "lock_adopted_ledger", worker: deployment.workerId, seq: deployment.seq, intentId }),
    );
  }

  #findKeyed(idempotency: { key: string; bodyHash: string }): Result<Deployment, DomainError> | null {
    const row = this.ctx.storage.sql
      .exec<{ body_hash: string; deployment: string }>(
        "SELECT body_hash, deployment FROM idempotency WHERE key = ?",
        idempotency.key,
      )
      .toArray()[0];
    if (row === undefined) return null;
    if (row.body_hash !== idempotency.bodyHash) {
      return err({ kind: "idempotency_key_reused", key: idempotency.key });
    }
    return ok(JSON.parse(row.deployment) as Deployment);
  }

  #remember(idempotency: { key: string; bodyHash: string } | null, deployment: Deployment): void {
    if (idempotency === null) return;
    const { sql } = this.ctx.storage;
    sql.exec("DELETE FROM idempotency WHERE at < ?", deployment.createdOn - IDEMPOTENCY_KEEP_MS);
    sql.exec(
      "INSERT INTO idempotency (key, body_hash, deployment, at) VALUES (?, ?, ?, ?)",
      idempotency.key,
      idempotency.bodyHash,
      JSON.stringify(deployment),
      deployment.createdOn,
    );
  }

  #workerId(): WorkerId {
    const id = parseWorkerId(this.ctx.id.name ?? "");
    if (id === null) throw new Error("worker lock: the object's name has to be a Worker's id");
    return id;
  }
}
