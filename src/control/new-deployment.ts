/** A deployment that was decided on, with its place in the history. */
import { leftBy, type CurrentDeployment, type Deployment } from "../domain/deployment.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { PlannedDeployment } from "./deployment-facts.ts";
import type { DeployRequest } from "./deploy-request.ts";

export interface Place {
  readonly workerId: WorkerId;
  readonly seq: number;
  readonly createdOn: number;
  readonly current: CurrentDeployment | null;
}

export function newDeployment(
  { command, deploymentId, d1Applied }: DeployRequest,
  { versions, isRollback, warnings }: PlannedDeployment,
  { workerId, seq, createdOn, current }: Place,
): Deployment {
  return {
    id: deploymentId,
    workerId,
    seq,
    createdOn,
    triggeredBy: isRollback ? "rollback" : command.triggeredBy,
    message: command.message,
    author: command.author,
    versions: versions.map(({ versionId, percentage }) => ({ versionId, percentage })),
    ...(isRollback && { left: leftBy(versions, current) }),
    ...(warnings.length > 0 && { warnings }),
    ...(d1Applied !== undefined && { d1Migrations: d1Applied }),
  };
}
