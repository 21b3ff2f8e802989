/**
 * The lock of one Worker: its deployments happen here, one at a time, and here alone is the register that
 * every route of the Worker reads. The object's name is the Worker's id.
 */
import { DurableObject } from "cloudflare:workers";
import { toStopped, type Breaker, type Stopped } from "../domain/breaker.ts";
import {
  isOlder,
  type CurrentDeployment,
  type Deployment,
  type TrafficShare,
} from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import { parseWorkerId, type DeploymentId, type VersionId, type WorkerId } from "../domain/ids.ts";
import type { LeaseSettings } from "../domain/lease-settings.ts";
import { ARMED_LEASE_MS, ARMED_MS, QUEUED_LEASE_MS } from "../domain/limits.ts";
import type { Receipt } from "../domain/receipt.ts";
import { err, type Result } from "../domain/result.ts";
import { logEvent } from "../observability/log.ts";
import { listOpenBreakers } from "../store/breakers.ts";
import { openDatabase, type Database } from "../store/database.ts";
import {
  abortDeployment,
  activateDeployments,
  commitDeployment,
  readHistoryEnd,
  toCurrentDeployment,
} from "../store/deployments.ts";
import { findGiven } from "../store/durable-state.ts";
import { findWorkerById } from "../store/workers.ts";
import { accountIdOf, deploymentVersionsMax, leaseSkewMsOf, leaseTermsOf } from "./config.ts";
import type { DeployRequest } from "./deploy-request.ts";
import type { DeploymentLease } from "./deployment-lease.ts";
import { DeploymentRequests, type Keyed } from "./deployment-requests.ts";
import type { Progress } from "./drive.ts";
import { deployableMaxOf } from "./deployable-versions.ts";
import { planDeployment, type PlannedDeployment } from "./deployment-facts.ts";
import { DurableRegister, type LedgerHooks } from "./durable-register.ts";
import { LockBreakers } from "./lock-breakers.ts";
import { leaseSettingsOf, LockSettings } from "./lock-settings.ts";
import { newDeployment } from "./new-deployment.ts";
import type { RoutingLock } from "./routing-lock.ts";
import { SecretBox } from "./secret-box.ts";
import { tellGivers } from "./tell-givers.ts";

/** A deployment on its way: what readers get, and what history will say. */
interface Release {
  readonly current: CurrentDeployment;
  readonly deployment: Deployment;
}

/** How far a deployment is. Draining: durable, in the ledger, and waiting for leases to end. */
export type DeployProgress = Progress<
  | { readonly state: "refused"; readonly error: DomainError }
  | { readonly state: "visible"; readonly deployment: Deployment; readonly receipt: Receipt }
>;

export class WorkerLock extends DurableObject<Env> {
  readonly #db: Database;
  readonly #register: DurableRegister<Release>;
  readonly #requests: DeploymentRequests;
  readonly #settings: LockSettings;
  readonly #breakers: LockBreakers;
  readonly #secrets: SecretBox;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(env.DB);
    this.#secrets = new SecretBox(env.SECRETS_KEY);
    this.#requests = new DeploymentRequests(ctx.storage.sql);
    this.#settings = new LockSettings(ctx.storage.sql, () => leaseTermsOf(env));
    this.#breakers = new LockBreakers(ctx.storage.sql);
    this.#register = new DurableRegister(
      ctx.storage,
      this.#ledger(),
      {
        terms: (isWaitedFor) => {
          const terms = this.#settings.terms(Date.now());
          // While others wait for their turn leases are short, so that each of their drains is.
          return isWaitedFor
            ? { ...terms, leaseMs: Math.min(terms.leaseMs, QUEUED_LEASE_MS) }
            : terms;
        },
        skewMs: leaseSkewMsOf(env),
      },
      env.FAULT_POINT,
    );
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
    // Whoever works on it already tells history too; a reader does not wait for a ledger that does not answer.
    if (this.#register.isUnsettled && !this.#register.isWorking) {
      await this.#register.exclusively(() => this.#register.push());
    }
    return this.current();
  }

  /** {@link current} under a lease. Reads no storage; at most writes its authority down. */
  lease(): DeploymentLease {
    const grant = this.#register.lease();
    const upcoming = this.#register.pending?.value.current.versions ?? [];
    return {
      grant,
      current: this.current(),
      upcoming: upcoming.map((share) => share.versionId),
      settings: this.#settings.worker,
      stopped: this.#stopped(),
      tailed: this.isTailed(),
      given: this.#settings.given,
    };
  }

  /** Begin a deployment, when its turn comes. Beginning the same one again tells how far it is. */
  async begin(request: DeployRequest): Promise<DeployProgress> {
    const key = request.idempotency ?? { key: request.deploymentId, bodyHash: "" };
    const known = this.#known(key);
    if (known !== null) return known;
    // Before anybody is sent away for it: a rollback that cannot be made makes no way.
    const plan = await this.#decide(request);
    if (!plan.ok) return refused(plan.error);
    const { turns } = this.#register;
    // In the queue first: whoever comes from now on comes after it.
    const turn = turns.enter(plan.value.isRollback, Date.now());
    if (plan.value.isRollback) await this.#giveUpForward(plan.value.versions);
    if (this.#register.isAborting) await this.#retryAbort();
    const granted = await turn;
    if (!granted.ok) return this.#sendAway(request, key, granted.error);
    return this.#register.exclusively(() => this.#begin(request, key));
  }

  /** Carry a begun deployment on, as far as it can go now. */
  async confirm(deploymentId: DeploymentId): Promise<DeployProgress> {
    await this.#register.exclusively(() => this.#register.push());
    return this.progress(deploymentId) ?? refused({ kind: "outcome_unknown", waitedMs: null });
  }

  /** How far a deployment is, without carrying it on; null when this lock does not know it. */
  progress(deploymentId: DeploymentId): DeployProgress | null {
    const request = this.#requests.byDeployment(deploymentId);
    if (request === null) return null;
    const { deployment, outcome } = request;
    if (outcome?.kind === "visible")
      return { state: "visible", deployment, receipt: outcome.receipt };
    if (outcome?.kind === "given_up") return refused(outcome.error);
    return { state: "draining", id: deployment.id, waitMs: this.#register.drainMs(Date.now()) };
  }

  /** Shorten leases for a while, because somebody is about to roll back. */
  arm(): { armedUntil: number; leaseMs: number } {
    return { armedUntil: this.#settings.arm(Date.now() + ARMED_MS), leaseMs: ARMED_LEASE_MS };
  }

  /** This Worker's own lease length and what its gateways do when they are cut off. */
  configure(settings: LeaseSettings): LeaseSettings {
    return this.#settings.configure(settings);
  }

  /** Have gateways tell what they run, until then. Milliseconds until every one has heard. */
  noteTails(until: number): number {
    this.#settings.tail(until);
    return this.#register.drainMs(Date.now());
  }

  /** Look at what has gone to other Workers, and have everybody told. Milliseconds until every one has heard. */
  async noteGiven(): Promise<number> {
    const given = await findGiven(this.#db, this.#workerId());
    const now = Date.now();
    return this.#settings.give(given, this.#register.drainMs(now), now);
  }

  isTailed(): boolean {
    return this.#settings.isTailed(Date.now());
  }

  leaseSettings(): LeaseSettings {
    return this.#settings.worker;
  }

  /** Stop a version until the next deployment, or {@link resume}. The breaker that holds: it may have had one. */
  stop(id: string, stopped: Stopped): Breaker {
    const deploymentSeq = this.current()?.seq ?? 0;
    return this.#breakers.trip({ ...toStopped(stopped), id, deploymentSeq });
  }

  /** False when the version was not stopped. */
  resume(versionId: VersionId): boolean {
    return this.#breakers.reset(versionId, this.current()?.seq ?? 0);
  }

  override async alarm(): Promise<void> {
    await this.#register.onAlarm();
  }

  /** Under the turn: decide again, and start. Gives the turn back unless a change is under way. */
  async #begin(request: DeployRequest, key: Keyed): Promise<DeployProgress> {
    let started = false;
    try {
      const known = this.#known(key);
      if (known !== null) return known;
      if (this.#register.isAborting) return refused({ kind: "ledger_unavailable" });
      const plan = await this.#decide(request);
      if (!plan.ok) return refused(plan.error);
      if (this.#register.turns.hasUrgent && !plan.value.isRollback) {
        return this.#sendAway(request, key, { kind: "superseded_by_rollback" });
      }
      const previous = this.#register.visible?.value.deployment.createdOn ?? 0;
      const deployment = newDeployment(request, plan.value, {
        workerId: this.#workerId(),
        seq: this.#register.nextSeq,
        // Clients order deployments by their time as text: two of a Worker never share one.
        createdOn: Math.max(Date.now(), previous + 1),
        current: this.current(),
      });
      const { versions } = plan.value;
      const current = { seq: deployment.seq, deploymentId: deployment.id, versions };
      started = true;
      await this.#register.start(crypto.randomUUID(), { current, deployment }, () =>
        this.#requests.remember(key, deployment, Date.now()),
      );
      return this.progress(deployment.id) ?? refused({ kind: "ledger_unavailable" });
    } finally {
      if (!started) this.#register.turns.release(Date.now());
    }
  }

  /** The one decision, on what the ledger and this object know now. */
  async #decide({
    command,
    d1Applied = {},
  }: DeployRequest): Promise<Result<PlannedDeployment, DomainError>> {
    try {
      const worker = await findWorkerById(this.#db, this.#workerId());
      if (worker === null) return err({ kind: "worker_not_found" });
      const context = { db: this.#db, accountId: worker.accountId, secrets: this.#secrets };
      const standing = {
        current: this.current(),
        pending: this.#register.pending?.value.current ?? null,
        versionsMax: deploymentVersionsMax(this.env),
        deployableMax: deployableMaxOf(this.env, worker),
        d1Applied,
      };
      return await planDeployment(context, worker, standing, command);
    } catch (error) {
      logEvent("warn", "ledger_unreachable", { error: String(error) });
      return err({ kind: "ledger_unavailable" });
    }
  }

  /** Give up what is on its way forward, and would undo a rollback to `target`. */
  #giveUpForward(target: readonly TrafficShare[]): Promise<void> {
    return this.#register.exclusively(async () => {
      const pending = this.#register.pending?.value.current.versions;
      if (pending === undefined || !isOlder(target, pending)) return;
      await this.#register.giveUp({ kind: "superseded_by_rollback" });
    });
  }

  /** The ledger may be back, and with it the turn that a given-up change still holds. */
  async #retryAbort(): Promise<void> {
    await this.#register.exclusively(() => this.#register.push()).catch(() => undefined);
    if (this.#register.isAborting) this.#register.turns.refuseAll({ kind: "ledger_unavailable" });
  }

  #sendAway(request: DeployRequest, key: Keyed, error: DomainError): DeployProgress {
    if (request.idempotency !== null && error.kind === "superseded_by_rollback") {
      this.#requests.rememberRefusal(key, request.deploymentId, error, Date.now());
    }
    return refused(error);
  }

  #known(key: Keyed): DeployProgress | null {
    const found = this.#requests.find(key);
    if (found === null) return null;
    return found.ok ? this.progress(found.value) : refused(found.error);
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
      activate: async ({ seq, value: { deployment } }, settledSeq) => {
        const coverage = await this.#coverage().catch(() => null);
        this.#requests.acknowledge(deployment.id, coverage, Date.now());
        const receipts = this.#requests.receiptsAfter(settledSeq);
        await activateDeployments(this.#db, this.#workerId(), seq, Date.now(), receipts);
        if (await tellGivers(this.#db, this.env.WORKER_LOCK, deployment)) await this.noteGiven();
      },
      abort: ({ value, intentId }) => abortDeployment(this.#db, value.deployment, intentId),
      flipped: ({ value: { deployment } }, times) => this.#requests.flipped(deployment, times),
      abandoned: ({ value: { deployment } }, reason) =>
        this.#requests.giveUp(deployment.id, reason),
      fenced: () => this.#adoptLedger(),
      restampsAborted: false,
    };
  }

  /** Of the versions that serve; those of others are told with their previews. */
  #stopped(): readonly Stopped[] {
    const current = this.current();
    return this.#breakers
      .inForce(current?.seq ?? 0)
      .filter(({ versionId }) => current?.versions.some((share) => share.versionId === versionId))
      .map(toStopped);
  }

  #coverage() {
    const routing = this.env.ROUTING_LOCK.getByName(
      accountIdOf(this.env),
    ) as unknown as DurableObjectStub<RoutingLock>;
    return routing.coverage(this.#workerId());
  }

  async #adoptLedger(): Promise<void> {
    const [history, breakers, given] = await Promise.all([
      readHistoryEnd(this.#db, this.#workerId()),
      listOpenBreakers(this.#db, this.#workerId()),
      findGiven(this.#db, this.#workerId()),
    ]);
    this.#breakers.adopt(breakers);
    if (history.maxSeq === 0) return;
    const worker = await findWorkerById(this.#db, this.#workerId());
    if (worker !== null) this.#settings.configure(leaseSettingsOf(worker));
    const { active, undecided } = history;
    const release = async (deployment: Deployment): Promise<Release> => ({
      deployment,
      current: await toCurrentDeployment(this.#db, deployment),
    });
    // A row that is still `committing` may have been visible: finishing it is the only outcome that is never wrong,
    // and until then nobody may be told that it is, or that it is not.
    this.#register.adopt(
      {
        visible: active === null ? null : { seq: active.seq, value: await release(active) },
        pending:
          undecided === null
            ? null
            : {
                seq: undecided.deployment.seq,
                intentId: undecided.intentId,
                value: await release(undecided.deployment),
                aborting: false,
              },
        nextSeq: history.maxSeq + 1,
        settledSeq: active?.seq ?? 0,
      },
      undecided === null ? "decided" : "undecided",
    );
    this.#settings.give(given, this.#register.drainMs(Date.now()), Date.now());
    if (undecided !== null) {
      const { deployment } = undecided;
      const own = { key: deployment.id, bodyHash: "" };
      if (this.#requests.byDeployment(deployment.id) === null) {
        this.#requests.remember(own, deployment, Date.now());
      }
      await this.ctx.storage.setAlarm(Date.now());
    }
    logEvent("warn", "lock_adopted_ledger", { worker: this.#workerId(), seq: history.maxSeq });
  }

  #workerId(): WorkerId {
    const id = parseWorkerId(this.ctx.id.name ?? "");
    if (id === null) throw new Error("worker lock: the object's name has to be a Worker's id");
    return id;
  }
}

const refused = (error: DomainError): DeployProgress => ({ state: "refused", error });
