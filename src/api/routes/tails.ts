/** `…/scripts/:name/tails`: live tails of a Worker, and the WebSockets on which they are shown. */
import { Hono } from "hono";
import * as z from "zod";
import { createTail, endTail, listTails, type OpenTail } from "../../control/tails.ts";
import { parseWorkerId } from "../../domain/ids.ts";
import {
  TAIL_FILTER_CHARS_MAX,
  TAIL_FILTER_VALUES_MAX,
  TAIL_FILTERS_MAX,
} from "../../domain/limits-tail.ts";
import { clientAddress } from "../../domain/tail-filters.ts";
import type { ApiContext, ApiEnv, ContextFor } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";
import { toWireTime } from "../wire/time.ts";

const text = z.string().max(TAIL_FILTER_CHARS_MAX);
const texts = z.array(text).min(1).max(TAIL_FILTER_VALUES_MAX);
const filter = z.union(
  [
    z.strictObject({ sampling_rate: z.number().gt(0).max(1) }),
    z.strictObject({ outcome: texts }),
    z.strictObject({ method: texts }),
    z
      .strictObject({ header: z.strictObject({ key: text.min(1), query: text.nullish() }) })
      .transform(({ header: { key, query } }) => ({
        header: typeof query === "string" ? { key, query } : { key },
      })),
    z.strictObject({ client_ip: texts }),
    z.strictObject({ query: text }),
    z.strictObject({ scriptVersion: text }),
  ],
  {
    error:
      "a filter is one of sampling_rate (above 0, up to 1), outcome, method, header, client_ip, query, scriptVersion",
  },
);
/** wrangler always sends filters, the SDK's callers may send nothing at all. */
const tailBody = z.object({ filters: z.array(filter).max(TAIL_FILTERS_MAX).nullish() }).optional();

export const tailRoutes = new Hono<ApiEnv>()
  .get("/:name/tails", async (c) => {
    const tails = await listTails(c.var.context, await workerOf(c));
    return success(
      c,
      tails.map((tail) => toWireTail(c, tail)),
    );
  })
  .post("/:name/tails", async (c) => {
    const worker = await workerOf(c);
    const body = accept(await readJson(c.req.raw, tailBody));
    const filters = body?.filters ?? [];
    const address = clientAddress(Object.fromEntries(c.req.raw.headers));
    const tail = accept(await createTail(c.var.context, worker, { filters, address }));
    logChange(c, "tail.create", { worker: worker.name, tail: tail.id });
    return success(c, toWireTail(c, tail));
  })
  .delete("/:name/tails/:id", async (c) => {
    await endTail(c.var.context, await workerOf(c), c.req.param("id"));
    return success(c, null);
  });

/** Clients send no token here: the address itself opens the tail, and nothing is looked up for one that does not. */
export const tailDoorRoutes = (contextFor: ContextFor) =>
  new Hono<ApiEnv>().get("/:worker/:id/:key", async (c) => {
    const context = contextFor(c.env, c.executionCtx as unknown as ExecutionContext);
    const { id, key } = c.req.param();
    const workerId = parseWorkerId(c.req.param("worker"));
    if (workerId === null || !(await context.tailKeys.opens(workerId, id, key))) {
      return new Response("There is no such tail.\n", { status: 404 });
    }
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("A tail is a WebSocket.\n", {
        status: 426,
        headers: { upgrade: "websocket" },
      });
    }
    const headers = { upgrade: "websocket" };
    return context.tailHub(workerId).fetch(`http://tail-hub/${id}`, { headers });
  });

const workerOf = async (c: ApiContext) =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

/** On the host at which the client asked: that one leads here. */
function toWireTail(c: ApiContext, { id, expiresAt, path }: OpenTail) {
  const scheme = c.var.config.publicScheme === "https" ? "wss" : "ws";
  const { host } = new URL(c.req.url);
  return { id, url: `${scheme}://${host}${path}`, expires_at: toWireTime(expiresAt) };
}
