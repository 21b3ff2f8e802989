/** A queue over real storage; only the gateway is pretended. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { QueueConfig, QueueConsumer } from "../../../src/data/queues/queue-config.ts";
import type { Batch, QueueObject } from "../../../src/data/queues/queue-object.ts";
import type { EventDispatch, EventResult } from "../../../src/domain/event.ts";
import type { WorkerId } from "../../../src/domain/ids.ts";
import { FAILED, type Verdict } from "../../../src/domain/queue.ts";
import { consumerSettings, DEFAULT_QUEUE_SETTINGS } from "../../../src/domain/queue-settings.ts";
import { freshDatabase } from "../../support/fixtures.ts";
import {
  BATCH_LEASE_MS,
  QUEUE_BACKLOG_BYTES_MAX,
  QUEUE_MESSAGE_OVERHEAD_BYTES,
} from "../../../src/domain/limits-queue.ts";

const newId = () => crypto.randomUUID().replaceAll("-", "");
const ok: Verdict = { ...FAILED, ok: true };

/** The object's methods as its callers have them. */
type Calls = {
  readonly [Name in keyof QueueObject]: QueueObject[Name] extends (
    ...args: infer Args
  ) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

/** What the pretended gateway does with an event. */
type Gateway = (batchId: string) => Promise<EventResult>;

const consumer = (fields: Partial<QueueConsumer> = {}, settings = {}): QueueConsumer => ({
  workerId: newId() as WorkerId,
  settings: consumerSettings({ batch_size: 2, max_wait_time_ms: 0, max_retries: 1, ...settings }),
  deadLetterQueueId: null,
  ...fields,
});

async function queue(fields: Partial<QueueConfig> = {}) {
  const id = newId();
  const object = () => env.QUEUES.getByName(id) as unknown as DurableObjectStub<QueueObject>;
  const stub = () => object() as unknown as Calls;
  const config = {
    id,
    name: "orders",
    settings: DEFAULT_QUEUE_SETTINGS,
    consumer: null,
    ...fields,
  };
  await stub().configure(config);
  const dispatches: EventDispatch[] = [];
  const gateway: { run: Gateway } = { run: () => new Promise(() => undefined) };
  const EVENTS = {
    async fetch(_: string, { body }: { body: string }) {
      const dispatch = JSON.parse(body) as EventDispatch;
      dispatches.push(dispatch);
      return Response.json(await gateway.run(dispatch.id));
    },
  };
  /** Once more after every restart. */
  const attach = () =>
    runInDurableObject(object(), (instance) => {
      (instance as unknown as { env: unknown }).env = { ...env, EVENTS };
    });
  await attach();
  return {
    id,
    config,
    object,
    stub,
    attach,
    dispatches,
    gateway,
    configure: (change: Partial<QueueConfig>) => stub().configure({ ...config, ...change }),
    send: (...bodies: string[]) =>
      stub().send(
        bodies.map((body) => message(body)),
        null,
      ),
    backlog: async () => {
      const metrics = await stub().metrics();
      return metrics.ok ? metrics.value.backlogCount : metrics.error;
    },
  };
}

const message = (body: unknown, more = {}) => ({
  id: newId(),
  message: { contentType: "text" as const, body, bytes: 3, delaySeconds: null, ...more },
});
const bodies = (batch: Batch | null) => batch?.messages.map(({ body }) => body);

describe("delivery", () => {
  it("a full batch goes to the consumer at once, and what it acknowledges is gone", async () => {
    const q = await queue({ consumer: consumer() });
    const seen: unknown[] = [];
    q.gateway.run = async (batchId) => {
      const batch = await q.stub().takeBatch(batchId);
      seen.push(
        batch?.queue,
        bodies(batch),
        batch?.messages.map(({ attempts }) => attempts),
      );
      await q.stub().settleBatch(batchId, ok);
      return { outcome: "ok" };
    };
    await q.send("a", "b");
    await vi.waitFor(async () => expect(await q.backlog()).toBe(0));
    expect(seen).toEqual(["orders", ["a", "b"], [1, 1]]);
    expect(q.dispatches).toEqual([
      {
        id: expect.any(String),
        workerId: expect.any(String),
        event: { type: "queue", queueId: q.id, batchId: q.dispatches[0]?.id },
      },
    ]);
  });

  it("every kind of body arrives as it was sent", async () => {
    const q = await queue();
    const value = { map: new Map([[1, new Date(5)]]), bytes: new Uint8Array([1, 2]) };
    const sent = [
      message("text"),
      message('{"a":1}', { contentType: "json" }),
      message(new Uint8Array([0, 255]), { contentType: "bytes" }),
      message(value, { contentType: "v8" }),
    ];
    expect((await q.stub().send(sent, null)).ok).toBe(true);
    await q.configure({ consumer: consumer({}, { batch_size: 4 }) });
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
    const batch = await q.stub().takeBatch(q.dispatches[0]!.id);
    expect(bodies(batch)).toEqual(["text", '{"a":1}', new Uint8Array([0, 255]), value]);
  });

  it("a value that cannot be kept is refused, and with it all that came with it", async () => {
    const q = await queue();
    const bad = message({ run: () => 1 }, { contentType: "v8" });
    expect(await q.stub().send([message("a"), bad], null)).toEqual({
      ok: false,
      error: "Bad Request",
    });
    expect(await q.backlog()).toBe(0);
  });

  it("nothing is delivered while the queue is paused; afterwards it is", async () => {
    const settings = { ...DEFAULT_QUEUE_SETTINGS, deliveryPaused: true };
    const q = await queue({ settings, consumer: consumer() });
    await q.send("a", "b");
    expect(q.dispatches).toEqual([]);
    await q.configure({ settings: DEFAULT_QUEUE_SETTINGS, consumer: consumer() });
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
  });

  it("a delayed message waits, whoever set the delay", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    await q.stub().send([message("own", { delaySeconds: 60 })], 0);
    await q.stub().send([message("call's")], 60);
    await q.configure({
      consumer: consumer({}, { batch_size: 1 }),
      settings: { ...DEFAULT_QUEUE_SETTINGS, deliveryDelay: 60 },
    });
    await q.stub().send([message("queue's")], null);
    expect(q.dispatches).toEqual([]);
    await q.stub().send([message("none", { delaySeconds: 0 })], 60);
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
  });

  it("sending the same messages again changes nothing", async () => {
    const q = await queue();
    const items = [message("a"), message("b")];
    await q.stub().send(items, null);
    await q.stub().send(items, null);
    expect(await q.backlog()).toBe(2);
  });

  it("no more batches are under way than the consumer takes", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1, max_concurrency: 2 }) });
    await q.send("a", "b", "c");
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(2));
    await q.stub().takeBatch(q.dispatches[0]!.id);
    await q.stub().settleBatch(q.dispatches[0]!.id, ok);
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(3));
  });
});

describe("when delivery fails", () => {
  const failing = (q: Awaited<ReturnType<typeof queue>>) => async (batchId: string) => {
    await q.stub().takeBatch(batchId);
    return { outcome: "lost" } as const;
  };

  it("a message is delivered again, with its attempts counted, and dropped after its last retry", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    const attempts: (number | undefined)[] = [];
    q.gateway.run = async (batchId) => {
      const batch = await q.stub().takeBatch(batchId);
      attempts.push(batch?.messages[0]?.attempts);
      await q.stub().settleBatch(batchId, FAILED);
      return { outcome: "exception" };
    };
    await q.send("a");
    await vi.waitFor(async () => expect(await q.backlog()).toBe(0));
    expect(attempts).toEqual([1, 2]);
  });

  it("a dead message goes to the dead letter queue as it is, under its own id", async () => {
    const dead = await queue();
    const q = await queue({
      consumer: consumer({ deadLetterQueueId: dead.id }, { batch_size: 1 }),
    });
    q.gateway.run = failing(q);
    const sent = message(new Map([["a", 1]]), { contentType: "v8" });
    await q.stub().send([sent], null);
    await vi.waitFor(async () => expect([await q.backlog(), await dead.backlog()]).toEqual([0, 1]));
    await dead.configure({ consumer: consumer({}, { batch_size: 1 }) });
    await vi.waitFor(() => expect(dead.dispatches).toHaveLength(1));
    const batch = await dead.stub().takeBatch(dead.dispatches[0]!.id);
    expect(batch?.messages).toMatchObject([
      { id: sent.id, body: new Map([["a", 1]]), attempts: 1 },
    ]);
  });

  it("an event that could not begin does not count as an attempt", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    q.gateway.run = () => Promise.resolve({ outcome: "stopped" });
    await q.send("a");
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
    q.gateway.run = () => new Promise(() => undefined);
    // A pause follows; the next word about the queue ends it.
    await q.configure({ consumer: consumer({}, { batch_size: 1 }) });
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(2));
    const batch = await q.stub().takeBatch(q.dispatches[1]!.id);
    expect(batch?.messages[0]?.attempts).toBe(1);
  });

  it("a batch is handed over once, and the word about one that is over changes nothing", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    await q.send("a");
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
    const { id } = q.dispatches[0]!;
    expect(await q.stub().settleBatch(id, ok)).toBe(false);
    expect(bodies(await q.stub().takeBatch(id))).toEqual(["a"]);
    expect(await q.stub().takeBatch(id)).toBeNull();
    expect(await q.stub().settleBatch(id, ok)).toBe(true);
    expect(await q.stub().settleBatch(id, FAILED)).toBe(false);
    expect(await q.backlog()).toBe(0);
  });

  it("a batch whose process was lost with everything else is delivered again when its lease has lapsed", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    await q.send("a");
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
    await q.stub().takeBatch(q.dispatches[0]!.id);
    await runInDurableObject(q.object(), async (_, state) => {
      state.storage.sql.exec("UPDATE batches SET lease_until = lease_until - ?", BATCH_LEASE_MS);
      await state.storage.sync();
      state.abort("killed");
    }).catch(() => undefined);
    await q.attach();
    await runDurableObjectAlarm(q.object());
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(2));
    const batch = await q.stub().takeBatch(q.dispatches[1]!.id);
    expect(batch?.messages).toMatchObject([{ body: "a", attempts: 2 }]);
  });

  it("a batch whose consumer still runs keeps its lease", async () => {
    const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
    await q.send("a");
    await vi.waitFor(() => expect(q.dispatches).toHaveLength(1));
    await q.stub().takeBatch(q.dispatches[0]!.id);
    await runInDurableObject(q.object(), (_, state) => {
      state.storage.sql.exec("UPDATE batches SET lease_until = lease_until - ?", BATCH_LEASE_MS);
    });
    expect(await runDurableObjectAlarm(q.object())).toBe(true);
    expect(q.dispatches).toHaveLength(1);
    expect(await q.stub().settleBatch(q.dispatches[0]!.id, ok)).toBe(true);
  });
});

it("where all is one Worker, the event goes straight to its gateway", async () => {
  const q = await queue({ consumer: consumer({}, { batch_size: 1 }) });
  const log = vi.spyOn(console, "log");
  await runInDurableObject(q.object(), (instance) => {
    (instance as unknown as { env: unknown }).env = env;
  });
  await freshDatabase();
  await q.send("a");
  const told = () => log.mock.calls.flat().find((line) => String(line).includes("not_delivered"));
  await vi.waitFor(() => expect(told()).toContain('"outcome":"no_worker"'));
});

describe("what a queue keeps", () => {
  it("not longer than it is told to", async () => {
    const q = await queue();
    await q.send("a");
    await runInDurableObject(q.object(), (_, state) => {
      const retentionMs = DEFAULT_QUEUE_SETTINGS.messageRetentionPeriod * 1_000;
      state.storage.sql.exec("UPDATE messages SET expires_at = expires_at - ?", retentionMs);
    });
    await runDurableObjectAlarm(q.object());
    expect(await q.backlog()).toBe(0);
  });

  it("not more than it has room for", async () => {
    const q = await queue();
    const rest = QUEUE_BACKLOG_BYTES_MAX - 2 * QUEUE_MESSAGE_OVERHEAD_BYTES;
    expect((await q.stub().send([message("a", { bytes: rest })], null)).ok).toBe(true);
    const refused = { ok: false, error: "Insufficient Storage" };
    expect(await q.stub().send([message("b", { bytes: 1 })], null)).toEqual(refused);
    // What has no body is a row all the same.
    expect((await q.stub().send([message("", { bytes: 0 })], null)).ok).toBe(true);
    expect(await q.stub().send([message("", { bytes: 0 })], null)).toEqual(refused);
  });

  it("its dead messages, while the dead letter queue has no room for them", async () => {
    const dead = await queue();
    await dead.stub().send([message("a", { bytes: QUEUE_BACKLOG_BYTES_MAX / 2 })], null);
    const [letter] = [{ ...message("b", { bytes: QUEUE_BACKLOG_BYTES_MAX / 2 }), timestamp: 1 }];
    expect(await dead.stub().takeDead([letter])).toBe("full");
    await dead.stub().purge();
    expect(await dead.stub().takeDead([letter])).toBe("taken");
    expect(await dead.backlog()).toBe(1);
  });

  it("nothing after a purge, but it goes on; nothing at all once it is deleted", async () => {
    const q = await queue();
    await q.stub().send([message("a"), message(new Map(), { contentType: "v8" })], null);
    await q.stub().purge();
    expect(await q.backlog()).toBe(0);
    await q.send("b");
    expect(await q.backlog()).toBe(1);
    await q.stub().destroy();
    expect(await q.backlog()).toBe("Not Found");
    expect(await q.send("c")).toEqual({ ok: false, error: "Not Found" });
    await runInDurableObject(q.object(), (_, state) => {
      expect([...state.storage.kv.list()]).toEqual([]);
    });
  });
});
