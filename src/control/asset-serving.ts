/** What gateways need to serve a version's static assets. */
import { readAssetFiles } from "../domain/assets/asset-files.ts";
import { ASSETS_ONLY_MODULE } from "../domain/assets/assets-draft.ts";
import { collectFallbacks } from "../domain/assets/fallback-files.ts";
import { prefersPages, type ServedAssets } from "../domain/assets/served-assets.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { ASSET_FALLBACK_MS, ASSET_FALLBACK_VERSIONS_MAX } from "../domain/limits-assets.ts";
import { findServedAssets, findVersionAssets, listServedManifests } from "../store/assets.ts";
import type { ControlContext } from "./context.ts";

type Context = Pick<ControlContext, "db" | "blobs">;

/** null: the version has none. */
export async function loadAssets(
  context: Context,
  workerId: WorkerId,
  versionId: VersionId,
): Promise<ServedAssets | null> {
  const assets = await findServedAssets(context.db, workerId, versionId);
  if (assets === null) return null;
  return {
    files: await loadManifest(context, assets.manifestSha256),
    config: assets.config,
    assetsOnly: assets.mainModule === ASSETS_ONLY_MODULE,
    prefersPages: prefersPages(assets.compatibilityDate, assets.compatibilityFlags),
  };
}

/** Files with a hash in their name that versions deployed earlier have, and this one has not. */
export async function loadFallbacks(
  context: Context & Pick<ControlContext, "now">,
  workerId: WorkerId,
  versionId: VersionId,
): Promise<string> {
  const { db, now } = context;
  const own = await findVersionAssets(db, workerId, versionId);
  const ownFiles = own === null ? "[]" : await loadManifest(context, own.manifestSha256);
  const earlier = await listServedManifests(
    db,
    workerId,
    versionId,
    now() - ASSET_FALLBACK_MS,
    ASSET_FALLBACK_VERSIONS_MAX,
  );
  const others = [];
  for (const { versionId: id, manifestSha256 } of earlier) {
    others.push({
      versionId: id,
      files: readAssetFiles(await loadManifest(context, manifestSha256)),
    });
  }
  return JSON.stringify(collectFallbacks(readAssetFiles(ownFiles), others));
}

async function loadManifest({ blobs }: Context, sha256: string): Promise<string> {
  const bytes = await blobs.get(sha256);
  if (bytes === null) throw new Error(`the list of assets ${sha256} is missing in storage`);
  return new TextDecoder().decode(bytes);
}
