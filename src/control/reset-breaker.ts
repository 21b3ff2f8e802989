/** Let a stopped version serve again, because an operator says so. */
import type { DomainError } from "../domain/errors.ts";
import { parseVersionId } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { resetOpenBreaker } from "../store/breakers.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";

/** `versionId` as the client sent it. Gateways run the version again when they renew their lease. */
export async function resetBreaker(
  context: ActingContext,
  worker: Worker,
  versionId: string,
): Promise<Result<void, DomainError>> {
  const parsed = parseVersionId(versionId);
  if (parsed === null) return err({ kind: "breaker_not_found", versionId });
  const { db, accountId } = context;
  const wasStopped = await context.workerLock(worker.id).resume(parsed);
  const entry = auditEntry(context, "breaker.reset", `worker:${worker.id}`, {
    worker: worker.name,
    version: parsed,
  });
  const wasOpen = await resetOpenBreaker(db, accountId, worker.id, parsed, entry);
  // Either may have been alone: a call that failed half-way is made again.
  return wasStopped || wasOpen ? ok(undefined) : err({ kind: "breaker_not_found", versionId });
}
