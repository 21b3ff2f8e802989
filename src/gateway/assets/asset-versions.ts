import { type AssetFiles, readAssetFiles } from "../../domain/assets/asset-files.ts";
import { type AssetsConfig, readAssetsConfig } from "../../domain/assets/assets-config.ts";
import { type HeaderIndex, indexHeaders } from "../../domain/assets/custom-headers.ts";
import { indexRedirects, type RedirectIndex } from "../../domain/assets/decide-answer.ts";
import type { ServedAssets } from "../../domain/assets/served-assets.ts";
import type { VersionId, WorkerId } from "../../domain/ids.ts";
import { ASSET_FILES_KEPT_MAX, ASSET_VERSIONS_KEPT_MAX } from "../../domain/limits-assets.ts";
import { ask } from "../ask.ts";
import type { ControlPlane } from "../control-plane.ts";
import { schedulerWait } from "../holder-clock.ts";
import { SharedFetches } from "../shared-fetches.ts";

/** A version's static assets, ready to be served. */
export interface ReadyAssets extends Pick<ServedAssets, "assetsOnly" | "prefersPages"> {
  readonly files: AssetFiles;
  readonly config: AssetsConfig;
  readonly redirects: RedirectIndex;
  readonly headers: HeaderIndex;
}

interface Known {
  readonly assets: ReadyAssets | null;
  /** Milliseconds since 1970. */
  usedAt: number;
}

interface AssetVersionsOptions {
  readonly controlPlane: Pick<ControlPlane, "assets">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Which versions have static assets, and which. A version never changes, so that what is known of it stays true. */
export class AssetVersions {
  readonly #options: AssetVersionsOptions;
  readonly #known = new Map<VersionId, Known>();
  readonly #fetches: SharedFetches<VersionId>;
  #files = 0;

  constructor(options: AssetVersionsOptions) {
    this.#options = options;
    this.#fetches = new SharedFetches(options.now, schedulerWait);
  }

  /** null: it has none; undefined: nobody has asked yet. */
  peek(versionId: VersionId): ReadyAssets | null | undefined {
    const known = this.#known.get(versionId);
    if (known === undefined) return undefined;
    if (known.assets !== null) known.usedAt = this.#options.now();
    return known.assets;
  }

  /** Throws `ControlPlaneUnavailable` when that cannot be learned. */
  async get(workerId: WorkerId, versionId: VersionId): Promise<ReadyAssets | null> {
    const known = this.peek(versionId);
    if (known !== undefined) return known;
    const find = () => this.#known.get(versionId) ?? null;
    const fetched = await this.#fetches.get(versionId, find, async () => {
      const served = await ask("the static assets of a version", () =>
        this.#options.controlPlane.assets(workerId, versionId),
      );
      return this.#keep(versionId, served === null ? null : readyAssets(served));
    });
    return fetched.assets;
  }

  #keep(versionId: VersionId, assets: ReadyAssets | null): Known {
    const known: Known = { assets, usedAt: this.#options.now() };
    this.#forget(versionId);
    this.#files += assets?.files.size ?? 0;
    this.#known.set(versionId, known);
    const isOver = () =>
      this.#known.size > ASSET_VERSIONS_KEPT_MAX || this.#files > ASSET_FILES_KEPT_MAX;
    if (isOver()) {
      const oldestFirst = [...this.#known].sort(([, a], [, b]) => a.usedAt - b.usedAt);
      for (const [id] of oldestFirst) {
        if (!isOver()) break;
        if (id !== versionId) this.#forget(id);
      }
    }
    return known;
  }

  #forget(versionId: VersionId): void {
    this.#files -= this.#known.get(versionId)?.assets?.files.size ?? 0;
    this.#known.delete(versionId);
  }
}

function readyAssets({ files, config, assetsOnly, prefersPages }: ServedAssets): ReadyAssets {
  const read = readAssetsConfig(config);
  return {
    files: readAssetFiles(files),
    config: read,
    redirects: indexRedirects(read.redirects),
    headers: indexHeaders(read.headers),
    assetsOnly,
    prefersPages,
  };
}
