/** What a Worker's lock is asked to deploy. */
import type { D1AppliedById } from "../domain/d1-applied.ts";
import type { DeploymentCommand } from "../domain/deployment.ts";
import type { DeploymentId } from "../domain/ids.ts";
import type { Keyed } from "./deployment-requests.ts";

export interface DeployRequest {
  readonly command: DeploymentCommand;
  readonly deploymentId: DeploymentId;
  /** The client's Idempotency-Key. Null: the deployment's own id is the key. */
  readonly idempotency: Keyed | null;
  /** What was seen of the D1 databases in question just before; absent: there are none. */
  readonly d1Applied?: D1AppliedById;
}
