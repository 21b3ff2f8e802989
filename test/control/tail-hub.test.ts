import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { TailHub } from "../../src/control/tail-hub.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import {
  TAIL_CONNECT_MS_MAX,
  TAIL_EVENTS_PER_SECOND_MAX,
  TAIL_MS_MAX,
  TAILS_PER_WORKER_MAX,
} from "../../src/domain/limits-tail.ts";
import type { TailEvent } from "../../src/domain/tail-event.ts";
import type { TailFilter } from "../../src/domain/tail-filters.ts";
import { tailEvent } from "../domain/tail-samples.ts";
import { createdWorker, freshDatabase, workerLock } from "../support/fixtures.ts";

beforeAll(async () => {
  await freshDatabase();
});

const hubOf = (id: WorkerId) => env.TAIL_HUB.getByName(id) as unknown as DurableObjectStub<TailHub>;

async function setUp(name: string) {
  const worker = await createdWorker(name);
  const hub = hubOf(worker.id);
  const lock = workerLock(worker.id);
  let made = 0;
  return {
    hub,
    lock,
    create: (filters: readonly TailFilter[] = [], id = `t${++made}`) =>
      hub.create({ id, filters, address: null }),
    push: (events: readonly TailEvent[], dropped = 0) =>
      hub.push({ scriptName: name, events, dropped }),
  };
}

/** What a tail is shown, and how it ended. */
async function connect(hub: DurableObjectStub<TailHub>, id: string) {
  const response = await hub.fetch(`http://tail-hub/${id}`, { headers: { upgrade: "websocket" } });
  expect(response.status).toBe(101);
  expect(response.headers.get("sec-websocket-protocol")).toBe("trace-v1");
  const socket = response.webSocket!;
  const seen: TailEvent[] = [];
  socket.addEventListener("message", ({ data }) => seen.push(JSON.parse(String(data))));
  const closed = new Promise<number>((done) =>
    socket.addEventListener("close", ({ code }) => done(code)),
  );
  socket.accept();
  return { socket, seen, closed };
}

/** Moves what the hub has written down into the past. */
const age = (hub: DurableObjectStub<TailHub>, ms: number) =>
  runInDurableObject(hub, (_, { storage }) => {
    storage.sql.exec(
      `UPDATE tails SET expires_at = expires_at - ?1,
        request = json_set(request, '$.madeAt', json_extract(request, '$.madeAt') - ?1)`,
      ms,
    );
  });

describe("a tail", () => {
  it("is told to gateways by the Worker's lock for as long as there is one", async () => {
    const { hub, lock, create } = await setUp("tail-told");
    expect((await lock.lease()).tailed).toBe(false);
    await create();
    await create();
    expect((await lock.lease()).tailed).toBe(true);
    await hub.end("t1");
    expect(await lock.isTailed()).toBe(true);
    await hub.end("t2");
    expect((await lock.lease()).tailed).toBe(false);
    await hub.end("t2");
  });

  it("starts when no gateway can be without the news: the leases given before are over", async () => {
    const { lock, create } = await setUp("tail-wait");
    const { grant } = await lock.lease();
    const made = await create();
    const waitMs = made.ok ? made.value.waitMs : 0;
    expect(grant.kind === "serve" && waitMs > 0 && waitMs >= grant.leaseMs / 2).toBe(true);
  });

  it("shows what passes its filters, as it came", async () => {
    const { hub, create, push } = await setUp("tail-filters");
    await create();
    await create([{ outcome: ["exception"] }]);
    const all = await connect(hub, "t1");
    const failures = await connect(hub, "t2");
    const failed = tailEvent({ outcome: "exception" });
    await push([tailEvent(), failed]);
    await expect.poll(() => all.seen).toEqual([tailEvent(), failed]);
    await expect.poll(() => failures.seen).toEqual([failed]);
  });

  it("says how much is missing, whoever could not keep it", async () => {
    const { hub, create, push } = await setUp("tail-missing");
    await create();
    const { seen } = await connect(hub, "t1");
    await push([tailEvent()], 7);
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[0]).toMatchObject({ logs: [], exceptions: [], event: { type: "overload" } });
    expect(seen[0]!.event!["message"]).toContain("7 events are missing");
  });

  it("shows no more in a second than its limit, and then says how many it left out", async () => {
    const { hub, create, push } = await setUp("tail-limit");
    await create();
    const { seen } = await connect(hub, "t1");
    const many = Array.from({ length: 3 * TAIL_EVENTS_PER_SECOND_MAX }, () => tailEvent());
    await push(many);
    await expect.poll(() => seen.length).toBeGreaterThanOrEqual(TAIL_EVENTS_PER_SECOND_MAX);
    // A second may have begun in between, but not two.
    expect(seen.length).toBeLessThanOrEqual(2 * TAIL_EVENTS_PER_SECOND_MAX + 1);
    await expect
      .poll(async () => {
        await push([tailEvent()]);
        return seen.some(({ event }) => event?.["type"] === "overload");
      })
      .toBe(true);
  });

  it(`is one of at most ${TAILS_PER_WORKER_MAX} of its Worker`, async () => {
    const { hub, create } = await setUp("tail-cap");
    for (let n = 0; n < TAILS_PER_WORKER_MAX; n++) expect((await create()).ok).toBe(true);
    const max = TAILS_PER_WORKER_MAX;
    expect(await create()).toEqual({ ok: false, error: { kind: "too_many_tails", max } });
    await hub.end("t3");
    expect((await create()).ok).toBe(true);
    expect(await hub.list()).toHaveLength(TAILS_PER_WORKER_MAX);
  });
});

describe("a tail ends", () => {
  it("cleanly when it is deleted", async () => {
    const { hub, create } = await setUp("tail-deleted");
    await create();
    const { closed } = await connect(hub, "t1");
    await hub.end("t1");
    expect(await closed).toBe(1000);
    expect((await hub.fetch("http://tail-hub/t1")).status).toBe(410);
  });

  it("when whoever watches hangs up", async () => {
    const { hub, lock, create } = await setUp("tail-hangup");
    await create();
    const { socket } = await connect(hub, "t1");
    socket.close(1000);
    await expect.poll(() => lock.isTailed()).toBe(false);
    expect(await hub.list()).toEqual([]);
  });

  it("when nobody has connected in time", async () => {
    const { hub, lock, create } = await setUp("tail-lonely");
    await create();
    await age(hub, TAIL_CONNECT_MS_MAX - 5_000);
    expect(await hub.list()).toHaveLength(1);
    await age(hub, 5_000);
    await runDurableObjectAlarm(hub);
    expect(await lock.isTailed()).toBe(false);
    expect(await hub.list()).toEqual([]);
  });

  it("after its time, with a code that makes wrangler connect again", async () => {
    const { hub, lock, create } = await setUp("tail-expired");
    await create();
    const { closed } = await connect(hub, "t1");
    await age(hub, TAIL_CONNECT_MS_MAX + 5_000);
    await runDurableObjectAlarm(hub);
    expect(await hub.list()).toHaveLength(1);
    await age(hub, TAIL_MS_MAX);
    await runDurableObjectAlarm(hub);
    expect(await closed).toBe(1001);
    expect(await lock.isTailed()).toBe(false);
  });

  it("when its socket went with the process, as soon as there would be something to show", async () => {
    const { hub, lock, create, push } = await setUp("tail-lost");
    await create();
    await runInDurableObject(hub, (_, { storage }) => {
      storage.sql.exec("UPDATE tails SET connected = 1, expires_at = expires_at + 1000000");
    });
    expect(await lock.isTailed()).toBe(true);
    await push([tailEvent()]);
    expect(await lock.isTailed()).toBe(false);
  });

  it("and lets nobody else in while somebody is connected", async () => {
    const { hub, create } = await setUp("tail-second");
    await create();
    await connect(hub, "t1");
    const second = await hub.fetch("http://tail-hub/t1", { headers: { upgrade: "websocket" } });
    expect(second.status).toBe(410);
  });
});
