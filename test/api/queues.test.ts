import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { QueueConfig } from "../../src/data/queues/queue-config.ts";
import {
  CONSUMER_BATCH_SIZE_MAX,
  CONSUMER_CONCURRENCY_MAX,
  CONSUMER_RETRIES_MAX,
  CONSUMER_WAIT_MS_MAX,
  QUEUE_DELAY_SECONDS_MAX,
  QUEUE_NAME_CHARS_MAX,
  QUEUE_RETENTION_SECONDS_MAX,
  QUEUE_RETENTION_SECONDS_MIN,
} from "../../src/domain/limits-queue.ts";
import { ACCOUNT, apiClient, deployedWorker, type Client } from "./api-fixture.ts";

const QUEUES = `${ACCOUNT}/queues`;
const newName = () => `q-${crypto.randomUUID()}`;
let client: Client;
beforeEach(async () => {
  client = await apiClient();
});

async function made(name = newName(), settings = {}) {
  const { result, errors } = await client.call("POST", QUEUES, { queue_name: name, settings });
  expect(errors).toEqual([]);
  return { name, id: result.queue_id as string, path: `${QUEUES}/${result.queue_id}` };
}
/** What the queue's own object was told. */
const told = (id: string) =>
  runInDurableObject(env.QUEUES.getByName(id) as DurableObjectStub, (_, state) =>
    state.storage.kv.get<QueueConfig>("config"),
  );

describe("queues", () => {
  it("are listed by name, with numbers of producers and consumers, and narrowed to the names asked for", async () => {
    const [b, a] = [
      await made(`b-${newName()}`.slice(0, 40)),
      await made(`a-${newName()}`.slice(0, 40)),
    ];
    const all = await client.call("GET", `${QUEUES}?page=1`);
    expect(all.result).toMatchObject([
      { queue_id: a.id, producers: [], producers_total_count: 0, consumers_total_count: 0 },
      { queue_id: b.id, consumers: [] },
    ]);
    expect(all.result_info).toMatchObject({ count: 2, total_count: 2, per_page: 100 });
    const one = await client.call("GET", `${QUEUES}?page=1&name=${a.name}`);
    expect(one.result.map((queue: { queue_name: string }) => queue.queue_name)).toEqual([a.name]);
    const both = await client.call("GET", `${QUEUES}?name=${a.name}&name=${b.name}&name=nope`);
    expect(both.result).toHaveLength(2);
    expect((await client.call("GET", `${QUEUES}?name=nope`)).result).toEqual([]);
    expect((await client.call("GET", `${QUEUES}?page=0`)).status).toBe(400);
  });

  it("are made with their settings, told as they are, and changed setting by setting", async () => {
    const { path, id, name } = await made(newName(), { delivery_delay: 5 });
    const before = await client.call("GET", path);
    expect(before.result.settings).toEqual({
      delivery_delay: 5,
      message_retention_period: 345_600,
      delivery_paused: false,
    });
    const paused = { queue_name: name, settings: { delivery_paused: true } };
    expect((await client.call("PATCH", path, paused)).result.settings).toMatchObject({
      delivery_delay: 5,
      delivery_paused: true,
    });
    expect(await told(id)).toMatchObject({ name, settings: { deliveryPaused: true } });
  });

  it.each([
    ["delivery_delay", 0, QUEUE_DELAY_SECONDS_MAX],
    ["message_retention_period", QUEUE_RETENTION_SECONDS_MIN, QUEUE_RETENTION_SECONDS_MAX],
  ])("%s has to be within its limits", async (setting, min, max) => {
    const { path } = await made();
    const set = async (value: number) =>
      (await client.call("PUT", path, { settings: { [setting]: value } })).errors[0]?.code;
    expect([await set(min), await set(max)]).toEqual([undefined, undefined]);
    expect([await set(min - 1), await set(max + 1), await set(60.5)]).toEqual([
      100128, 100128, 100128,
    ]);
    expect((await client.call("GET", path)).result.settings[setting]).toBe(max);
  });

  it("have one name each, which nobody else has, and which does not change", async () => {
    const { name, path } = await made();
    const again = await client.call("POST", QUEUES, { queue_name: name });
    expect([again.status, again.errors[0]?.code]).toEqual([400, 11009]);
    for (const bad of ["", "-a", "a-", "a_b", "a b", "x".repeat(QUEUE_NAME_CHARS_MAX + 1)]) {
      const refused = await client.call("POST", QUEUES, { queue_name: bad });
      expect([bad, refused.errors[0]?.code]).toEqual([bad, 11003]);
    }
    await made("x".repeat(QUEUE_NAME_CHARS_MAX));
    const renamed = await client.call("PATCH", path, { queue_name: newName() });
    expect(renamed.errors[0]?.code).toBe(130090);
  });

  it("are not found after they are deleted, and their name is free", async () => {
    const { name, path } = await made();
    expect((await client.call("DELETE", path)).status).toBe(200);
    for (const method of ["GET", "DELETE", "PATCH"]) {
      const answer = await client.call(method, path, method === "PATCH" ? {} : undefined);
      expect([answer.status, answer.errors[0]?.code]).toEqual([404, 11000]);
    }
    await made(name);
  });

  it("are not deleted while a current deployment is bound to them, unless forced", async () => {
    const { name, path } = await made();
    const worker = `w${crypto.randomUUID()}`;
    const bindings = [{ type: "queue", name: "ORDERS", queue_name: name }];
    await deployedWorker(client, worker, { bindings });
    const listed = await client.call("GET", path);
    expect(listed.result).toMatchObject({
      producers: [{ script: worker }],
      producers_total_count: 1,
    });
    const refused = await client.call("DELETE", path);
    expect(refused.errors[0]?.code).toBe(130050);
    expect(refused.errors[0]?.message).toContain(`${worker} (ORDERS)`);
    expect((await client.call("DELETE", `${path}?force=true`)).status).toBe(200);
  });

  it("take messages by HTTP, up to their limits, and drop them when they are purged", async () => {
    const { path, id } = await made();
    const backlog = async () => {
      const calls = env.QUEUES.getByName(id) as unknown as {
        metrics(): Promise<{ value: { backlogCount: number } }>;
      };
      return (await calls.metrics()).value.backlogCount;
    };
    expect((await client.call("POST", `${path}/messages`, { body: { a: 1 } })).status).toBe(200);
    const batch = {
      messages: [{ body: "a", content_type: "text" }, { body: 2 }],
      delay_seconds: 5,
    };
    expect((await client.call("POST", `${path}/messages/batch`, batch)).status).toBe(200);
    expect(await backlog()).toBe(3);
    const large = await client.call("POST", `${path}/messages`, { body: "x".repeat(200_000) });
    expect(large.errors[0]?.code).toBe(130078);
    const wrong = await client.call("POST", `${path}/messages`, { body: 1, content_type: "text" });
    expect(wrong.errors[0]?.code).toBe(130078);
    expect((await client.call("POST", `${path}/purge`, {})).status).toBe(200);
    expect(await backlog()).toBe(0);
    expect((await client.call("POST", `${path}/messages/pull`, {})).errors[0]?.code).toBe(130090);
  });
});

describe("consumers", () => {
  const newWorker = async () => {
    const worker = `w${crypto.randomUUID()}`;
    await deployedWorker(client, worker);
    return worker;
  };

  it("are added, changed and removed; the queue is told each time", async () => {
    const { path, id, name } = await made();
    const worker = await newWorker();
    const body = {
      type: "worker",
      script_name: worker,
      environment_name: "",
      settings: { batch_size: 5 },
    };
    const added = await client.call("POST", `${path}/consumers`, body);
    expect(added.result).toMatchObject({
      type: "worker",
      script: worker,
      queue_name: name,
      settings: { batch_size: 5, max_retries: 3, max_wait_time_ms: 5_000, retry_delay: 0 },
    });
    expect((await told(id))?.consumer?.settings.batchSize).toBe(5);
    const consumer = `${path}/consumers/${added.result.consumer_id}`;
    const changed = { ...body, settings: { max_retries: 0, max_concurrency: 2 } };
    expect((await client.call("PUT", consumer, changed)).status).toBe(200);
    expect((await told(id))?.consumer?.settings).toMatchObject({
      maxRetries: 0,
      maxConcurrency: 2,
    });
    expect((await client.call("GET", `${path}/consumers`)).result).toHaveLength(1);
    expect((await client.call("GET", path)).result).toMatchObject({ consumers_total_count: 1 });
    expect((await client.call("DELETE", consumer)).status).toBe(200);
    expect((await told(id))?.consumer).toBeNull();
    expect((await client.call("DELETE", consumer)).errors[0]?.code).toBe(130075);
  });

  it("are one for each queue, until the Worker is gone", async () => {
    const { path } = await made();
    const [first, second] = [await newWorker(), await newWorker()];
    const add = (script_name: string) => client.call("POST", `${path}/consumers`, { script_name });
    expect((await add(first)).status).toBe(200);
    const refused = await add(second);
    expect([refused.errors[0]?.code, refused.errors[0]?.message]).toEqual([
      130076,
      expect.stringContaining(first),
    ]);
    await client.call("DELETE", `${ACCOUNT}/workers/scripts/${first}`);
    expect((await add(second)).status).toBe(200);
    expect((await client.call("GET", path)).result.consumers).toMatchObject([{ script: second }]);
  });

  it("get the queue for dead messages made that they name; it is another one", async () => {
    const { path, id, name } = await made();
    const script_name = await newWorker();
    const own = await client.call("POST", `${path}/consumers`, {
      script_name,
      dead_letter_queue: name,
    });
    expect(own.errors[0]?.code).toBe(100127);
    const dead_letter_queue = newName();
    const added = await client.call("POST", `${path}/consumers`, {
      script_name,
      dead_letter_queue,
    });
    expect(added.result.dead_letter_queue).toBe(dead_letter_queue);
    const [dead] = (await client.call("GET", `${QUEUES}?name=${dead_letter_queue}`)).result;
    expect((await told(id))?.consumer?.deadLetterQueueId).toBe(dead.queue_id);
    // Made anew, it gets them again.
    await client.call("DELETE", `${QUEUES}/${dead.queue_id}`);
    const anew = await made(dead_letter_queue);
    expect((await told(id))?.consumer?.deadLetterQueueId).toBe(anew.id);
  });

  it.each([
    ["batch_size", 1, CONSUMER_BATCH_SIZE_MAX],
    ["max_retries", 0, CONSUMER_RETRIES_MAX],
    ["max_wait_time_ms", 0, CONSUMER_WAIT_MS_MAX],
    ["max_concurrency", 1, CONSUMER_CONCURRENCY_MAX],
    ["retry_delay", 0, QUEUE_DELAY_SECONDS_MAX],
  ])("%s has to be within its limits", async (setting, min, max) => {
    const { path } = await made();
    const script_name = await newWorker();
    const added = await client.call("POST", `${path}/consumers`, { script_name });
    const consumer = `${path}/consumers/${added.result.consumer_id}`;
    const set = async (value: number) => {
      const body = { script_name, settings: { [setting]: value } };
      return (await client.call("PUT", consumer, body)).errors[0]?.code;
    };
    expect([await set(min), await set(max)]).toEqual([undefined, undefined]);
    expect([await set(min - 1), await set(max + 1)]).toEqual([100127, 100127]);
    expect((await client.call("GET", consumer)).result.settings[setting]).toBe(max);
  });

  it("cannot be what there is not", async () => {
    const { path } = await made();
    const add = async (body: unknown) =>
      (await client.call("POST", `${path}/consumers`, body)).errors[0]?.code;
    expect(await add({ script_name: "nobody" })).toBe(10007);
    expect(await add({ type: "http_pull" })).toBe(130090);
    expect(await add({})).toBe(130001);
    expect(await add({ script_name: 5 })).toBe(130001);
  });
});
