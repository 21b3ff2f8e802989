/**
 * A new version that is the latest one with something changed: a secret, a variable, a setting. Code, assets, classes and
 * everything else are the latest version's. Two changes at once never lose each other: the new version follows the very one
 * that it was made from, or is made anew.
 */
import type { Binding, SecretText } from "../domain/binding.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import { EDIT_ATTEMPTS_MAX, EDIT_PAUSE_MS, EDIT_SETTLE_MS } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { VersionDraft } from "../domain/upload.ts";
import type { Version } from "../domain/version.ts";
import type { Worker } from "../domain/worker.ts";
import {
  findLatestVersion,
  findSealedSecrets,
  findVersionOwners,
  LatestMoved,
} from "../store/versions.ts";
import type { ActingContext } from "./context.ts";
import { createDeployment } from "./create-deployment.ts";
import { prepareVersion, storeVersion } from "./upload-version.ts";

/** What the latest version is bound to, with its secrets in the clear. */
export interface LatestEnvironment {
  readonly bindings: readonly Binding[];
  readonly secrets: readonly SecretText[];
}

/** What is to be otherwise. */
export type LatestChange = Pick<VersionDraft, "bindings" | "secrets" | "annotations"> &
  Partial<Pick<VersionDraft, "compatibilityDate" | "compatibilityFlags" | "settings">>;

export type EditLatest = (
  latest: LatestEnvironment,
  version: Version,
) => Result<LatestChange, DomainError>;

/** Without deploying it. */
export const editLatestVersion = async (
  context: ActingContext,
  worker: Worker,
  edit: EditLatest,
): Promise<Result<Version, DomainError>> =>
  attempt(async () => {
    const latest = await findLatestVersion(context.db, worker.id);
    return latest === null
      ? err({ kind: "worker_has_no_versions" })
      : makeAfter(context, worker, latest, edit);
  });

/** And deploy it fully. Only where the latest version is what serves: otherwise more would be deployed than was changed. */
export async function deployEditedVersion(
  context: ActingContext,
  worker: Worker,
  edit: EditLatest,
  changing: "secret" | "settings",
  versionsMax: number,
): Promise<Result<Version, DomainError>> {
  let current: CurrentDeployment | null = null;
  const made = await attempt(async () => {
    const latest = await findLatestVersion(context.db, worker.id);
    if (latest === null) return err({ kind: "worker_has_no_versions" });
    current = await context.workerLock(worker.id).settledCurrent();
    if (isAllOf(current, latest)) return makeAfter(context, worker, latest, edit);
    return (await isOnItsWay(context, latest))
      ? err({ kind: "latest_moved" })
      : err({ kind: "latest_not_deployed", changing });
  });
  if (!made.ok) return made;
  const version = made.value;
  const deployed = await createDeployment(
    context,
    worker,
    {
      versions: [{ versionId: version.id, percentage: 100 }],
      triggeredBy: "secret",
      message: version.annotations.message ?? "",
      author: context.actor,
      force: false,
      expectedCurrentId: (current as CurrentDeployment | null)?.deploymentId ?? null,
    },
    { versionsMax, deployableMax: null, idempotency: null },
  );
  if (deployed.ok) return ok(version);
  return err({ kind: "uploaded_not_deployed", versionId: version.id, reason: deployed.error });
}

/** Again while others are quicker, and while what they have made is not deployed yet. */
async function attempt(
  once: () => Promise<Result<Version, DomainError>>,
): Promise<Result<Version, DomainError>> {
  for (let attempts = 1; ; attempts++) {
    const made = await once();
    if (made.ok || made.error.kind !== "latest_moved" || attempts === EDIT_ATTEMPTS_MAX)
      return made;
    await new Promise((resume) => setTimeout(resume, EDIT_PAUSE_MS));
  }
}

/** Another such change has just made it, and is deploying it: it will soon be what serves. */
async function isOnItsWay(context: ActingContext, latest: Version): Promise<boolean> {
  if (latest.annotations.triggeredBy !== "secret") return false;
  if (context.now() - latest.createdOn >= EDIT_SETTLE_MS) return false;
  const [known] = await findVersionOwners(context.db, context.accountId, [latest.id]);
  return known?.servedBefore === false;
}

const isAllOf = (current: CurrentDeployment | null, { id }: Version): boolean =>
  current?.versions.length === 1 && current.versions[0]?.versionId === id;

async function makeAfter(
  context: ActingContext,
  worker: Worker,
  latest: Version,
  edit: EditLatest,
): Promise<Result<Version, DomainError>> {
  const owner = { workerId: worker.id, versionId: latest.id };
  const sealed = await findSealedSecrets(context.db, latest.id);
  const secrets = await context.secrets.open(owner, sealed);
  const changed = edit({ bindings: latest.bindings, secrets }, latest);
  if (!changed.ok) return changed;
  const draft: VersionDraft = {
    syntax: latest.syntax,
    mainModule: latest.mainModule,
    modules: await modulesOf(context, latest),
    inherited: [],
    keepBindingTypes: [],
    compatibilityDate: latest.compatibilityDate,
    compatibilityFlags: latest.compatibilityFlags,
    settings: latest.settings,
    ...(latest.hasAssets === true ? { assets: { token: null, config: null } } : {}),
    notices: [],
    ...changed.value,
  };
  const options = { triggeredBy: "secret", strictInherit: false } as const;
  const prepared = await prepareVersion(context, worker, draft, options);
  if (!prepared.ok) return prepared;
  try {
    return ok(await storeVersion(context, worker, prepared.value, latest.number));
  } catch (error) {
    if (error instanceof LatestMoved) return err({ kind: "latest_moved" });
    throw error;
  }
}

const modulesOf = (context: ActingContext, { modules }: Version) =>
  Promise.all(
    modules.map(async ({ name, type, sha256 }) => {
      const bytes = await context.blobs.get(sha256);
      if (bytes === null) throw new Error(`the bytes of module ${sha256} are missing`);
      return { name, type, bytes };
    }),
  );
