/** Say when a Worker's `scheduled` handler runs. */
import { parseCron } from "../domain/cron.ts";
import type { DomainError } from "../domain/errors.ts";
import { SCHEDULES_MAX, SCHEDULES_PER_WORKER_MAX } from "../domain/limits-cron.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import {
  countSchedulesOfOthers,
  listSchedules,
  replaceSchedules,
  type StoredSchedule,
} from "../store/schedules.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";

/** Puts these in the place of all that the Worker has; the same expression twice is one schedule. */
export async function setSchedules(
  context: ActingContext,
  worker: Worker,
  given: readonly string[],
): Promise<Result<readonly StoredSchedule[], DomainError>> {
  const crons = [...new Set(given)];
  for (const cron of crons) {
    const parsed = parseCron(cron);
    if (!parsed.ok) return err({ kind: "bad_cron", cron, detail: parsed.error });
  }
  if (crons.length > SCHEDULES_PER_WORKER_MAX) {
    return err({ kind: "too_many_schedules", max: SCHEDULES_PER_WORKER_MAX, of: "worker" });
  }
  const { db, accountId } = context;
  const others = crons.length === 0 ? 0 : await countSchedulesOfOthers(db, accountId, worker.id);
  if (others + crons.length > SCHEDULES_MAX) {
    return err({ kind: "too_many_schedules", max: SCHEDULES_MAX, of: "account" });
  }
  const details = { worker: worker.name, crons };
  const entry = auditEntry(context, "schedules.set", `worker:${worker.id}`, details);
  // Before as well: should nobody come back from the change, the clock finds it by itself.
  const clock = context.cronClock();
  if (crons.length > 0) await clock.wake();
  await replaceSchedules(db, accountId, worker.id, crons, entry);
  if (crons.length > 0) await clock.wake();
  return ok(await listSchedules(db, worker.id));
}
