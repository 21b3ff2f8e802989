import type { Stopped } from "../domain/breaker.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { GivenNamespaces } from "../domain/given-namespaces.ts";
import type { VersionId } from "../domain/ids.ts";
import type { Grant } from "../domain/lease.ts";
import type { LeaseSettings } from "../domain/lease-settings.ts";

/** A gateway's answer: a lease, what it is a lease on, and what to do when the lock is out of reach. */
export interface DeploymentLease {
  readonly grant: Grant;
  readonly current: CurrentDeployment | null;
  /** Versions that may become visible next: loading them now makes the first request after it quick. */
  readonly upcoming: readonly VersionId[];
  readonly settings: LeaseSettings;
  /** Versions of `current` that must not be run. */
  readonly stopped: readonly Stopped[];
  /** Somebody is tailing the Worker. */
  readonly tailed: boolean;
  /** What the Worker has given to others. */
  readonly given: GivenNamespaces;
}
