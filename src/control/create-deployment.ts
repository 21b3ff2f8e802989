/** Deploy versions of a Worker: checked at the door, then decided again and carried out under its lock. */
import type { DeploymentCommand } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { DeploymentId } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findGivers } from "../store/durable-state.ts";
import type { ActingContext } from "./context.ts";
import { accept, deploy, type Deployed } from "./deploy.ts";
import { outcomeUnknown } from "./drive.ts";
import { planDeployment } from "./deployment-facts.ts";
import { lookAtD1 } from "./look-at-d1.ts";
import { awaitGivers } from "./await-givers.ts";
import type { DeployRequest } from "./deploy-request.ts";
import type { DeployProgress } from "./worker-lock.ts";

export interface DeployOptions {
  readonly versionsMax: number;
  /** So many of the versions uploaded last may be deployed; null: all. */
  readonly deployableMax: number | null;
  /** The client's Idempotency-Key with the hash of what it asked for; null when it sent none. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
}

/** When it returns a deployment, every later request on every route is routed by it. */
export async function createDeployment(
  context: ActingContext,
  worker: Worker,
  command: DeploymentCommand,
  options: DeployOptions,
): Promise<Result<Deployed, DomainError>> {
  const request = await atTheDoor(context, worker, command, options);
  if (!request.ok) return request;
  const ids = command.versions.map((share) => share.versionId.toLowerCase());
  // Without the ledger nothing begins, but a repeated key still finds its result.
  const givers = await findGivers(context.db, ids).catch(() => []);
  const deployed = await deploy(context, worker.id, request.value);
  return deployed.ok ? awaitGivers(context, worker.id, deployed.value, givers) : deployed;
}

/** A deployment that is durable and in the history, and becomes visible by itself. */
export interface AcceptedDeployment {
  /** `visible` when the call repeats one that was carried out. */
  readonly progress: Exclude<DeployProgress, { readonly state: "refused" }>;
  /** Drives it on, so that it becomes visible as soon as it can instead of when the lock's alarm looks. */
  readonly finish: () => Promise<unknown>;
}

export async function acceptDeployment(
  context: ActingContext,
  worker: Worker,
  command: DeploymentCommand,
  options: DeployOptions,
): Promise<Result<AcceptedDeployment, DomainError>> {
  const request = await atTheDoor(context, worker, command, options);
  if (!request.ok) return request;
  const progress = await accept(context, worker.id, request.value);
  if (typeof progress === "string") return err(outcomeUnknown(progress));
  if (progress.state === "refused") return err(progress.error);
  return ok({ progress, finish: () => deploy(context, worker.id, request.value) });
}

async function atTheDoor(
  context: ActingContext,
  worker: Worker,
  command: DeploymentCommand,
  options: DeployOptions,
): Promise<Result<DeployRequest, DomainError>> {
  const ids = command.versions.map((share) => share.versionId.toLowerCase());
  const current = await context.workerLock(worker.id).current();
  // A repeated key has to find its result even if the world has moved on, so only the lock may judge it.
  if (options.idempotency === null) {
    const { versionsMax, deployableMax } = options;
    const standing = { current, pending: null, versionsMax, deployableMax, d1Applied: {} };
    const decided = await planDeployment(context, worker, standing, command);
    if (!decided.ok) return decided;
  }
  const serving = current?.versions.map((share) => share.versionId) ?? [];
  const d1Applied = await lookAtD1(context, [...serving, ...ids]);
  const deploymentId = context.newId() as DeploymentId;
  return ok({
    command,
    deploymentId,
    idempotency: options.idempotency,
    ...(Object.keys(d1Applied).length > 0 && { d1Applied }),
  });
}
