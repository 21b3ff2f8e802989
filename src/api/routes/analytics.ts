/** The SQL API of Analytics Engine datasets. */
import { Hono } from "hono";
import { queryAnalytics } from "../../control/query-analytics.ts";
import { ANALYTICS_QUERY_CHARS_MAX } from "../../domain/limits-analytics.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { accept } from "../envelope.ts";
import { readBytes } from "../read-body.ts";
import { toWireAnalytics } from "../wire/analytics.ts";

/** A character of UTF-8 has at most so many bytes. */
const BYTES_PER_CHAR = 4;

/** Below `/accounts/:accountId/analytics_engine`. The query is the body, or `?query=`. */
export const analyticsRoutes = new Hono<ApiEnv>()
  .post("/sql", async (c) => {
    const bytesMax = ANALYTICS_QUERY_CHARS_MAX * BYTES_PER_CHAR;
    const body = accept(await readBytes(c.req.raw, bytesMax));
    return answer(c, new TextDecoder().decode(body));
  })
  .get("/sql", (c) => answer(c, c.req.query("query") ?? ""));

async function answer(c: ApiContext, query: string): Promise<Response> {
  return toWireAnalytics(accept(await queryAnalytics(c.var.context, query)));
}
