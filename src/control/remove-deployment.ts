/** Take a past deployment out of the lists. The one that serves traffic stays. */
import { decideDeploymentRemoval } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { DeploymentId } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findDeployment, removeDeployment as removeStored } from "../store/deployments.ts";
import type { ActingContext } from "./context.ts";

export async function removeDeployment(
  context: ActingContext,
  worker: Worker,
  id: DeploymentId,
): Promise<Result<void, DomainError>> {
  // A deployment never becomes current again, so what is decided here cannot be overtaken.
  const current = await context.workerLock(worker.id).settledCurrent();
  const allowed = decideDeploymentRemoval(current, id);
  if (!allowed.ok) return allowed;
  if ((await findDeployment(context.db, worker.id, id)) === null) {
    return err({ kind: "deployment_not_found", deploymentId: id });
  }
  const at = context.now();
  await removeStored(context.db, context.accountId, id, at, {
    id: context.newId(),
    at,
    actorId: context.actor.id,
    actorEmail: context.actor.email,
    action: "deployment.remove",
    target: `worker:${worker.id}`,
    details: { deployment: id },
  });
  return ok(undefined);
}
