/**
 * Upload a version: what is inherited is taken over, the code is started once, its bytes are stored, and
 * only then does a row make it exist. An upload that fails on the way leaves nothing anyone can see.
 */
import type { Binding, SecretText } from "../domain/binding.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import { decideExports } from "../domain/durable-migration.ts";
import type { DomainError } from "../domain/errors.ts";
import type { VersionId } from "../domain/ids.ts";
import { BINDINGS_MAX, VERSION_ENV_BYTES_MAX } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { VersionDraft } from "../domain/upload.ts";
import { versionResources } from "../domain/version-resources.ts";
import type { LoadableVersion, Version, VersionTrigger } from "../domain/version.ts";
import type { Worker } from "../domain/worker.ts";
import type { VersionAssets } from "../store/assets.ts";
import { sha256Hex } from "../store/blobs.ts";
import { findLatestVersion, findSealedSecrets, insertVersion } from "../store/versions.ts";
import { touchWorker } from "../store/workers.ts";
import { assetsOfUpload } from "./assets-of-upload.ts";
import type { ActingContext } from "./context.ts";
import { planDurable } from "./durable-upload.ts";
import { findBound } from "./find-bound.ts";
import { startOnce } from "./start-once.ts";

export interface UploadOptions {
  readonly triggeredBy: VersionTrigger;
  /** Refuse an upload that inherits what is not there, instead of going without. */
  readonly strictInherit: boolean;
}

/** A version that was checked and started, with its bytes stored, but does not exist yet. */
export interface PreparedVersion {
  readonly version: Omit<Version, "number">;
  readonly sealedSecrets: string | null;
  readonly assets: VersionAssets | null;
}

/** Everything about an upload that can fail, done before anything exists. `worker` may be one that is yet to be made. */
export async function prepareVersion(
  context: ActingContext,
  worker: Worker,
  draft: VersionDraft,
  options: UploadOptions,
): Promise<Result<PreparedVersion, DomainError>> {
  const environment = await resolveEnvironment(context, worker, draft, options.strictInherit);
  if (!environment.ok) return environment;
  const { secrets } = environment.value;
  const bound = await findBound(context, worker, environment.value.bindings);
  if (!bound.ok) return bound;
  const planned = await planDurable(
    context,
    worker,
    draft,
    environment.value.bindings,
    bound.value,
  );
  if (!planned.ok) return planned;
  const { bindings, durable } = planned.value;
  const assets = await assetsOfUpload(context, worker, draft.assets, bindings);
  if (!assets.ok) return assets;

  const modules = await Promise.all(
    draft.modules.map(async (module) => ({
      name: module.name,
      type: module.type,
      sha256: await sha256Hex(module.bytes),
      size: module.bytes.byteLength,
    })),
  );
  const id = context.newId() as VersionId;
  const createdOn = context.now();
  // Clients read it as the etag, so secret values stay out of it: short ones could be guessed from the hash.
  const contentHash = await sha256Hex(
    canonicalJson({
      syntax: draft.syntax,
      mainModule: draft.mainModule,
      modules,
      bindings,
      compatibilityDate: draft.compatibilityDate,
      compatibilityFlags: draft.compatibilityFlags,
      ...(assets.value === null ? {} : { assets: assets.value }),
    }),
  );

  const loadable: LoadableVersion = {
    id,
    workerId: worker.id,
    workerName: worker.name,
    number: 0,
    createdOn,
    tag: draft.annotations.tag ?? "",
    message: draft.annotations.message ?? "",
    syntax: draft.syntax,
    mainModule: draft.mainModule,
    modules: draft.modules,
    bindings,
    secrets,
    resources: bound.value,
    durableClasses: durable.classes,
    compatibilityDate: draft.compatibilityDate,
    compatibilityFlags: draft.compatibilityFlags,
    contentHash,
  };
  const started = await startOnce(context, loadable);
  if (!started.ok) return started;
  const probed = started.value;
  const exported = new Set(probed.namedHandlers.map((entry) => entry.name));
  const exports = decideExports(durable.classes, exported);
  if (!exports.ok) return exports;

  for (const [index, module] of draft.modules.entries()) {
    const ref = modules[index];
    if (ref !== undefined) await context.blobs.put(ref.sha256, module.bytes);
  }
  const { message, tag, alias, other } = draft.annotations;
  return ok({
    version: {
      id,
      workerId: worker.id,
      createdOn,
      author: context.actor,
      annotations: {
        triggeredBy: options.triggeredBy,
        ...(message === undefined ? {} : { message }),
        ...(tag === undefined ? {} : { tag }),
        ...(alias === undefined ? {} : { alias }),
        other,
      },
      syntax: draft.syntax,
      mainModule: draft.mainModule,
      modules,
      bindings,
      compatibilityDate: draft.compatibilityDate,
      compatibilityFlags: draft.compatibilityFlags,
      handlers: probed.handlers,
      namedHandlers: probed.namedHandlers,
      startupTimeMs: probed.startupTimeMs,
      contentHash,
      settings: draft.settings,
      durable,
      ...(assets.value === null ? {} : { hasAssets: true }),
    },
    sealedSecrets: await context.secrets.seal({ workerId: worker.id, versionId: id }, secrets),
    assets: assets.value,
  });
}

/** Make a prepared version exist, under the Worker's next number. `after`: see `insertVersion`. */
export async function storeVersion(
  context: ActingContext,
  worker: Worker,
  { version, sealedSecrets, assets }: PreparedVersion,
  after: number | null = null,
): Promise<Version> {
  const stored = await insertVersion(
    context.db,
    context.accountId,
    version,
    sealedSecrets,
    {
      id: version.id,
      at: version.createdOn,
      actorId: context.actor.id,
      actorEmail: context.actor.email,
      action: "version.upload",
      target: `worker:${worker.id}`,
      details: { version: version.id, worker: worker.name, contentHash: version.contentHash },
    },
    versionResources(version.bindings, worker.name),
    assets,
    after,
  );
  await touchWorker(context.db, worker.id, version.createdOn);
  return stored;
}

/** Upload a version of an existing Worker, without deploying it. */
export async function uploadVersion(
  context: ActingContext,
  worker: Worker,
  draft: VersionDraft,
  options: UploadOptions,
): Promise<Result<Version, DomainError>> {
  const prepared = await prepareVersion(context, worker, draft, options);
  return prepared.ok ? ok(await storeVersion(context, worker, prepared.value)) : prepared;
}

/** What the upload spells out, what it inherits by name, and what it keeps by type; the latest version is where it comes from. */
async function resolveEnvironment(
  context: ActingContext,
  worker: Worker,
  draft: VersionDraft,
  strict: boolean,
): Promise<Result<{ bindings: Binding[]; secrets: SecretText[] }, DomainError>> {
  const bindings = [...draft.bindings];
  const secrets = [...draft.secrets];
  if (draft.inherited.length > 0 || draft.keepBindingTypes.length > 0) {
    const latest = await findLatestVersion(context.db, worker.id);
    const sealed = latest === null ? null : await findSealedSecrets(context.db, latest.id);
    const owner = { workerId: worker.id, versionId: (latest?.id ?? "") as VersionId };
    const secretTexts = await context.secrets.open(owner, sealed);
    const take = (binding: Binding, name: string) => {
      bindings.push({ ...binding, name });
      const secret = secretTexts.find((candidate) => candidate.name === binding.name);
      if (secret !== undefined) secrets.push({ name, text: secret.text });
    };
    const missing: string[] = [];
    for (const { name, oldName } of draft.inherited) {
      const binding = latest?.bindings.find((candidate) => candidate.name === oldName);
      if (binding === undefined) missing.push(name);
      else take(binding, name);
    }
    if (strict && missing.length > 0) return err({ kind: "inherit_missing", names: missing });
    const named = new Set([...bindings.map((b) => b.name), ...draft.inherited.map((b) => b.name)]);
    for (const binding of latest?.bindings ?? []) {
      if (draft.keepBindingTypes.includes(binding.type) && !named.has(binding.name)) {
        take(binding, binding.name);
      }
    }
  }
  if (bindings.length > BINDINGS_MAX) {
    return err({ kind: "too_many_bindings", count: bindings.length, max: BINDINGS_MAX });
  }
  const bytes = new TextEncoder().encode(JSON.stringify([bindings, secrets])).byteLength;
  if (bytes > VERSION_ENV_BYTES_MAX) {
    const detail = `its bindings take ${bytes} bytes together, at most ${VERSION_ENV_BYTES_MAX} are allowed`;
    return err({ kind: "upload_invalid", detail });
  }
  return ok({ bindings, secrets });
}
