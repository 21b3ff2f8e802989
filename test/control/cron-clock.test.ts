/** The clock over a real history; only the gateway is pretended. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { EventDispatch, EventResult } from "../../src/domain/event.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import { CRON_LATE_MS_MAX } from "../../src/domain/limits-cron.ts";
import { openDatabase } from "../../src/store/database.ts";
import { replaceSchedules } from "../../src/store/schedules.ts";
import { accountId, createdWorker, freshDatabase, newUuid, route } from "../support/fixtures.ts";

const MINUTE = 60_000;
beforeEach(async () => {
  await freshDatabase();
  await env.DB.exec("DELETE FROM schedules");
});

/** A clock of its own for each test. */
function clock() {
  const name = newUuid();
  // Anew each time: one that was used when the object was reset is of no use any more.
  const stub = () => env.CRON_CLOCK.getByName(name) as DurableObjectStub;
  const fired: EventDispatch[] = [];
  const gateway: { run: (dispatch: EventDispatch) => Promise<EventResult> } = {
    run: () => Promise.resolve({ outcome: "ok" }),
  };
  const EVENTS = {
    async fetch(_: string, { body }: { body: string }) {
      const dispatch = JSON.parse(body) as EventDispatch;
      fired.push(dispatch);
      return Response.json(await gateway.run(dispatch));
    },
  };
  return {
    fired,
    gateway,
    wake: () => (stub() as unknown as { wake(): Promise<void> }).wake(),
    /** As if it had last looked so long ago. */
    lookAfter: async (ms: number) => {
      await runInDurableObject(stub(), async (instance, state) => {
        (instance as unknown as { env: unknown }).env = { ...env, EVENTS };
        state.storage.kv.put("looked_at", Date.now() - ms);
        await state.storage.setAlarm(Date.now() + 3_600_000);
      });
      await runDurableObjectAlarm(stub());
    },
    restart: () =>
      runInDurableObject(stub(), async (_, state) => {
        await state.storage.sync();
        state.abort("killed");
      }).catch(() => undefined),
    alarm: () => runInDurableObject(stub(), (_, state) => state.storage.getAlarm()),
    pending: () =>
      runInDurableObject(stub(), (_, state) =>
        state.storage.sql.exec("SELECT * FROM pending").toArray(),
      ),
  };
}

async function scheduled(...crons: string[]): Promise<WorkerId> {
  const worker = await createdWorker(`w${newUuid()}`);
  await schedule(worker.id, 0, ...crons);
  return worker.id;
}
const schedule = (workerId: WorkerId, at: number, ...crons: string[]) =>
  replaceSchedules(openDatabase(env.DB), accountId, workerId, crons, {
    id: newUuid(),
    at,
    actorId: "a",
    actorEmail: "a",
    action: "schedules.set",
    target: "w",
    details: {},
  });

describe("the clock", () => {
  it("fires what is due, once, with the minute for which it was due", async () => {
    const workerId = await scheduled("* * * * *");
    const c = clock();
    await c.lookAfter(MINUTE);
    await vi.waitFor(() => expect(c.fired).toHaveLength(1));
    expect(c.fired[0]).toMatchObject({ workerId, event: { type: "scheduled", cron: "* * * * *" } });
    const { event } = c.fired[0]!;
    expect(event.type === "scheduled" && event.scheduledTime % MINUTE).toBe(0);
    await c.lookAfter(0);
    expect(c.fired).toHaveLength(1);
    expect(await c.pending()).toEqual([]);
  });

  it("makes up once for what it missed, and not at all for what is too late", async () => {
    await scheduled("* * * * *");
    const c = clock();
    await c.lookAfter(30 * MINUTE);
    await vi.waitFor(() => expect(c.fired).toHaveLength(1));
    const daily = clock();
    const late = new Date(Date.now() - CRON_LATE_MS_MAX - MINUTE);
    const cron = `${late.getUTCMinutes()} ${late.getUTCHours()} * * *`;
    await scheduled(cron);
    await daily.lookAfter(CRON_LATE_MS_MAX + 5 * MINUTE);
    expect(
      daily.fired.filter(({ event }) => event.type === "scheduled" && event.cron === cron),
    ).toEqual([]);
  });

  it("goes by what is current: not by a schedule that is gone, nor by one of a deleted Worker", async () => {
    const [changed, deleted] = [await scheduled("* * * * *"), await scheduled("*/1 * * * *")];
    await schedule(changed, Date.now());
    await route({ kind: "remove_worker", workerId: deleted, deletedOn: 1 });
    const c = clock();
    await c.lookAfter(5 * MINUTE);
    expect(c.fired).toEqual([]);
  });

  it("does not fire a new schedule for the time before it", async () => {
    const worker = await createdWorker(`w${newUuid()}`);
    await schedule(worker.id, Date.now(), "* * * * *");
    const c = clock();
    await c.lookAfter(5 * MINUTE);
    expect(c.fired).toEqual([]);
  });

  it("sends again under the same id what could not begin, also after a restart, until it is too late", async () => {
    await scheduled("* * * * *");
    const c = clock();
    c.gateway.run = () => Promise.resolve({ outcome: "unavailable" });
    await c.lookAfter(MINUTE);
    await vi.waitFor(() => expect(c.fired).toHaveLength(1));
    await c.restart();
    c.gateway.run = () => Promise.resolve({ outcome: "ok" });
    await c.lookAfter(0);
    await vi.waitFor(() => expect(c.fired).toHaveLength(2));
    expect(c.fired[1]!.id).toBe(c.fired[0]!.id);
    await vi.waitFor(async () => expect(await c.pending()).toEqual([]));
  });

  it("does not send again what has run, however it went", async () => {
    await scheduled("* * * * *");
    const c = clock();
    c.gateway.run = () => Promise.resolve({ outcome: "lost" });
    await c.lookAfter(MINUTE);
    await vi.waitFor(async () => expect([c.fired.length, await c.pending()]).toEqual([1, []]));
  });

  it("is set for the next firing; without schedules it stands still, until it is woken", async () => {
    const c = clock();
    await c.lookAfter(0);
    expect(await c.alarm()).toBeNull();
    await c.wake();
    expect((await c.alarm())! - Date.now()).toBeLessThanOrEqual(MINUTE);
    const soon = new Date(Date.now() + 10 * MINUTE);
    await scheduled(`${soon.getUTCMinutes()} ${soon.getUTCHours()} * * *`);
    await c.lookAfter(0);
    expect(await c.alarm()).toBe(Math.floor(soon.getTime() / MINUTE) * MINUTE);
  });
});
