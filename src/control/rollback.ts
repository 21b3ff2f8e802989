/** Rollbacks: where to, and the deployment that does it. */
import type { CurrentDeployment, DeploymentCommand } from "../domain/deployment.ts";
import type { DomainError } from "../domain/errors.ts";
import { parseVersionId, type VersionId } from "../domain/ids.ts";
import {
  ROLLBACK_CANDIDATES_PAGE,
  ROLLBACK_CHOICES_MAX,
  TAGGED_TOLD_MAX,
} from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  chooseRollbackTarget,
  type RollbackChoice,
  type RollbackStand,
  type Skipped,
} from "../domain/rollback-target.ts";
import type { Worker } from "../domain/worker.ts";
import { findTagged, listLeft, listRollbackCandidates } from "../store/rollback-candidates.ts";
import type { ActingContext, ControlContext } from "./context.ts";
import { createDeployment, type DeployOptions } from "./create-deployment.ts";
import type { Deployed } from "./deploy.ts";

/** What a client names by `target`: a version's id, a tag that one version has, or nothing in particular. */
export type RollbackTarget = "previous" | (string & {});

type Context = Pick<ControlContext, "db" | "workerLock">;

/** The version, and from which deployment it was seen. */
export interface Chosen {
  readonly versionId: VersionId | string;
  readonly current: CurrentDeployment | null;
  /** Of a rollback to `previous`. */
  readonly choice: RollbackChoice | null;
}

/** What it comes to now. An id is taken as it is: whether there is such a version is for the deployment to say. */
export async function resolveTarget(
  context: Context,
  worker: Worker,
  target: RollbackTarget,
): Promise<Result<Chosen, DomainError>> {
  const { db } = context;
  // History hears of what is visible before it is asked.
  const current = await context.workerLock(worker.id).settledCurrent();
  if (target === "previous") {
    const choice = await choosePrevious(context, worker, current);
    if (choice.target === null) return err({ kind: "rollback_target_missing" });
    return ok({ versionId: choice.target.versionId, current, choice });
  }
  const id = parseVersionId(target);
  if (id !== null) return ok({ versionId: id, current, choice: null });
  const tagged = await findTagged(db, worker.id, target, TAGGED_TOLD_MAX);
  const [versionId] = tagged;
  if (versionId === undefined) return err({ kind: "rollback_tag_unknown", tag: target });
  if (tagged.length > 1)
    return err({ kind: "rollback_tag_ambiguous", tag: target, versionIds: tagged });
  return ok({ versionId, current, choice: null });
}

async function choosePrevious(
  { db }: Context,
  worker: Worker,
  current: CurrentDeployment | null,
): Promise<RollbackChoice> {
  if (current === null) return { target: null, skipped: [] };
  const stand: RollbackStand = {
    current: new Set(current.versions.map((share) => share.versionId)),
    left: await leftBefore(db, worker, current.seq),
  };
  const skipped: Skipped[] = [];
  let before = current.seq + 1;
  for (;;) {
    const page = await listRollbackCandidates(db, worker.id, before, ROLLBACK_CANDIDATES_PAGE);
    const choice = chooseRollbackTarget(page, stand);
    skipped.push(...choice.skipped);
    const last = page.at(-1);
    if (choice.target !== null || last === undefined || page.length < ROLLBACK_CANDIDATES_PAGE)
      return { target: choice.target, skipped };
    before = last.last.seq;
  }
}

async function leftBefore(
  db: ControlContext["db"],
  worker: Worker,
  seq: number,
): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  let from = seq;
  for (;;) {
    const page = await listLeft(db, worker.id, from, ROLLBACK_CANDIDATES_PAGE);
    for (const row of page) {
      if (row.left === null) return left;
      for (const versionId of row.left) left.add(versionId);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ROLLBACK_CANDIDATES_PAGE) return left;
    from = last.seq - 1;
  }
}

/** What a rollback says besides where to. */
export type RollbackOrder = Omit<DeploymentCommand, "versions" | "triggeredBy">;

/** Chooses under the deployment that it then replaces: if another came in between, and the client has not named one, it chooses anew. */
export async function rollBack(
  context: ActingContext,
  worker: Worker,
  target: RollbackTarget,
  order: RollbackOrder,
  options: DeployOptions,
): Promise<Result<Deployed, DomainError>> {
  // Named by the client, it stays what it is whatever is deployed meanwhile.
  const isNamed = order.expectedCurrentId !== null || target !== "previous";
  for (let choices = 1; ; choices++) {
    const chosen = await resolveTarget(context, worker, target);
    // A repeated key finds its result in the lock, even if there is nothing left to choose by now.
    if (!chosen.ok && options.idempotency === null) return chosen;
    const command: DeploymentCommand = {
      ...order,
      versions: chosen.ok ? [{ versionId: chosen.value.versionId, percentage: 100 }] : [],
      triggeredBy: "rollback",
      expectedCurrentId:
        chosen.ok && !isNamed
          ? (chosen.value.current?.deploymentId ?? null)
          : order.expectedCurrentId,
    };
    const deployed = await createDeployment(context, worker, command, options);
    if (deployed.ok) return deployed;
    if (!chosen.ok) return deployed.error.kind === "no_versions_given" ? chosen : deployed;
    const moved = deployed.error.kind === "deployment_moved" && !isNamed;
    if (!moved || choices === ROLLBACK_CHOICES_MAX) return deployed;
  }
}
