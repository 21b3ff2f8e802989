/** Where a rollback goes that names no version. */
import type { DeploymentId, VersionId } from "./ids.ts";

/** A version that once had all of the traffic. */
export interface RollbackCandidate {
  readonly versionId: VersionId;
  readonly number: number;
  readonly tag: string | null;
  /** The last deployment in which it had all of it. */
  readonly last: { readonly id: DeploymentId; readonly seq: number; readonly createdOn: number };
  /** It was stopped then, because it took its process down again and again, and nobody has reset it. */
  readonly isStopped: boolean;
}

export type SkipReason = "current" | "left_by_rollback" | "stopped";

export interface Skipped {
  readonly versionId: VersionId;
  readonly reason: SkipReason;
}

export interface RollbackChoice {
  readonly target: RollbackCandidate | null;
  /** Those that would have come before it. */
  readonly skipped: readonly Skipped[];
}

/** What must not be chosen. */
export interface RollbackStand {
  readonly current: ReadonlySet<string>;
  /** By the rollbacks that follow each other up to the current deployment: going there again would undo them. */
  readonly left: ReadonlySet<string>;
}

/** The last version that was fully deployed and is none of these. `candidates`: the last one first. */
export function chooseRollbackTarget(
  candidates: readonly RollbackCandidate[],
  stand: RollbackStand,
): RollbackChoice {
  const skipped: Skipped[] = [];
  for (const candidate of candidates) {
    const reason = whySkipped(candidate, stand);
    if (reason === null) return { target: candidate, skipped };
    skipped.push({ versionId: candidate.versionId, reason });
  }
  return { target: null, skipped };
}

function whySkipped(
  { versionId, isStopped }: RollbackCandidate,
  { current, left }: RollbackStand,
): SkipReason | null {
  if (current.has(versionId)) return "current";
  if (left.has(versionId)) return "left_by_rollback";
  return isStopped ? "stopped" : null;
}
