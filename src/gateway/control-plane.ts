import type { Stopped } from "../domain/breaker.ts";
import type { ServedAssets } from "../domain/assets/served-assets.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { GivenNamespaces } from "../domain/given-namespaces.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { Grant } from "../domain/lease.ts";
import type { IsolationPolicy } from "../domain/lease-settings.ts";
import type { RouteTable } from "../domain/route-table.ts";
import type { TailBatch } from "../domain/tail-event.ts";
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
  /** Somebody is tailing the Worker: its versions are run so that the runtime tells of them. */
  readonly tailed: boolean;
  /** Classes of Durable Objects that the Worker has given to others. */
  readonly given: GivenNamespaces;
}

/** The same about the route table; without `table` when `seq` is the one that the asker has. */
export interface RoutingAnswer {
  readonly grant: Grant;
  readonly seq: number;
  readonly table?: RouteTable;
}

/** A version that a preview host names. */
export interface PreviewAnswer {
  readonly versionId: VersionId;
  /** Why it must not be run, if so. */
  readonly stopped: Stopped | null;
  /** Somebody is tailing the Worker: previews hold no lease that would say so. */
  readonly tailed: boolean;
}

/** Bytes of an asset. */
export interface AssetPart {
  readonly offset: number;
  readonly length: number;
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
  /** What a preview label names now (aliases move); null when it names nothing. */
  previewVersion(workerId: WorkerId, label: string): Promise<PreviewAnswer | null>;
  /** A version with its modules and environment; null when this Worker has no such version. */
  version(workerId: WorkerId, versionId: VersionId): Promise<LoadableVersion | null>;
  /** A version's static assets; null when it has none. */
  assets(workerId: WorkerId, versionId: VersionId): Promise<ServedAssets | null>;
  /** `Fallback[]` as JSON: files that only versions deployed earlier have. */
  assetFallbacks(workerId: WorkerId, versionId: VersionId): Promise<string>;
  /** The bytes of a file, or a part that lies within them; null when they are not stored. */
  assetBytes(sha256: string, part: AssetPart | null): Promise<ReadableStream<Uint8Array> | null>;
  tailEvents(workerId: WorkerId, batch: TailBatch): Promise<void>;
}
