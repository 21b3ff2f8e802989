/** The beta resource `…/workers/workers`: Workers by id or name. */
import { Hono } from "hono";
import {
  changeWorkerSettings,
  replaceWorkerSettings,
} from "../../control/change-worker-settings.ts";
import { deleteWorker } from "../../control/delete-worker.ts";
import { createWorker, newWorker } from "../../control/put-script.ts";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import type { Worker } from "../../domain/worker.ts";
import { lastDeployedOn } from "../../store/deployments.ts";
import { findServiceReferences } from "../../store/references.ts";
import {
  countWorkers,
  findWorkerById,
  listWorkers,
  type WorkerOrder,
} from "../../store/workers.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { newWorkerName, workerByIdOrName } from "../find-worker.ts";
import { flag, pageInfo, pageOf } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { changeRouting, routeTable } from "../routing.ts";
import { betaWorker, toSettings } from "../schemas.ts";
import { toBetaWorker } from "../wire/worker.ts";

export const workerRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, PAGE_ITEMS_DEFAULT);
    const { perPage: limit, offset } = page;
    const workers = await listWorkers(db, accountId, { limit, offset, ...orderOf(c) });
    const info = pageInfo(page, workers.length, await countWorkers(db, accountId));
    return success(c, await toWire(c, workers), { info });
  })
  .post("/", async (c) => {
    const { context } = c.var;
    const body = accept(await readJson(c.req.raw, betaWorker));
    const name = accept(newWorkerName(body.name ?? ""));
    const planned: Worker = {
      ...newWorker(context, name, toSettings(body)),
      subdomainEnabled: body.subdomain?.enabled ?? false,
      previewsEnabled: body.subdomain?.previews_enabled ?? false,
    };
    const worker = accept(await createWorker(context, planned));
    logChange(c, "worker.create", { worker: worker.name, id: worker.id });
    return success(c, (await toWire(c, [worker]))[0]);
  })
  .get("/:worker", async (c) => {
    const worker = accept(await workerByIdOrName(c.var.context, c.req.param("worker")));
    return success(c, (await toWire(c, [worker]))[0]);
  })
  // PATCH leaves what is not given, PUT takes it back to its default.
  .patch("/:worker", (c) => editWorker(c, changeWorkerSettings))
  .put("/:worker", (c) => editWorker(c, replaceWorkerSettings))
  .delete("/:worker", async (c) => {
    const { context } = c.var;
    const worker = accept(await workerByIdOrName(context, c.req.param("worker")));
    accept(await deleteWorker(context, worker, { force: flag(c, "force") }));
    logChange(c, "worker.delete", { worker: worker.name, id: worker.id });
    return success(c, null);
  });

async function editWorker(c: ApiContext, write: typeof changeWorkerSettings): Promise<Response> {
  const { context } = c.var;
  const worker = accept(await workerByIdOrName(context, c.req.param("worker") ?? ""));
  const body = accept(await readJson(c.req.raw, betaWorker));
  if (body.name !== undefined && body.name !== worker.name) {
    refuseWith({
      kind: "not_supported",
      what: "Renaming a Worker",
      instead: "Make one with the new name, deploy to it, and delete this one.",
    });
  }
  const { enabled, previews_enabled } = body.subdomain ?? {};
  if (enabled !== undefined || previews_enabled !== undefined) {
    const change = {
      kind: "set_subdomain",
      workerId: worker.id,
      ...(enabled === undefined ? {} : { enabled }),
      ...(previews_enabled === undefined ? {} : { previewsEnabled: previews_enabled }),
    } as const;
    await changeRouting(context, change);
  }
  await write(context, worker, toSettings(body));
  logChange(c, "worker.settings", { worker: worker.name, id: worker.id });
  const changed = await findWorkerById(context.db, worker.id);
  if (changed === null) return refuseWith({ kind: "worker_not_found" });
  return success(c, (await toWire(c, [changed]))[0]);
}

async function toWire(c: ApiContext, workers: readonly Worker[]) {
  const { context, config } = c.var;
  const [deployed, table, references] = await Promise.all([
    lastDeployedOn(
      context.db,
      workers.map((worker) => worker.id),
    ),
    routeTable(context),
    findServiceReferences(context.db, context.accountId, null),
  ]);
  return workers.map((worker) =>
    toBetaWorker(
      worker,
      { deployedOn: deployed.get(worker.id) ?? null, table, references },
      config,
    ),
  );
}

const ORDERS: readonly string[] = [
  "name",
  "created_on",
  "updated_on",
  "deployed_on",
] satisfies WorkerOrder[];

function orderOf(c: ApiContext): { order: WorkerOrder; descending: boolean } {
  const order = c.req.query("order_by") ?? "name";
  const direction = c.req.query("order") ?? "asc";
  if (ORDERS.includes(order) && (direction === "asc" || direction === "desc")) {
    return { order: order as WorkerOrder, descending: direction === "desc" };
  }
  const detail = `order_by has to be one of ${ORDERS.join(", ")}, and order asc or desc.`;
  return refuseWith({ kind: "bad_request", detail });
}
