import type { AssetFile } from "../../domain/assets/asset-files.ts";
import type { Fallback } from "../../domain/assets/fallback-files.ts";
import { isHashedName } from "../../domain/assets/hashed-name.ts";
import type { VersionId, WorkerId } from "../../domain/ids.ts";
import { ASSET_FALLBACKS_KEPT_MAX } from "../../domain/limits-assets.ts";
import { ask } from "../ask.ts";
import type { ControlPlane } from "../control-plane.ts";
import { schedulerWait } from "../holder-clock.ts";
import { SharedFetches } from "../shared-fetches.ts";

export interface Found {
  readonly versionId: VersionId;
  readonly file: AssetFile;
}

type Index = ReadonlyMap<string, Found>;

interface AssetFallbacksOptions {
  readonly controlPlane: Pick<ControlPlane, "assetFallbacks">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Files that a page of an earlier version may still ask for. Asked for once a deployment, for all such files together:
 * visitors can make up any number of names.
 */
export class AssetFallbacks {
  readonly #options: AssetFallbacksOptions;
  readonly #kept = new Map<string, Index>();
  readonly #fetches: SharedFetches<string>;

  constructor(options: AssetFallbacksOptions) {
    this.#options = options;
    this.#fetches = new SharedFetches(options.now, schedulerWait);
  }

  /** `seq` is that of the deployment: what was deployed earlier depends on it. */
  async find(
    workerId: WorkerId,
    versionId: VersionId,
    seq: number,
    path: string,
  ): Promise<Found | null> {
    if (!isHashedName(path)) return null;
    const key = `${versionId}:${seq}`;
    const known = () => this.#kept.get(key) ?? null;
    const index =
      known() ??
      (await this.#fetches.get(key, known, async () => {
        const text = await ask("assets of earlier versions", () =>
          this.#options.controlPlane.assetFallbacks(workerId, versionId),
        );
        return this.#keep(key, JSON.parse(text) as readonly Fallback[]);
      }));
    return index.get(path) ?? null;
  }

  #keep(key: string, fallbacks: readonly Fallback[]): Index {
    const index = new Map(
      fallbacks.map(([path, versionId, file]) => [path, { versionId, file }] as const),
    );
    this.#kept.set(key, index);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= ASSET_FALLBACKS_KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return index;
  }
}
