import type { OverridePolicy } from "../domain/version-override.ts";
import type { AssetServer } from "./assets/asset-server.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { CurrentDeployments } from "./current-deployment.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { GivenClasses } from "./given-classes.ts";
import type { PreviewAsks } from "./preview-asks.ts";
import type { StoppedVersions } from "./stopped-versions.ts";
import type { TailDispatches } from "./tail-dispatches.ts";
import type { TailSender } from "./tail-sender.ts";
import type { TailedWorkers } from "./tailed-workers.ts";
import type { VersionRunner } from "./version-runner.ts";
import type { WebSocketRelay } from "./websocket-relay.ts";

/** The gateway's inside, as its own modules share it. */
export interface GatewayParts {
  readonly current: CurrentDeployments;
  readonly runner: VersionRunner;
  readonly assets: AssetServer;
  readonly stopped: StoppedVersions;
  readonly controlPlane: ControlPlane;
  readonly previews: PreviewAsks;
  readonly overridePolicy: OverridePolicy;
  readonly identifyVersions: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  readonly metrics: GatewayMetrics;
  /** null: WebSockets pass as they are. */
  readonly relay: WebSocketRelay | null;
  readonly tailed: TailedWorkers;
  readonly given: GivenClasses;
  readonly tailDispatches: TailDispatches;
  readonly tailSender: TailSender;
  /** Calls in flight, by caller and target. */
  readonly serviceCalls: Map<string, number>;
}
