/** `/accounts/:id/secrets_key`: under which key secrets are stored, and the way from one to the next. */
import { Hono } from "hono";
import { rewrapSecrets, secretsKeyState } from "../../control/rewrap-secrets.ts";
import type { ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { success } from "../envelope.ts";

export const secretsKeyRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { keyId, olderKeyIds, remaining } = await secretsKeyState(c.var.context);
    return success(c, { key_id: keyId, older_key_ids: olderKeyIds, remaining });
  })
  .post("/rotation", async (c) => {
    const { context } = c.var;
    const { keyId, rewrapped, remaining, unreadable } = await rewrapSecrets(context, context.actor);
    logChange(c, "secrets_key.rewrap", { key: keyId, rewrapped, remaining });
    return success(c, { key_id: keyId, rewrapped, remaining, unreadable });
  });
