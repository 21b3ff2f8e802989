/** The Worker that a path names. */
import type { ControlContext } from "../control/context.ts";
import type { DomainError } from "../domain/errors.ts";
import { parseWorkerId, parseWorkerName, type WorkerName } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findWorker, findWorkerById } from "../store/workers.ts";

/** A name that no Worker can have is not found, like any other that none has. */
export async function workerNamed(
  context: ControlContext,
  name: string,
): Promise<Result<Worker, DomainError>> {
  const parsed = parseWorkerName(name);
  const worker = parsed && (await findWorker(context.db, context.accountId, parsed));
  return worker ? ok(worker) : err({ kind: "worker_not_found" });
}

/** By id, or by name, as the beta resources allow. */
export async function workerByIdOrName(
  context: ControlContext,
  text: string,
): Promise<Result<Worker, DomainError>> {
  const id = parseWorkerId(text);
  const byId = id && (await findWorkerById(context.db, id));
  return byId && byId.accountId === context.accountId ? ok(byId) : workerNamed(context, text);
}

/** A name that a Worker could be made under. */
export function newWorkerName(name: string): Result<WorkerName, DomainError> {
  const parsed = parseWorkerName(name);
  return parsed === null ? err({ kind: "bad_worker_name", name }) : ok(parsed);
}
