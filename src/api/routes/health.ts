/** What a probe and a person see at the control host, without a token. */
import { Hono } from "hono";
import { logEvent } from "../../observability/log.ts";
import { openDatabase, pingDatabase } from "../../store/database.ts";
import type { ApiEnv } from "../api-env.ts";
import { RELEASE } from "../release.ts";

export const healthRoutes = new Hono<ApiEnv>()
  .get("/", (c) =>
    c.text(
      `Switchback ${RELEASE}: a control plane for Workers. The API is at /client/v4, its health at /healthz.\n`,
    ),
  )
  .get("/healthz", async (c) => {
    try {
      await pingDatabase(openDatabase(c.env.DB));
      return c.json({ status: "ok", version: RELEASE });
    } catch (error) {
      logEvent("error", "health_database", { error: String(error) });
      return c.json({ status: "database does not answer", version: RELEASE }, 503);
    }
  });
