/** Zones and their routes. A zone is a name to which routes belong; it is made on first use, or here. */
import { Hono } from "hono";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import { createZone } from "../../control/create-zone.ts";
import type { Zone } from "../../domain/worker.ts";
import { listZones } from "../../store/routing.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { pageOf, slicePage } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { changeRouting, routeTable } from "../routing.ts";
import { zoneName, zoneRoute } from "../schemas.ts";
import { toWireRoute, toWireZone } from "../wire/routing.ts";

export const zoneRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const account = c.req.query("account.id") ?? accountId;
    const name = c.req.query("name")?.toLowerCase();
    const zones = account === accountId ? await listZones(db, accountId, name) : [];
    const { items, info } = slicePage(pageOf(c, PAGE_ITEMS_DEFAULT), zones);
    const wire = items.map((zone) => toWireZone(zone, accountOf(c)));
    return success(c, wire, { info });
  })
  .post("/", async (c) => {
    const { context } = c.var;
    const { name } = accept(await readJson(c.req.raw, zoneName));
    const { zone, isNew } = await createZone(context, name);
    if (isNew) logChange(c, "zone.create", { zone: name, id: zone.id });
    return success(c, toWireZone(zone, accountOf(c)));
  })
  .get("/:zoneId", async (c) => success(c, toWireZone(await zoneOf(c), accountOf(c))))
  .get("/:zoneId/workers/routes", async (c) => {
    const zone = await zoneOf(c);
    const table = await routeTable(c.var.context);
    const routes = table.routes.filter((route) => route.zoneId === zone.id);
    return success(
      c,
      routes.map((route) => toWireRoute(route, table)),
    );
  })
  .post("/:zoneId/workers/routes", (c) => putRoute(c, null))
  .get("/:zoneId/workers/routes/:routeId", async (c) => {
    const zone = await zoneOf(c);
    const table = await routeTable(c.var.context);
    const routeId = c.req.param("routeId");
    const route = table.routes.find(({ id, zoneId }) => id === routeId && zoneId === zone.id);
    if (route === undefined) return refuseWith({ kind: "route_not_found", routeId });
    return success(c, toWireRoute(route, table));
  })
  .put("/:zoneId/workers/routes/:routeId", (c) => putRoute(c, c.req.param("routeId")))
  .delete("/:zoneId/workers/routes/:routeId", async (c) => {
    const { context } = c.var;
    const zone = await zoneOf(c);
    const routeId = c.req.param("routeId");
    const command = { kind: "remove_route", zoneId: zone.id, routeId } as const;
    await changeRouting(context, command);
    logChange(c, "route.remove", { zone: zone.name, route: routeId });
    return success(c, { id: routeId });
  });

const accountOf = (c: ApiContext) => ({
  id: c.var.context.accountId,
  name: c.var.config.accountName,
});

async function zoneOf(c: ApiContext): Promise<Zone> {
  const { db, accountId } = c.var.context;
  const id = c.req.param("zoneId") ?? "";
  const zone = (await listZones(db, accountId)).find((candidate) => candidate.id === id);
  return zone ?? refuseWith({ kind: "zone_not_found", zone: id });
}

async function putRoute(c: ApiContext, routeId: string | null): Promise<Response> {
  const { context } = c.var;
  const zone = await zoneOf(c);
  const { pattern, script } = accept(await readJson(c.req.raw, zoneRoute));
  const workerName = script ?? null;
  const command = { kind: "put_route", zoneId: zone.id, routeId, pattern, workerName } as const;
  const { putRoutes } = await changeRouting(context, command);
  const route = putRoutes[0];
  if (route === undefined) throw new Error("a route was put and none came back");
  logChange(c, "route.put", { zone: zone.name, route: route.id, pattern, worker: workerName });
  return success(c, { id: route.id, pattern: route.pattern, ...(script ? { script } : {}) });
}
