/** `…/scripts/:name/revoked-secrets`: secrets whose values up to now must never serve again. */
import { Hono } from "hono";
import { revoke, unrevoke } from "../../control/revoked-secrets.ts";
import { BINDING_NAME_CHARS_MAX } from "../../domain/limits.ts";
import type { Worker } from "../../domain/worker.ts";
import { listRevokedSecrets, type RevokedSecret } from "../../store/revoked-secrets.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { toWireTime } from "../wire/time.ts";

export const revokedSecretRoutes = new Hono<ApiEnv>()
  .get("/:name/revoked-secrets", async (c) => {
    const worker = await workerOf(c);
    return success(c, (await listRevokedSecrets(c.var.context.db, worker.id)).map(toWire));
  })
  .put("/:name/revoked-secrets/:secret", async (c) => {
    const worker = await workerOf(c);
    const revoked = accept(await revoke(c.var.context, worker, secretOf(c)));
    logChange(c, "secret.revoke", { worker: worker.name, secret: revoked.name });
    return success(c, toWire(revoked));
  })
  .delete("/:name/revoked-secrets/:secret", async (c) => {
    const worker = await workerOf(c);
    accept(await unrevoke(c.var.context, worker, secretOf(c)));
    logChange(c, "secret.unrevoke", { worker: worker.name, secret: secretOf(c) });
    return success(c, null);
  });

const workerOf = async (c: ApiContext): Promise<Worker> =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

const secretOf = (c: ApiContext): string =>
  (c.req.param("secret") ?? "").slice(0, BINDING_NAME_CHARS_MAX);

const toWire = ({ name, throughNumber, revokedOn }: RevokedSecret) => ({
  name,
  revoked_through_number: throughNumber,
  revoked_on: toWireTime(revokedOn),
});
