/**
 * Files of earlier versions that pages which are still open may ask for. Only those with a hash in their name: whoever
 * asks for one means that very content.
 */
import type { VersionId } from "../ids.ts";
import { ASSET_FALLBACK_FILES_MAX } from "../limits-assets.ts";
import type { AssetFile, AssetFiles } from "./asset-files.ts";
import { isHashedName } from "./hashed-name.ts";

/** Path, the version that has it, and the file. */
export type Fallback = readonly [path: string, versionId: VersionId, file: AssetFile];

/** `others`: the version deployed last comes first, and wins. */
export function collectFallbacks(
  own: AssetFiles,
  others: readonly { readonly versionId: VersionId; readonly files: AssetFiles }[],
): readonly Fallback[] {
  const found = new Map<string, Fallback>();
  /** A name whose content has changed holds no hash of it. */
  const changed = new Set<string>();
  for (const { versionId, files } of others) {
    for (const [path, file] of files) {
      if (own.has(path) || !isHashedName(path)) continue;
      const known = found.get(path);
      if (known === undefined) found.set(path, [path, versionId, file]);
      else if (known[2].sha256 !== file.sha256) changed.add(path);
    }
  }
  return [...found.values()]
    .filter(([path]) => !changed.has(path))
    .slice(0, ASSET_FALLBACK_FILES_MAX);
}
