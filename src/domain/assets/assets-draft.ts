/** What an upload says about static assets. */
import type { DomainError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import { ASSET_TOKEN_CHARS_MAX } from "../limits-assets.ts";
import { decideAssetsConfig, type StoredAssetsConfig } from "./assets-config.ts";

export interface AssetsDraft {
  /** Token of the session in which they were uploaded; null: those of the latest version are kept. */
  readonly token: string | null;
  /** null: that of the latest version is kept too. */
  readonly config: StoredAssetsConfig | null;
}

/**
 * The main module of a version that is nothing but assets. No upload can have a module of this name, so it tells such
 * versions from others.
 */
export const ASSETS_ONLY_MODULE = "__switchback_assets.js";
/** It is never asked for anything. */
export const ASSETS_ONLY_SOURCE = "export default {};\n";

/** null: the version has none, whatever the one before it has. */
export function decideAssets(
  metadata: Readonly<Record<string, unknown>>,
): Result<AssetsDraft | null, DomainError> {
  const raw = metadata["assets"] ?? null;
  const keep = metadata["keep_assets"];
  const keeps = keep === true || keep === "true";
  if (raw === null) return ok(keeps ? { token: null, config: null } : null);
  if (typeof raw !== "object" || Array.isArray(raw))
    return invalid("The metadata's assets must be an object.");
  const { jwt, config } = raw as { readonly jwt?: unknown; readonly config?: unknown };
  const token = jwt ?? null;
  if (token === null && !keeps)
    return invalid(
      "The metadata's assets have no jwt: upload the files first (POST …/assets-upload-session), or keep those of the latest version with keep_assets.",
    );
  if (token !== null && (typeof token !== "string" || token.length > ASSET_TOKEN_CHARS_MAX))
    return invalid("The jwt of the metadata's assets must be the token of their upload.");
  const decided = (config ?? null) === null && token === null ? null : decideAssetsConfig(config);
  if (decided === null) return ok({ token: null, config: null });
  return decided.ok ? ok({ token: token as string | null, config: decided.value }) : decided;
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
