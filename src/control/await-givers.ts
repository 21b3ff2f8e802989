/** What a deployment waits for that has received Durable Object classes of other Workers; see tell-givers. */
import type { DomainError } from "../domain/errors.ts";
import type { WorkerId } from "../domain/ids.ts";
import { DRIVE_MS_MAX } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { logEvent } from "../observability/log.ts";
import { isActive } from "../store/deployments.ts";
import type { ControlContext } from "./context.ts";
import type { Deployed } from "./deploy.ts";
import { calling, outcomeUnknown } from "./drive.ts";

/**
 * Before a deployment is acknowledged whose versions have received classes from `givers`: when it returns, no process takes
 * them for the givers'. Should it not come to that, the lock's alarm does it, and the outcome is not known yet.
 */
export async function awaitGivers(
  context: Pick<ControlContext, "db" | "workerLock">,
  workerId: WorkerId,
  deployed: Deployed,
  givers: readonly WorkerId[],
): Promise<Result<Deployed, DomainError>> {
  if (givers.length === 0) return ok(deployed);
  const deadline = Date.now() + DRIVE_MS_MAX;
  const { id } = deployed.deployment;
  try {
    await calling(() => context.workerLock(workerId).confirm(id), deadline);
    // They are the receiver's from the moment at which history says so.
    if (!(await isActive(context.db, id))) return err(outcomeUnknown("lost"));
    // The receiver too: somebody else may have been faster.
    for (const each of [...givers, workerId]) {
      const waitMs = await calling(() => context.workerLock(each).noteGiven(), deadline);
      if (typeof waitMs === "string") return err(outcomeUnknown(waitMs));
      if (waitMs > 0) await scheduler.wait(waitMs);
    }
    return ok(deployed);
  } catch (error) {
    logEvent("warn", "ledger_unreachable", { error: String(error) });
    return err(outcomeUnknown("lost"));
  }
}
