/**
 * Who took a gateway down, as far as that is known: each version's share of one strike. Exact when a version was
 * alone in the process. In company the likeliest get 1/k of k versions and the others half of that: never more
 * than an even share, so that an innocent's shares sum to less than one strike while its group is being halved.
 */
import type { VersionId, WorkerId } from "../ids.ts";

export interface RunVersion {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

export interface Blame extends RunVersion {
  /** Share of a strike, in (0, 1]. */
  readonly weight: number;
}

/** `versions` with `prime`: those that are likelier the cause; if there are none, all are alike. */
export function sharesOf(
  versions: readonly { readonly version: RunVersion; readonly prime: boolean }[],
): readonly Blame[] {
  const even = 1 / versions.length;
  const anyPrime = versions.some(({ prime }) => prime);
  return versions.map(({ version: { workerId, versionId }, prime }) => ({
    workerId,
    versionId,
    weight: prime || !anyPrime ? even : even / 2,
  }));
}
