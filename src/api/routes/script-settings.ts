/** Settings of a script: those that no version carries can be changed here, the others come with an upload. */
import { Hono } from "hono";
import { changeWorkerSettings } from "../../control/change-worker-settings.ts";
import { findLatestVersion } from "../../store/versions.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { editSettings } from "../edit-settings.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";
import { scriptSettings, toSettings } from "../schemas.ts";
import { toWireScriptSettings, toWireSettings } from "../wire/script-settings.ts";

export const scriptSettingsRoutes = new Hono<ApiEnv>()
  .get("/:name/script-settings", async (c) => success(c, toWireScriptSettings(await workerOf(c))))
  .patch("/:name/script-settings", async (c) => {
    const { context } = c.var;
    const worker = await workerOf(c);
    const given = toSettings(accept(await readJson(c.req.raw, scriptSettings)));
    const changed = await changeWorkerSettings(context, worker, given);
    logChange(c, "worker.settings", { worker: worker.name, fields: Object.keys(given).join(",") });
    return success(c, toWireScriptSettings(changed));
  })
  .get("/:name/settings", async (c) => {
    const worker = await workerOf(c);
    const latest = await findLatestVersion(c.var.context.db, worker.id);
    return success(c, toWireSettings(worker, latest));
  })
  .patch("/:name/settings", async (c) => {
    const worker = await workerOf(c);
    const { version, worker: changed } = await editSettings(c, worker);
    return success(c, toWireSettings(changed, version));
  });

const workerOf = async (c: ApiContext) =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));
