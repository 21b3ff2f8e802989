/** The Workers' own hosts: the account's domain, and which Workers answer on it. */
import { Hono } from "hono";
import * as z from "zod";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";
import { changeRouting } from "../routing.ts";
import { accountSubdomain } from "../wire/hosts.ts";

const accountBody = z.object({ subdomain: z.string() });
const scriptBody = z.object({ enabled: z.boolean(), previews_enabled: z.boolean().nullish() });

/** `…/workers/subdomain` */
export const accountSubdomainRoutes = new Hono<ApiEnv>()
  .get("/", (c) => success(c, { subdomain: accountSubdomain(c.var.config) }))
  .put("/", async (c) => {
    const { subdomain } = accept(await readJson(c.req.raw, accountBody));
    if (subdomain === accountSubdomain(c.var.config)) return success(c, { subdomain });
    return refuseWith({
      kind: "not_supported",
      what: "Changing the Workers' domain over the API",
      instead: "The operator sets it (WORKERS_DOMAIN).",
    });
  });

/** `…/scripts/:name/subdomain` */
export const scriptSubdomainRoutes = new Hono<ApiEnv>()
  .get("/:name/subdomain", async (c) => {
    const worker = accept(await workerNamed(c.var.context, c.req.param("name")));
    return success(c, {
      enabled: worker.subdomainEnabled,
      previews_enabled: worker.previewsEnabled,
    });
  })
  .post("/:name/subdomain", async (c) => {
    const { enabled, previews_enabled } = accept(await readJson(c.req.raw, scriptBody));
    // Cloudflare's default: previews go with the host.
    return setSubdomain(c, enabled, previews_enabled ?? enabled);
  })
  .delete("/:name/subdomain", (c) => setSubdomain(c, false, false));

async function setSubdomain(
  c: ApiContext,
  enabled: boolean,
  previewsEnabled: boolean,
): Promise<Response> {
  const { context } = c.var;
  const worker = accept(await workerNamed(context, c.req.param("name") ?? ""));
  const command = { kind: "set_subdomain", workerId: worker.id, enabled, previewsEnabled } as const;
  await changeRouting(context, command);
  logChange(c, "worker.subdomain", { worker: worker.name, enabled, previews: previewsEnabled });
  return success(c, { enabled, previews_enabled: previewsEnabled });
}
