/** Deploy under a Worker's lock, from the first call until the deployment is visible. */
import type { Deployment } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { DeploymentId, WorkerId } from "../domain/ids.ts";
import { DRIVE_MS_MAX } from "../domain/limits.ts";
import type { Receipt } from "../domain/receipt.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { ControlContext } from "./context.ts";
import { calling, drive, outcomeUnknown, type Unknown } from "./drive.ts";
import type { DeployRequest } from "./deploy-request.ts";
import type { DeployProgress } from "./worker-lock.ts";

export interface Deployed {
  readonly deployment: Deployment;
  readonly receipt: Receipt;
}

/** When it returns a deployment, every later request on every route is routed by it. */
export async function deploy(
  context: ControlContext,
  workerId: WorkerId,
  request: DeployRequest,
): Promise<Result<Deployed, DomainError>> {
  const over = await drive(() => {
    const lock = context.workerLock(workerId);
    return {
      begin: () => lock.begin(request),
      confirm: (id: string) => lock.confirm(id as DeploymentId),
    };
  });
  if (typeof over === "string") return err(outcomeUnknown(over));
  return over.state === "refused" ? err(over.error) : ok(over);
}

/** Only until it is durable and in the history: it becomes visible by itself. */
export const accept = (
  context: ControlContext,
  workerId: WorkerId,
  request: DeployRequest,
): Promise<DeployProgress | Unknown> =>
  calling(() => context.workerLock(workerId).begin(request), Date.now() + DRIVE_MS_MAX);
