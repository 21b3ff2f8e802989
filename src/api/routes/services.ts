/** `…/workers/services`: what wrangler asks before a deploy, and how it deletes a Worker. */
import { Hono } from "hono";
import { findLatestVersion } from "../../store/versions.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { Refused, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { toWireService } from "../wire/script.ts";
import { removeWorker } from "./scripts.ts";

export const serviceRoutes = new Hono<ApiEnv>()
  .get("/:name", async (c) => success(c, await serviceOf(c)))
  .get("/:name/environments/:environment", async (c) => {
    const { default_environment } = await serviceOf(c);
    if (c.req.param("environment") !== "production") {
      throw notFound(10092, "workers.api.error.environment_not_found");
    }
    return success(c, default_environment);
  })
  .delete("/:name", (c) => removeWorker(c));

async function serviceOf(c: ApiContext) {
  const { context } = c.var;
  const worker = await workerNamed(context, c.req.param("name") ?? "");
  // Here, and only here, clients know a missing Worker by another code.
  if (!worker.ok) throw notFound(10090, "workers.api.error.service_not_found");
  return toWireService(worker.value, await findLatestVersion(context.db, worker.value.id));
}

const notFound = (code: number, message: string): Refused =>
  new Refused({ status: 404, errors: [{ code, message }] });
