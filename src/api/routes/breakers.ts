/** `…/scripts/:name/breakers`: the versions that are not run any more, and how they are again. */
import { Hono } from "hono";
import { listBreakers } from "../../control/list-breakers.ts";
import { resetBreaker } from "../../control/reset-breaker.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { toWireBreaker } from "../wire/breaker.ts";

export const breakerRoutes = new Hono<ApiEnv>()
  .get("/:name/breakers", async (c) => {
    const open = await listBreakers(c.var.context, await workerOf(c));
    return success(c, open.map(toWireBreaker));
  })
  .delete("/:name/breakers/:versionId", async (c) => {
    const worker = await workerOf(c);
    const version = c.req.param("versionId");
    accept(await resetBreaker(c.var.context, worker, version));
    logChange(c, "breaker.reset", { worker: worker.name, version });
    return success(c, { version_id: version.toLowerCase() });
  });

const workerOf = async (c: ApiContext) =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));
