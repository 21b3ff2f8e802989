/** `…/scripts/:name/schedules`: when a Worker's `scheduled` handler runs. */
import { Hono } from "hono";
import { setSchedules } from "../../control/schedules.ts";
import { listSchedules, type StoredSchedule } from "../../store/schedules.ts";
import type { ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { scheduleList } from "../queue-schemas.ts";
import { readJson } from "../read-body.ts";
import { toWireTime } from "../wire/time.ts";

export const scheduleRoutes = new Hono<ApiEnv>()
  .get("/:name/schedules", async (c) => {
    const { context } = c.var;
    const worker = accept(await workerNamed(context, c.req.param("name")));
    const schedules = await listSchedules(context.db, worker.id);
    return success(c, { schedules: schedules.map(toWire) });
  })
  .put("/:name/schedules", async (c) => {
    const { context } = c.var;
    const worker = accept(await workerNamed(context, c.req.param("name")));
    const given = accept(await readJson(c.req.raw, scheduleList));
    const crons = given.map(({ cron }) => cron);
    const schedules = accept(await setSchedules(context, worker, crons));
    logChange(c, "schedules.set", { worker: worker.name, schedules: schedules.length });
    return success(c, { schedules: schedules.map(toWire) });
  });

const toWire = ({ cron, createdOn, modifiedOn }: StoredSchedule) => ({
  cron,
  created_on: toWireTime(createdOn),
  modified_on: toWireTime(modifiedOn),
});
