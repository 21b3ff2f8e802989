/**
 * Who took a gateway down, as far as that is known: each version's share of one strike. Exact when a version was
 * alone in the process. In company the likeliest gets 1/k of k versions and the others half of that: never more
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
  /** It was alone in the process, or had begun last and was not proven harmless. */
  readonly likeliest: boolean;
}

/** Shares for `versions`, each there once; `likeliest` is one of them, or null: all are alike. */
export function sharesOf(
  versions: readonly RunVersion[],
  likeliest: RunVersion | null,
): readonly Blame[] {
  const even = 1 / versions.length;
  return versions.map((version) => {
    const isLikeliest = versions.length === 1 || version === likeliest;
    const weight = isLikeliest || likeliest === null ? even : even / 2;
    const { workerId, versionId } = version;
    return { workerId, versionId, weight, likeliest: isLikeliest };
  });
}
