import type { CurrentDeployment } from "../domain/deployment.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { RouteTable } from "../domain/route-table.ts";
import type { LoadableVersion } from "../domain/version.ts";

/**
 * All that the gateway ever asks of the control plane. The composition root hands it in: direct calls in
 * one process, RPC between processes, plain functions in tests. Every answer is plain data.
 */
export interface ControlPlane {
  /** The Worker's current deployment, linearizable; null when it has none. */
  currentDeployment(workerId: WorkerId): Promise<CurrentDeployment | null>;
  /** The route table, linearizable; without `table` when `knownSeq` is still current. */
  routeTable(knownSeq: number): Promise<{ readonly seq: number; readonly table?: RouteTable }>;
  /** The id of the version that a preview label names now (aliases move); null when there is none. */
  previewVersion(workerId: WorkerId, label: string): Promise<VersionId | null>;
  /** A version with its modules and environment; null when this Worker has no such version. */
  version(workerId: WorkerId, versionId: VersionId): Promise<LoadableVersion | null>;
}
