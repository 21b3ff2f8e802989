/** Deploy versions of a Worker: checked at the door, then decided again and carried out under its lock. */
import { decideDeployment, type DeploymentCommand } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { DeploymentId } from "../domain/ids.ts";
import type { Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findVersionOwners } from "../store/versions.ts";
import type { ActingContext } from "./context.ts";
import { deploy, type Deployed } from "./deploy.ts";

export interface DeployOptions {
  readonly versionsMax: number;
  /** The client's Idempotency-Key with the hash of what it asked for; null when it sent none. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
}

export async function createDeployment(
  context: ActingContext,
  worker: Worker,
  command: DeploymentCommand,
  options: DeployOptions,
): Promise<Result<Deployed, DomainError>> {
  // A repeated key has to find its result even if the world has moved on, so only the lock may judge it.
  if (options.idempotency === null) {
    const ids = command.versions.map((share) => share.versionId.toLowerCase());
    const atTheDoor = decideDeployment(
      {
        workerId: worker.id,
        current: await context.workerLock(worker.id).current(),
        versions: await findVersionOwners(context.db, context.accountId, ids),
        versionsMax: options.versionsMax,
      },
      command,
    );
    if (!atTheDoor.ok) return atTheDoor;
  }
  return deploy(context, worker.id, {
    command,
    deploymentId: context.newId() as DeploymentId,
    idempotency: options.idempotency,
  });
}
