/** `…/scripts/:name/lease` and `/arm`: how long gateways may serve a Worker from memory, and what if they are cut off. */
import { Hono } from "hono";
import * as z from "zod";
import { changeWorkerSettings } from "../../control/change-worker-settings.ts";
import { LEASE_SETTINGS_KEY } from "../../control/lock-settings.ts";
import type { LeaseSettings } from "../../domain/lease-settings.ts";
import { LEASE_MS_MAX, LEASE_MS_MIN, STALE_MS_MAX } from "../../domain/limits.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";
import { toWireTime } from "../wire/time.ts";

const leaseBody = z.object({
  lease_ms: z.int().min(LEASE_MS_MIN).max(LEASE_MS_MAX).nullish(),
  on_isolation: z.enum(["last-known", "refuse"]).optional(),
  stale_ms_max: z.int().min(0).max(STALE_MS_MAX).optional(),
});

export const leaseRoutes = new Hono<ApiEnv>()
  .get("/:name/lease", async (c) => {
    const worker = await workerOf(c);
    return success(c, toWire(await c.var.context.workerLock(worker.id).leaseSettings()));
  })
  .put("/:name/lease", async (c) => {
    const worker = await workerOf(c);
    const given = accept(await readJson(c.req.raw, leaseBody));
    const lock = c.var.context.workerLock(worker.id);
    const before = await lock.leaseSettings();
    const settings: LeaseSettings = {
      leaseMs: given.lease_ms === undefined ? before.leaseMs : given.lease_ms,
      onIsolation: given.on_isolation ?? before.onIsolation,
      staleMsMax: given.stale_ms_max ?? before.staleMsMax,
    };
    await changeWorkerSettings(c.var.context, worker, { [LEASE_SETTINGS_KEY]: settings });
    logChange(c, "worker.lease", { worker: worker.name, ...settings });
    return success(c, toWire(await lock.configure(settings)));
  })
  .post("/:name/arm", async (c) => {
    const worker = await workerOf(c);
    const { armedUntil, leaseMs } = await c.var.context.workerLock(worker.id).arm();
    logChange(c, "worker.arm", { worker: worker.name });
    return success(c, { armed_until: toWireTime(armedUntil), lease_ms: leaseMs });
  });

const workerOf = async (c: ApiContext) =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

const toWire = (settings: LeaseSettings) => ({
  lease_ms: settings.leaseMs,
  on_isolation: settings.onIsolation,
  stale_ms_max: settings.staleMsMax,
});
