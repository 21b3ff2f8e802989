/** `…/scripts/:name/deployments`: what a Worker serves, and what it served before. */
import { Hono } from "hono";
import * as z from "zod";
import {
  acceptDeployment,
  createDeployment,
  type DeployOptions,
} from "../../control/create-deployment.ts";
import { deployableMaxOf } from "../../control/deployable-versions.ts";
import { removeDeployment } from "../../control/remove-deployment.ts";
import { decideMessage } from "../../domain/annotations.ts";
import type { Deployment, DeploymentCommand } from "../../domain/deployment.ts";
import { parseDeploymentId, type DeploymentId } from "../../domain/ids.ts";
import { DEPLOYMENTS_PAGE_DEFAULT, ID_CHARS_MAX } from "../../domain/limits.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { Worker } from "../../domain/worker.ts";
import { findDeployment, findReceipt, listDeployments } from "../../store/deployments.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { answerDeployed, expectedCurrent, idempotencyOf } from "../deployment-calls.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { flag, pageOf, positive } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { toWireDeployment } from "../wire/deployment.ts";
import { toWireStatus } from "../wire/deployment-status.ts";
import { toWireReceipt } from "../wire/receipt.ts";

const deploymentBody = z.object({
  strategy: z.literal("percentage", 'The only strategy is "percentage".').default("percentage"),
  versions: z.array(z.object({ version_id: z.string().max(ID_CHARS_MAX), percentage: z.number() })),
  annotations: z.record(z.string(), z.unknown()).nullish(),
});

export const deploymentRoutes = new Hono<ApiEnv>()
  .get("/:name/deployments", async (c) => {
    const worker = await workerOf(c);
    await settle(c, worker);
    const page = pageOf(c, DEPLOYMENTS_PAGE_DEFAULT);
    const beforeSeq = positive(c, "cursor");
    const deployments = await listDeployments(c.var.context.db, worker.id, {
      limit: page.perPage,
      // A cursor says where the page begins by itself: it stays right while deployments are added.
      ...(beforeSeq === undefined ? { offset: page.offset } : { offset: 0, beforeSeq }),
      ...time(c, "since"),
      ...time(c, "until"),
    });
    const last = deployments.length === page.perPage ? deployments.at(-1) : undefined;
    const info = {
      page: page.page,
      per_page: page.perPage,
      count: deployments.length,
      cursor: String(last?.seq ?? ""),
    };
    // No `items` beside it: the SDK would iterate them under the type of the whole page.
    return success(c, { deployments: deployments.map(toWireDeployment) }, { info });
  })
  .post("/:name/deployments", async (c) => {
    const worker = await workerOf(c);
    const { command, notices } = await readCommand(c, worker);
    const { author: _, ...said } = command;
    const options = {
      versionsMax: c.var.config.deploymentVersionsMax,
      deployableMax: deployableMaxOf(c.env, worker),
      idempotency: await idempotencyOf(c, said),
    };
    if (waitsForAcceptance(c)) return answerAccepted(c, worker, command, options);
    const { deployment, receipt } = accept(
      await createDeployment(c.var.context, worker, command, options),
    );
    logChange(c, "deployment.create", {
      worker: worker.name,
      deployment: deployment.id,
      seq: deployment.seq,
      versions: deployment.versions.map((v) => `${v.versionId}@${v.percentage}%`).join(" "),
    });
    return answerDeployed(c, { deployment, receipt }, notices);
  })
  .get("/:name/deployments/:deploymentId", async (c) => {
    const worker = await workerOf(c);
    const { deployment } = await knownDeployment(c, worker, deploymentIdOf(c));
    return success(c, toWireDeployment(deployment));
  })
  .get("/:name/deployments/:deploymentId/status", async (c) => {
    const worker = await workerOf(c);
    const id = deploymentIdOf(c);
    const progress = await c.var.context.workerLock(worker.id).progress(id);
    if (progress !== null) return success(c, toWireStatus(id, progress));
    const { receipt } = await knownDeployment(c, worker, id);
    return success(c, {
      id,
      status: "visible",
      ...(receipt === null ? {} : { receipt: toWireReceipt(receipt) }),
    });
  })
  .get("/:name/deployments/:deploymentId/receipt", async (c) => {
    const worker = await workerOf(c);
    const id = deploymentIdOf(c);
    const { receipt } = await knownDeployment(c, worker, id);
    return receipt === null
      ? refuseWith({ kind: "receipt_missing", deploymentId: id })
      : success(c, toWireReceipt(receipt));
  })
  .delete("/:name/deployments/:deploymentId", async (c) => {
    const worker = await workerOf(c);
    const id = deploymentIdOf(c);
    accept(await removeDeployment(c.var.context, worker, id));
    logChange(c, "deployment.remove", { worker: worker.name, deployment: id });
    return success(c, null);
  });

const workerOf = async (c: ApiContext): Promise<Worker> =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

/** 202: durable, in the history, and about to become visible; `status_url` tells when. 200: it is already. */
async function answerAccepted(
  c: ApiContext,
  worker: Worker,
  command: DeploymentCommand,
  options: DeployOptions,
): Promise<Response> {
  const { progress, finish } = accept(
    await acceptDeployment(c.var.context, worker, command, options),
  );
  const id = progress.state === "visible" ? progress.deployment.id : progress.id;
  logChange(c, "deployment.accept", { worker: worker.name, deployment: id });
  if (progress.state === "draining") {
    c.executionCtx.waitUntil(finish());
    c.status(202);
  }
  const { origin, pathname } = new URL(c.req.url);
  const status_url = `${origin}${pathname}/${id}/status`;
  return success(c, { ...toWireStatus(id, progress), status_url });
}

/** History may still have to hear of a deployment that is visible already. */
const settle = (c: ApiContext, worker: Worker) =>
  c.var.context.workerLock(worker.id).settledCurrent();

/** A deployment that took effect, and its receipt if that is known. */
async function knownDeployment(
  c: ApiContext,
  worker: Worker,
  id: DeploymentId,
): Promise<{ deployment: Deployment; receipt: Receipt | null }> {
  await settle(c, worker);
  const { db } = c.var.context;
  const deployment = await findDeployment(db, worker.id, id);
  if (deployment === null) return refuseWith({ kind: "deployment_not_found", deploymentId: id });
  return { deployment, receipt: await findReceipt(db, worker.id, id) };
}

function waitsForAcceptance(c: ApiContext): boolean {
  const wait = c.req.query("wait");
  if (wait === undefined || wait === "visible") return false;
  if (wait === "accepted") return true;
  return refuseWith({ kind: "bad_request", detail: 'wait has to be "visible" or "accepted".' });
}

function deploymentIdOf(c: ApiContext): DeploymentId {
  const text = c.req.param("deploymentId") ?? "";
  const deploymentId = text.slice(0, ID_CHARS_MAX);
  return parseDeploymentId(text) ?? refuseWith({ kind: "deployment_not_found", deploymentId });
}

async function readCommand(
  c: ApiContext,
  worker: Worker,
): Promise<{ command: DeploymentCommand; notices: readonly string[] }> {
  const body = accept(await readJson(c.req.raw, deploymentBody));
  const max = c.var.config.deploymentVersionsMax;
  // Before anything is looked up: what is too much is not worth a query.
  if (body.versions.length > max) {
    refuseWith({ kind: "too_many_versions", count: body.versions.length, max });
  }
  const { message = "", notice } = accept(decideMessage(body.annotations?.["workers/message"]));
  return {
    command: {
      versions: body.versions.map(({ version_id, percentage }) => ({
        versionId: version_id,
        percentage,
      })),
      triggeredBy: "deployment",
      message,
      author: c.var.context.actor,
      force: flag(c, "force"),
      expectedCurrentId: await expectedCurrent(c, worker),
    },
    notices: notice === undefined ? [] : [notice],
  };
}

/** A time limit as the store takes it, if the query has one. */
function time<K extends "since" | "until">(c: ApiContext, name: K): { [P in K]?: number } {
  const text = c.req.query(name);
  if (text === undefined || text === "") return {};
  const at = Date.parse(text);
  if (Number.isFinite(at)) return { [name]: at } as { [P in K]?: number };
  return refuseWith({
    kind: "bad_request",
    detail: `${name} has to be a time such as 2026-11-01T00:00:00Z.`,
  });
}
