/** Delete a Worker: its hosts, routes and domains go at once; its history stays. */
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import { findClassReferrers } from "../store/durable-namespaces.ts";
import { findServiceReferrers } from "../store/references.ts";
import { changeRouting } from "./change-routing.ts";
import type { ActingContext } from "./context.ts";
import { eraseDeletedNamespaces } from "./durable-objects.ts";
import { endTails } from "./tails.ts";

/** Refused while other Workers' current deployments bind this one, unless forced. */
export async function deleteWorker(
  context: ActingContext,
  worker: Worker,
  options: { readonly force: boolean },
): Promise<Result<void, DomainError>> {
  if (!options.force) {
    const referrers = await findServiceReferrers(context.db, context.accountId, worker.name);
    const classes = await findClassReferrers(context.db, context.accountId, worker.id);
    const names = [...referrers, ...classes.map((referrer) => referrer.worker)];
    const by = [...new Set(names)].filter((name) => name !== worker.name);
    if (by.length > 0) return err({ kind: "worker_referenced", by });
  }
  const changed = await changeRouting(context, {
    kind: "remove_worker",
    workerId: worker.id,
    deletedOn: context.now(),
  });
  if (!changed.ok) return changed;
  await endTails(context, worker);
  await eraseDeletedNamespaces(context);
  return ok(undefined);
}
