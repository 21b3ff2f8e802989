/**
 * What Cloudflare's API has and this release has not. Lists that clients read on their way to something else
 * are empty, which is true; everything else says that it is not there yet, and what to do instead.
 */
import { Hono } from "hono";
import * as z from "zod";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { pageOf, slicePage } from "../paging.ts";
import { readJson } from "../read-body.ts";

const schedules = z.array(z.unknown());

/** Below `/accounts/:accountId`. */
export const laterRoutes = new Hono<ApiEnv>()
  .get("/workers/tails/by-consumer/:name", (c) => success(c, []))
  .get("/workers/durable_objects/namespaces", (c) => noItems(c))
  .get("/storage/kv/namespaces", (c) => noItems(c))
  .get("/queues", (c) => noItems(c))
  .get("/workers/scripts/:name/schedules", async (c) => {
    accept(await workerNamed(c.var.context, c.req.param("name")));
    return success(c, { schedules: [] });
  })
  .put("/workers/scripts/:name/schedules", async (c) => {
    accept(await workerNamed(c.var.context, c.req.param("name")));
    const wanted = accept(await readJson(c.req.raw, schedules));
    if (wanted.length === 0) return success(c, { schedules: [] });
    return notYet("A schedule (cron trigger)", "Take the triggers out of the configuration.");
  })
  .all("/workers/scripts/:name/secrets/:secret?", () => editsSecrets())
  .all("/workers/scripts/:name/secrets-bulk", () => editsSecrets())
  .all("/workers/scripts/:name/tails/:tail?", () =>
    notYet("A live tail", "Read the console of your Workers in the host's log."),
  )
  .all("/workers/scripts/:name/assets-upload-session", () => hasAssets())
  .all("/workers/assets/upload/:hash?", () => hasAssets())
  .all("/workers/scripts/:name/content", () =>
    notYet("Changing a script's content alone", "Upload it whole with PUT …/scripts/:name."),
  )
  .all("/storage/*", () => noResource("A KV namespace"))
  .all("/r2/*", () => noResource("An R2 bucket"))
  .all("/d1/*", () => noResource("A D1 database"))
  .all("/queues/*", () => noResource("A queue"))
  .all("/workflows/*", () => noResource("A workflow"))
  .all("/workers/dispatch/*", () => noResource("A dispatch namespace"));

function noItems(c: ApiContext): Response {
  const { items, info } = slicePage(pageOf(c, PAGE_ITEMS_DEFAULT), []);
  return success(c, items, { info });
}

const notYet = (what: string, instead: string): never =>
  refuseWith({ kind: "not_supported", what, instead });

const editsSecrets = (): never =>
  notYet(
    "Changing a secret by itself",
    "Upload a version that brings it (wrangler deploy --secrets-file); later uploads keep it.",
  );

const hasAssets = (): never =>
  notYet("Serving static assets", "Upload the Worker without its assets.");

const noResource = (what: string): never =>
  notYet(what, "Bind text, JSON, secrets and services of this account.");
