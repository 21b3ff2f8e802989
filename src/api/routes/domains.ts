/** `…/workers/domains`: custom domains of all Workers. */
import { Hono } from "hono";
import type { CustomDomain } from "../../domain/route-table.ts";
import { listZones } from "../../store/routing.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";
import { changeRouting, routeTable } from "../routing.ts";
import { accountDomain, toDomainRequest } from "../schemas.ts";
import { toWireDomain } from "../wire/routing.ts";

/** Fields by which the list can be narrowed. */
const FILTERS = ["hostname", "service", "zone_id", "zone_name", "environment"] as const;

export const domainRoutes = new Hono<ApiEnv>()
  .get("/", (c) => answerList(c))
  .put("/", async (c) => {
    const { context } = c.var;
    const body = accept(await readJson(c.req.raw, accountDomain));
    const worker = accept(await workerNamed(context, body.service));
    const domain = toDomainRequest(body);
    const command = { kind: "put_domain", workerId: worker.id, domain } as const;
    const { putDomains } = await changeRouting(context, command);
    const put = putDomains[0];
    if (put === undefined) throw new Error("a domain was put and none came back");
    logChange(c, "domain.put", { worker: worker.name, domain: put.id, hostname: put.hostname });
    return success(c, await toWire(c, put));
  })
  // wrangler asks under `records` who has a domain now, before it takes it away.
  .get("/records", (c) => answerList(c))
  .get("/records/:domainId", async (c) => success(c, await toWire(c, await domainOf(c))))
  .get("/:domainId", async (c) => success(c, await toWire(c, await domainOf(c))))
  .delete("/:domainId", async (c) => {
    const { context } = c.var;
    const domainId = c.req.param("domainId");
    const command = { kind: "remove_domain", domainId } as const;
    await changeRouting(context, command);
    logChange(c, "domain.remove", { domain: domainId });
    return success(c, { id: domainId });
  });

async function answerList(c: ApiContext): Promise<Response> {
  const { context } = c.var;
  const zones = await listZones(context.db, context.accountId);
  const table = await routeTable(context);
  const domains = table.domains.map((domain) => toWireDomain(domain, table, zones));
  const wanted = domains.filter((domain) =>
    FILTERS.every((field) => (c.req.query(field) ?? domain[field]) === domain[field]),
  );
  return success(c, wanted);
}

async function domainOf(c: ApiContext): Promise<CustomDomain> {
  const domainId = c.req.param("domainId") ?? "";
  const { domains } = await routeTable(c.var.context);
  const domain = domains.find((candidate) => candidate.id === domainId);
  return domain ?? refuseWith({ kind: "domain_not_found", domainId });
}

async function toWire(c: ApiContext, domain: CustomDomain) {
  const { context } = c.var;
  const zones = await listZones(context.db, context.accountId);
  return toWireDomain(domain, await routeTable(context), zones);
}
