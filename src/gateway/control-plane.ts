import type { Stopped } from "../domain/breaker.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { Grant } from "../domain/lease.ts";
import type { IsolationPolicy } from "../domain/lease-settings.ts";
import type { RouteTable } from "../domain/route-table.ts";
import type { LoadableVersion } from "../domain/version.ts";

/** A lock's answer about a Worker: the sequence number of `grant` is that of `current`, 0 for none. */
export interface DeploymentAnswer {
  readonly grant: Grant;
  readonly current: CurrentDeployment | null;
  /** Versions that may become visible next: loading them now makes the first request after it quick. */
  readonly upcoming: readonly VersionId[];
  readonly settings: IsolationPolicy;
  /** Versions of `current` that must not be run. */
  readonly stopped: readonly Stopped[];
}

/** The same about the route table; without `table` when `seq` is the one that the asker has. */
export interface RoutingAnswer {
  readonly grant: Grant;
  readonly seq: number;
  readonly table?: RouteTable;
}

/**
 * All that the gateway ever asks of the control plane. The composition root hands it in: direct calls in
 * one process, RPC between processes, plain functions in tests. Every answer is plain data.
 */
export interface ControlPlane {
  /** A lease on the Worker's current deployment. */
  leaseDeployment(workerId: WorkerId): Promise<DeploymentAnswer>;
  /** A lease on the route table. */
  leaseRouting(knownSeq: number): Promise<RoutingAnswer>;
  /** The second linearizable way to both, past the locks; `undecided` while only a lock can tell. */
  ledgerDeployment(
    workerId: WorkerId,
  ): Promise<{ readonly current: CurrentDeployment | null } | "undecided">;
  ledgerRouting(): Promise<{ readonly seq: number; readonly table: RouteTable } | "undecided">;
  /** The version that a preview label names now (aliases move), and whether it must not be run; null when there is none. */
  previewVersion(
    workerId: WorkerId,
    label: string,
  ): Promise<{ readonly versionId: VersionId; readonly stopped: Stopped | null } | null>;
  /** A version with its modules and environment; null when this Worker has no such version. */
  version(workerId: WorkerId, versionId: VersionId): Promise<LoadableVersion | null>;
}
