/** The one-call upload: a version and its deployment at 100 %, and the Worker itself if it is new. */
import type { Deployment } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import type { WorkerId, WorkerName } from "../domain/ids.ts";
import type { Receipt } from "../domain/receipt.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { VersionDraft } from "../domain/upload.ts";
import type { Version } from "../domain/version.ts";
import type { Worker } from "../domain/worker.ts";
import { findWorker } from "../store/workers.ts";
import { changeRouting } from "./change-routing.ts";
import { changeWorkerSettings } from "./change-worker-settings.ts";
import { createDeployment } from "./create-deployment.ts";
import type { ActingContext } from "./context.ts";
import { eraseDeletedNamespaces } from "./durable-objects.ts";
import { prepareVersion, storeVersion } from "./upload-version.ts";

export interface PutScriptOptions {
  readonly strictInherit: boolean;
  readonly versionsMax: number;
  /** Settings that no version carries (tags, logpush, observability, tail_consumers), if the upload has any. */
  readonly workerSettings: Readonly<Record<string, unknown>>;
}

export interface PutScriptResult {
  readonly worker: Worker;
  readonly version: Version;
  readonly deployment: Deployment;
  readonly receipt: Receipt;
}

/** Cloudflare's words for the deployment that an upload makes by itself. */
const UPLOAD_DEPLOYMENT_MESSAGE = "Automatic deployment on upload.";

/** Refused before its version exists, it changes nothing; after that, with `uploaded_not_deployed`. */
export async function putScript(
  context: ActingContext,
  name: WorkerName,
  draft: VersionDraft,
  options: PutScriptOptions,
): Promise<Result<PutScriptResult, DomainError>> {
  const existing = await findWorker(context.db, context.accountId, name);
  const planned = existing ?? newWorker(context, name, options.workerSettings);
  const prepared = await prepareVersion(context, planned, draft, {
    triggeredBy: "upload",
    strictInherit: options.strictInherit,
  });
  if (!prepared.ok) return prepared;

  if (existing === null) {
    const created = await createWorker(context, planned);
    // Another first upload was faster: this one is the Worker's second.
    if (!created.ok && created.error.kind === "worker_exists") {
      return putScript(context, name, draft, options);
    }
    if (!created.ok) return created;
  }
  const version = await storeVersion(context, planned, prepared.value);
  const deployment = await createDeployment(
    context,
    planned,
    {
      versions: [{ versionId: version.id, percentage: 100 }],
      triggeredBy: "upload",
      message: UPLOAD_DEPLOYMENT_MESSAGE,
      author: context.actor,
      force: false,
      expectedCurrentId: null,
    },
    // What was uploaded just now is the newest there is.
    { versionsMax: options.versionsMax, deployableMax: null, idempotency: null },
  );
  if (!deployment.ok) {
    const { error: reason } = deployment;
    return err({ kind: "uploaded_not_deployed", versionId: version.id, reason });
  }
  // Only now: settings have no versions, so they may not change for a deployment that is refused.
  const worker =
    existing !== null && Object.keys(options.workerSettings).length > 0
      ? await changeWorkerSettings(context, existing, options.workerSettings)
      : planned;
  if (draft.migrations !== undefined) await eraseDeletedNamespaces(context);
  const migrationTag = version.durable?.tag ?? null;
  return ok({ worker: { ...worker, migrationTag }, version, ...deployment.value });
}

/** A Worker with nothing in it and no host switched on. */
export const newWorker = (
  context: ActingContext,
  name: WorkerName,
  settings: Readonly<Record<string, unknown>>,
): Worker => ({
  id: context.newId().replaceAll("-", "") as WorkerId,
  accountId: context.accountId,
  name,
  createdOn: context.now(),
  modifiedOn: context.now(),
  subdomainEnabled: false,
  previewsEnabled: false,
  settings,
});

/** Make a Worker exist. `worker_exists` when another call was faster. */
export async function createWorker(
  context: ActingContext,
  worker: Worker,
): Promise<Result<Worker, DomainError>> {
  const changed = await changeRouting(context, { kind: "create_worker", worker });
  return changed.ok ? ok(worker) : changed;
}
