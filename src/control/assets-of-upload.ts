/** The static assets of a version that is being uploaded. */
import type { AssetFile } from "../domain/assets/asset-files.ts";
import { writeAssetFiles } from "../domain/assets/asset-files.ts";
import type { AssetsDraft } from "../domain/assets/assets-draft.ts";
import type { Binding } from "../domain/binding.ts";
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findAssetFiles, findVersionAssets, type VersionAssets } from "../store/assets.ts";
import { sha256Hex } from "../store/blobs.ts";
import { findLatestVersion } from "../store/versions.ts";
import { openAssetSession, type AssetContext } from "./asset-session.ts";

/** null: it has none. Refused when files are missing, or when the version is bound to assets that it has not. */
export async function assetsOfUpload(
  context: AssetContext,
  worker: Worker,
  draft: AssetsDraft | undefined,
  bindings: readonly Binding[],
): Promise<Result<VersionAssets | null, DomainError>> {
  const assets =
    draft === undefined
      ? ok(null)
      : draft.token === null
        ? await keptAssets(context, worker, draft)
        : await uploadedAssets(context, draft.token, draft.config ?? {});
  if (!assets.ok || assets.value !== null) return assets;
  const binding = bindings.find(({ type }) => type === "assets");
  if (binding === undefined) return assets;
  return err({
    kind: "upload_invalid",
    detail: `The binding ${binding.name} leads to the version's static assets, but it has none. Upload it with assets, or without that binding.`,
  });
}

async function keptAssets(
  context: AssetContext,
  worker: Worker,
  { config }: AssetsDraft,
): Promise<Result<VersionAssets | null, DomainError>> {
  const latest = await findLatestVersion(context.db, worker.id);
  const kept = latest && (await findVersionAssets(context.db, worker.id, latest.id));
  return ok(kept && { ...kept, config: config ?? kept.config });
}

async function uploadedAssets(
  context: AssetContext,
  token: string,
  config: NonNullable<AssetsDraft["config"]>,
): Promise<Result<VersionAssets, DomainError>> {
  const session = await openAssetSession(context, token);
  if (!session.ok) return session;
  const { id, manifest, contents } = session.value;
  const stored = await findAssetFiles(context.db, context.accountId, id, [...contents.values()]);
  const files = new Map<string, AssetFile>();
  let missing = 0;
  let example = "";
  for (const [path, { hash, size }] of manifest) {
    const file = stored.get(hash);
    if (file?.size === size) files.set(path, file);
    else {
      missing += 1;
      example ||= path;
    }
  }
  if (missing > 0) return err({ kind: "assets_incomplete", missing, example });
  const text = new TextEncoder().encode(writeAssetFiles(files));
  const manifestSha256 = await sha256Hex(text);
  await context.blobs.put(manifestSha256, text);
  return ok({ manifestSha256, files: files.size, config });
}
