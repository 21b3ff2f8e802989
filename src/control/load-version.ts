/** A version with everything needed to run it. The only way by which secret values leave the store. */
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { LoadableVersion } from "../domain/version.ts";
import { findSealedSecrets, findVersion } from "../store/versions.ts";
import { findWorkerById } from "../store/workers.ts";
import type { ControlContext } from "./context.ts";
import { durableResources } from "./durable-resources.ts";
import { bindResources } from "./find-bound.ts";

/** Null when the Worker has no such version. Throws when its bytes are missing or damaged. */
export async function loadVersion(
  context: Pick<ControlContext, "accountId" | "db" | "blobs" | "secrets">,
  workerId: WorkerId,
  versionId: VersionId,
): Promise<LoadableVersion | null> {
  const [worker, version, sealed] = await Promise.all([
    findWorkerById(context.db, workerId),
    findVersion(context.db, workerId, versionId),
    findSealedSecrets(context.db, versionId),
  ]);
  if (worker === null || version === null) return null;
  const modules = await Promise.all(
    version.modules.map(async ({ name, type, sha256 }) => {
      const bytes = await context.blobs.get(sha256);
      if (bytes === null)
        throw new Error(`module ${name} of version ${versionId} is missing in storage`);
      return { name, type, bytes };
    }),
  );
  return {
    id: version.id,
    workerId,
    workerName: worker.name,
    number: version.number,
    createdOn: version.createdOn,
    tag: version.annotations.tag ?? "",
    message: version.annotations.message ?? "",
    syntax: version.syntax,
    mainModule: version.mainModule,
    modules,
    bindings: version.bindings,
    resources: {
      ...(await bindResources(context, worker, version.bindings)).bound,
      ...(await durableResources(context.db, worker, version)),
    },
    durableClasses: version.durable?.classes ?? [],
    secrets: await context.secrets.open({ workerId, versionId }, sealed),
    compatibilityDate: version.compatibilityDate,
    compatibilityFlags: version.compatibilityFlags,
    contentHash: version.contentHash,
  };
}
