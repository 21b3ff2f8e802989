/** `…/scripts/:name/deployable-versions`: how many of the versions uploaded last may be deployed. */
import { Hono } from "hono";
import * as z from "zod";
import { changeWorkerSettings } from "../../control/change-worker-settings.ts";
import {
  DEPLOYABLE_KEY,
  deployableMaxOf,
  ownDeployableMax,
} from "../../control/deployable-versions.ts";
import { oldestDeployable } from "../../domain/deployment-rules.ts";
import { DEPLOYABLE_VERSIONS_HARD_MAX } from "../../domain/limits.ts";
import type { Worker } from "../../domain/worker.ts";
import { countVersions } from "../../store/versions.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";

/** null: the installation's; 0: all. */
const body = z.strictObject({
  max: z.int().min(0).max(DEPLOYABLE_VERSIONS_HARD_MAX).nullable(),
});

export const deployableVersionRoutes = new Hono<ApiEnv>()
  .get("/:name/deployable-versions", async (c) => success(c, await toWire(c, await workerOf(c))))
  .put("/:name/deployable-versions", async (c) => {
    const worker = await workerOf(c);
    const { max } = accept(await readJson(c.req.raw, body));
    const changed = await changeWorkerSettings(c.var.context, worker, { [DEPLOYABLE_KEY]: max });
    logChange(c, "worker.settings", { worker: worker.name, fields: DEPLOYABLE_KEY });
    return success(c, await toWire(c, changed));
  });

const workerOf = async (c: ApiContext): Promise<Worker> =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

async function toWire(c: ApiContext, worker: Worker) {
  const max = deployableMaxOf(c.env, worker);
  const newest = await countVersions(c.var.context.db, worker.id);
  return {
    max: ownDeployableMax(worker),
    effective_max: max ?? 0,
    newest_number: newest,
    oldest_number: oldestDeployable(newest, max),
  };
}
