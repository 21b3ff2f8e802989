import type { DeploymentId, VersionId } from "./ids.ts";

/** The hosts and routes that read a Worker's register: all of them switched at the same instant. */
export interface Coverage {
  /** `<worker>.<workers domain>`, when it is on. */
  readonly workersHost: string | null;
  readonly routes: readonly string[];
  readonly domains: readonly string[];
}

/**
 * Proof of visibility: when a deployment became what every later request is routed by. Milliseconds since 1970,
 * on the lock's clock.
 */
export interface Receipt {
  readonly deploymentId: DeploymentId;
  readonly seq: number;
  /** T1: the intent was durable; from then on it could only happen whole or not at all. */
  readonly acceptedOn: number;
  /** No lease on what was served before was alive anywhere. */
  readonly drainedOn: number;
  /** T4: visible. */
  readonly flippedOn: number;
  /** The answer was released. */
  readonly acknowledgedOn: number;
  readonly versions: readonly { readonly versionId: VersionId; readonly percentage: number }[];
  /** Null when the route table could not be asked: the deployment covers them all the same. */
  readonly coverage: Coverage | null;
}
