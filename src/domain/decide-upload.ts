/**
 * Everything that can be said about an upload without storage and without the runtime. An upload that gets
 * through here is complete and well-formed; one that does not has changed nothing.
 */
import { decideAnnotations } from "./annotations.ts";
import { decideAssets } from "./assets/assets-draft.ts";
import { decideCompatibilityDate, decideCompatibilityFlags } from "./compatibility.ts";
import { decideBindings, decideKeepBindings } from "./decide-bindings.ts";
import { decideModules } from "./decide-modules.ts";
import { decideSettings } from "./decide-settings.ts";
import type { DomainError } from "./errors.ts";
import { err, ok, type Result } from "./result.ts";
import type { Upload, VersionDraft } from "./upload.ts";

export interface UploadOptions {
  /** `script` deploys at once and may migrate; `version` only adds a version to an existing Worker. */
  readonly path: "script" | "version";
  readonly workerName: string;
  /** Bindings that nothing here can run are kept, and fail when they are used. */
  readonly bindingStubs: boolean;
}

export function decideUpload(
  upload: Upload,
  options: UploadOptions,
): Result<VersionDraft, DomainError> {
  const { metadata } = upload;
  const supported = decideSupported(metadata, options);
  if (!supported.ok) return supported;
  const assets = decideAssets(metadata);
  if (!assets.ok) return assets;
  const entry = decideModules(upload, { assetsOnly: assets.value !== null });
  if (!entry.ok) return entry;
  const bindings = decideBindings(metadata["bindings"], { stubs: options.bindingStubs });
  if (!bindings.ok) return bindings;
  const keepBindingTypes = decideKeepBindings(metadata["keep_bindings"]);
  if (!keepBindingTypes.ok) return keepBindingTypes;
  const compatibilityDate = decideCompatibilityDate(metadata["compatibility_date"]);
  if (!compatibilityDate.ok) return compatibilityDate;
  const compatibilityFlags = decideCompatibilityFlags(metadata["compatibility_flags"]);
  if (!compatibilityFlags.ok) return compatibilityFlags;
  const said = decideAnnotations(metadata["annotations"], options.workerName);
  if (!said.ok) return said;
  const settings = decideSettings(metadata);
  if (!settings.ok) return settings;

  const migrations = metadata["migrations"] ?? null;
  return ok({
    ...entry.value,
    ...bindings.value,
    keepBindingTypes: keepBindingTypes.value,
    compatibilityDate: compatibilityDate.value,
    compatibilityFlags: compatibilityFlags.value,
    annotations: said.value.annotations,
    settings: settings.value,
    ...(assets.value === null ? {} : { assets: assets.value }),
    ...(migrations === null ? {} : { migrations: migrations as Readonly<Record<string, unknown>> }),
    notices: said.value.notices,
  });
}

/** Refuses what this release cannot run: a version that silently lacks a part of itself would be worse. */
function decideSupported(
  metadata: Upload["metadata"],
  { path }: UploadOptions,
): Result<null, DomainError> {
  if (isPresent(metadata["containers"]))
    return invalid("Containers are not supported. Upload the Worker without its containers.");
  const migrations = metadata["migrations"] ?? null;
  if (migrations !== null && path === "version") return err({ kind: "migration_in_version" });
  if (migrations !== null && (typeof migrations !== "object" || Array.isArray(migrations)))
    return invalid("The metadata's migrations must be an object.");
  if ((metadata["body_part"] ?? null) !== null && path === "version")
    return err({ kind: "service_worker_version" });
  return ok(null);
}

const isPresent = (field: unknown): boolean =>
  field !== undefined && field !== null && !(Array.isArray(field) && field.length === 0);

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
