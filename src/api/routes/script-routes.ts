/** Routes and custom domains of one Worker: each call names all that it is to have. */
import { Hono } from "hono";
import type { DomainRequest } from "../../domain/routing-change.ts";
import { listZones } from "../../store/routing.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { flag } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { changeRouting, routeTable } from "../routing.ts";
import {
  domainList,
  domainRecords,
  routeList,
  toDomainRequest,
  toRouteRequest,
} from "../schemas.ts";
import { toDomainChangeset, toWireRoute } from "../wire/routing.ts";

export const scriptRouteRoutes = new Hono<ApiEnv>()
  .get("/:name/routes", async (c) => {
    const worker = await workerOf(c);
    const table = await routeTable(c.var.context);
    const routes = table.routes.filter((route) => route.workerId === worker.id);
    return success(
      c,
      routes.map((route) => toWireRoute(route, table)),
    );
  })
  .put("/:name/routes", async (c) => {
    const { context } = c.var;
    const worker = await workerOf(c);
    const routes = accept(await readJson(c.req.raw, routeList)).map(toRouteRequest);
    const command = { kind: "replace_routes", workerId: worker.id, routes } as const;
    await changeRouting(context, command);
    logChange(c, "routes.replace", { worker: worker.name, count: routes.length });
    return success(
      c,
      routes.map((route) => route.pattern),
    );
  })
  .post("/:name/domains/changeset", async (c) => {
    const { context } = c.var;
    const worker = await workerOf(c);
    const origins = accept(await readJson(c.req.raw, domainList)).map(toDomainRequest);
    const zones = await listZones(context.db, context.accountId);
    const table = await routeTable(context);
    return success(c, toDomainChangeset(worker, origins, table, zones, flag(c, "replace_state")));
  })
  .put("/:name/domains/records", async (c) => {
    const { context } = c.var;
    const worker = await workerOf(c);
    const body = accept(await readJson(c.req.raw, domainRecords));
    const given = body.origins.map(toDomainRequest);
    const kept = body.override_scope ? [] : await domainsOf(c, worker.id, given);
    const domains = [...kept, ...given];
    const command = {
      kind: "replace_domains",
      workerId: worker.id,
      domains,
      override: body.override_existing_origin,
    } as const;
    await changeRouting(context, command);
    logChange(c, "domains.replace", { worker: worker.name, count: domains.length });
    return success(c, null);
  });

const workerOf = async (c: ApiContext) =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

/** The Worker's domains that are not given anew: they stay as they are. */
async function domainsOf(
  c: ApiContext,
  workerId: string,
  given: readonly DomainRequest[],
): Promise<DomainRequest[]> {
  const named = new Set(given.map((domain) => domain.hostname.toLowerCase()));
  const { domains } = await routeTable(c.var.context);
  return domains
    .filter((domain) => domain.workerId === workerId && !named.has(domain.hostname))
    .map(({ hostname, zoneId, enabled, previewsEnabled }) => ({
      hostname,
      zoneId,
      enabled,
      previewsEnabled,
    }));
}
