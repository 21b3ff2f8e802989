import type { OverridePolicy } from "../domain/version-override.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { CurrentDeployments } from "./current-deployment.ts";
import type { VersionRunner } from "./version-runner.ts";

/** The gateway's inside, as its own modules share it. */
export interface GatewayParts {
  readonly current: CurrentDeployments;
  readonly runner: VersionRunner;
  readonly controlPlane: ControlPlane;
  readonly overridePolicy: OverridePolicy;
  readonly identifyVersions: boolean;
  readonly random: () => number;
  /** Calls in flight, by caller and target. */
  readonly serviceCalls: Map<string, number>;
}
