/** Stop a version that takes its process down again and again. The host decides that it is time; see domain/breaker. */
import type { Breaker, StopReason } from "../domain/breaker.ts";
import type { DomainError } from "../domain/errors.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Author } from "../domain/version.ts";
import { logEvent } from "../observability/log.ts";
import { insertBreaker } from "../store/breakers.ts";
import { findVersionOwners } from "../store/versions.ts";
import { findWorkerById } from "../store/workers.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ControlContext } from "./context.ts";

/** What the host has seen. */
export interface Trip {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
  readonly reason: StopReason;
  /** Processes that it took down; at least 1. */
  readonly strikes: number;
}

/** Nobody's token: the host acts for itself. */
export const HOST: Author = { id: "host", email: "host@switchback", source: "watchdog" };

/**
 * The breaker that holds then: a second trip finds the first. Gateways learn of it with their next lease at the
 * latest. Throws when the database cannot be written; what was stopped stays so, and the same call again writes it.
 */
export async function tripBreaker(
  context: ControlContext,
  { workerId, versionId, reason, strikes }: Trip,
): Promise<Result<Breaker, DomainError>> {
  const { db, accountId } = context;
  const [worker, versions] = await Promise.all([
    findWorkerById(db, workerId),
    findVersionOwners(db, accountId, [versionId]),
  ]);
  if (worker === null || worker.accountId !== accountId) return err({ kind: "worker_not_found" });
  if (versions[0]?.workerId !== workerId) return err({ kind: "version_not_found", versionId });

  const stopped = { versionId, reason, strikes, stoppedOn: context.now() };
  const id = context.newId();
  // The lock first: what harms others has to end even while the history cannot be written.
  const breaker = await context.workerLock(workerId).stop(id, stopped);
  const target = `worker:${workerId}`;
  const details = {
    worker: worker.name,
    version: versionId,
    reason: breaker.reason,
    strikes: breaker.strikes,
    deploymentSeq: breaker.deploymentSeq,
  };
  const entry = auditEntry({ ...context, actor: HOST }, "breaker.trip", target, details);
  // The breaker's own id and time, so that writing it twice leaves one line.
  const first = { ...entry, id: breaker.id, at: breaker.stoppedOn };
  await insertBreaker(db, accountId, workerId, breaker, first);
  if (breaker.id === id) logEvent("warn", "version_stopped", details);
  return ok(breaker);
}
