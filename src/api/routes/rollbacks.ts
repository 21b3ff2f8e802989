/** `…/scripts/:name/rollbacks`: back to a version, a tag, or what was there before; `…/rollback-target`: where that is. */
import { Hono } from "hono";
import * as z from "zod";
import { deployableMaxOf } from "../../control/deployable-versions.ts";
import { planDeployment } from "../../control/deployment-facts.ts";
import { lookAtD1 } from "../../control/look-at-d1.ts";
import { resolveTarget, rollBack } from "../../control/rollback.ts";
import { decideMessage } from "../../domain/annotations.ts";
import { TAG_BYTES_MAX } from "../../domain/limits.ts";
import type { Worker } from "../../domain/worker.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { answerDeployed, expectedCurrent, idempotencyOf } from "../deployment-calls.ts";
import { accept, success } from "../envelope.ts";
import { toWireRefusal } from "../errors.ts";
import { workerNamed } from "../find-worker.ts";
import { flag } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { toWireTarget } from "../wire/rollback-target.ts";
import { toWireWarning } from "../wire/warnings.ts";

const target = z.string().min(1).max(TAG_BYTES_MAX);
/** An empty body will do: at night as little as possible has to be right. */
const rollbackBody = z
  .strictObject({
    target: target.default("previous"),
    message: z.string().nullish(),
    annotations: z.record(z.string(), z.unknown()).nullish(),
  })
  .default({ target: "previous" });

export const rollbackRoutes = new Hono<ApiEnv>()
  .post("/:name/rollbacks", async (c) => {
    const worker = await workerOf(c);
    const body = accept(await readJson(c.req.raw, rollbackBody));
    const said = accept(decideMessage(body.message ?? body.annotations?.["workers/message"]));
    const order = {
      message: said.message ?? "",
      force: flag(c, "force"),
      expectedCurrentId: await expectedCurrent(c, worker),
    };
    const options = {
      ...optionsOf(c, worker),
      idempotency: await idempotencyOf(c, { rollback: body.target, ...order }),
    };
    const { context } = c.var;
    const deployed = accept(
      await rollBack(context, worker, body.target, { ...order, author: context.actor }, options),
    );
    const { deployment } = deployed;
    logChange(c, "deployment.rollback", {
      worker: worker.name,
      deployment: deployment.id,
      seq: deployment.seq,
      versions: deployment.versions.map((v) => `${v.versionId}@${v.percentage}%`).join(" "),
      left: (deployment.left ?? []).join(" "),
    });
    return answerDeployed(c, deployed, said.notice === undefined ? [] : [said.notice]);
  })
  .get("/:name/rollback-target", async (c) => {
    const worker = await workerOf(c);
    const { context } = c.var;
    const asked = c.req.query("target") ?? "previous";
    const chosen = accept(await resolveTarget(context, worker, asked));
    const { versionId, current } = chosen;
    const { versionsMax, deployableMax } = optionsOf(c, worker);
    const serving = current?.versions.map((share) => share.versionId) ?? [];
    const d1Applied = await lookAtD1(context, [...serving, versionId]);
    const standing = { current, pending: null, versionsMax, deployableMax, d1Applied };
    const planned = await planDeployment(context, worker, standing, {
      versions: [{ versionId, percentage: 100 }],
      triggeredBy: "deployment",
      message: "",
      author: context.actor,
      force: flag(c, "force"),
      expectedCurrentId: null,
    });
    return success(c, {
      ...toWireTarget(chosen),
      refusals: planned.ok ? [] : toWireRefusal(planned.error).errors,
      warnings: planned.ok ? planned.value.warnings.map(toWireWarning) : [],
    });
  });

const workerOf = async (c: ApiContext): Promise<Worker> =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

const optionsOf = (c: ApiContext, worker: Worker) => ({
  versionsMax: c.var.config.deploymentVersionsMax,
  deployableMax: deployableMaxOf(c.env, worker),
});
