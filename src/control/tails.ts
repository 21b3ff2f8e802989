/** Make, list and end tails of a Worker. Each act is made known to gateways by the Worker's lock; see tail-hub. */
import type { DomainError } from "../domain/errors.ts";
import { TAIL_START_MS_MAX } from "../domain/limits-tail.ts";
import { ok, type Result } from "../domain/result.ts";
import type { TailFilter } from "../domain/tail-filters.ts";
import type { Worker } from "../domain/worker.ts";
import { logEvent } from "../observability/log.ts";
import { writeAudit } from "../store/audit.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";
import type { Tail } from "./tail-hub.ts";

/** A tail and the path of its WebSocket on the control host. */
export interface OpenTail extends Tail {
  readonly path: string;
}

/** From the answer on, whatever a gateway begins is shown: it waits until all have heard, if leases are not too long. */
export async function createTail(
  context: ActingContext,
  worker: Worker,
  wanted: { readonly filters: readonly TailFilter[]; readonly address: string | null },
): Promise<Result<OpenTail, DomainError>> {
  const id = context.newId().replaceAll("-", "");
  const made = await context.tailHub(worker.id).create({ ...wanted, id });
  if (!made.ok) return made;
  const entry = auditEntry(context, "tail.create", `worker:${worker.id}`, {
    worker: worker.name,
    tail: id,
  });
  await writeAudit(context.db, context.accountId, entry);
  const { waitMs, expiresAt } = made.value;
  if (waitMs > 0) await scheduler.wait(Math.min(waitMs, TAIL_START_MS_MAX));
  return ok({ id, expiresAt, path: await pathOf(context, worker, id) });
}

export async function listTails(context: ActingContext, worker: Worker): Promise<OpenTail[]> {
  const tails = await context.tailHub(worker.id).list();
  return Promise.all(
    tails.map(async ({ id, expiresAt }) => ({
      id,
      expiresAt,
      path: await pathOf(context, worker, id),
    })),
  );
}

/** A tail that is over already is ended: wrangler hangs up before it says so. */
export const endTail = (context: ActingContext, worker: Worker, id: string): Promise<void> =>
  context.tailHub(worker.id).end(id);

/** With the Worker that they were of. Never rejects: nothing is shown of a Worker that is gone, and a tail ends by itself. */
export async function endTails(context: ActingContext, worker: Worker): Promise<void> {
  try {
    await context.tailHub(worker.id).endAll();
  } catch (error) {
    logEvent("warn", "tails_not_ended", { worker: worker.id, error: String(error) });
  }
}

const pathOf = async (context: ActingContext, worker: Worker, id: string): Promise<string> =>
  `/tails/${worker.id}/${id}/${await context.tailKeys.keyOf(worker.id, id)}`;
