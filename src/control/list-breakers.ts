import type { OpenBreaker } from "../domain/breaker.ts";
import type { Worker } from "../domain/worker.ts";
import { listOpenBreakers } from "../store/breakers.ts";
import type { ControlContext } from "./context.ts";

/** The breakers that hold now, the newest first. */
export async function listBreakers(
  context: ControlContext,
  worker: Worker,
): Promise<readonly OpenBreaker[]> {
  // History first hears of a deployment that is visible: it voids those before.
  await context.workerLock(worker.id).settledCurrent();
  return listOpenBreakers(context.db, worker.id);
}
