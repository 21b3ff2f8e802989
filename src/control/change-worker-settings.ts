/** Change what no version of a Worker carries: tags, logpush, observability, tail_consumers, leases. */
import type { Worker } from "../domain/worker.ts";
import { updateWorkerSettings } from "../store/workers.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";
import { DEPLOYABLE_KEY } from "./deployable-versions.ts";
import { LEASE_SETTINGS_KEY } from "./lock-settings.ts";

/** Replaces the settings that `given` names and leaves the others; the Worker as it is then. */
export const changeWorkerSettings = (
  context: ActingContext,
  worker: Worker,
  given: Worker["settings"],
): Promise<Worker> => write(context, worker, { ...worker.settings, ...given }, given);

/** Takes what `given` does not name back to its default; what is set elsewhere stays. */
export function replaceWorkerSettings(
  context: ActingContext,
  worker: Worker,
  given: Worker["settings"],
): Promise<Worker> {
  const kept = Object.fromEntries(
    [LEASE_SETTINGS_KEY, DEPLOYABLE_KEY]
      .filter((key) => worker.settings[key] !== undefined)
      .map((key) => [key, worker.settings[key]]),
  );
  return write(context, worker, { ...given, ...kept }, given);
}

async function write(
  context: ActingContext,
  worker: Worker,
  settings: Worker["settings"],
  given: Worker["settings"],
): Promise<Worker> {
  const entry = auditEntry(context, "worker.settings", `worker:${worker.id}`, {
    worker: worker.name,
    settings: given,
  });
  await updateWorkerSettings(context.db, context.accountId, worker.id, settings, entry);
  return { ...worker, settings, modifiedOn: entry.at };
}
