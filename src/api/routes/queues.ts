/** Queues, their consumers, and messages that come by HTTP. */
import { Hono } from "hono";
import {
  addConsumer,
  changeConsumer,
  type ConsumerRequest,
  consumerOf,
  removeConsumer,
} from "../../control/consumers.ts";
import { pushMessages } from "../../control/queue-messages.ts";
import {
  changeQueue,
  createQueue,
  deleteQueue,
  purgeQueue,
  queueById,
} from "../../control/queues.ts";
import { QUEUE_NAMES_FILTER_MAX, QUEUES_PAGE_DEFAULT } from "../../domain/limits-queue.ts";
import type { Queue } from "../../domain/queue-records.ts";
import { DEFAULT_QUEUE_SETTINGS } from "../../domain/queue-settings.ts";
import { findConsumers, findProducers, listQueues } from "../../store/queues.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { flag, pageInfo, pageOf } from "../paging.ts";
import {
  changedQueue,
  newQueue,
  pushedMessage,
  pushedMessages,
  queueConsumer,
  toQueueSettings,
} from "../queue-schemas.ts";
import { readJson } from "../read-body.ts";
import { toWireConsumer, toWireQueue } from "../wire/queue.ts";

/** Below `/accounts/:accountId/queues`. */
export const queueRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, QUEUES_PAGE_DEFAULT);
    const { perPage: limit, offset } = page;
    const found = await listQueues(db, accountId, namesOf(c), { limit, offset });
    const info = pageInfo(page, found.queues.length, found.total);
    return success(c, await toWire(c, found.queues), { info });
  })
  .post("/", async (c) => {
    const { queue_name, settings } = accept(await readJson(c.req.raw, newQueue));
    const given = { ...DEFAULT_QUEUE_SETTINGS, ...toQueueSettings(settings) };
    const queue = accept(await createQueue(c.var.context, queue_name, given));
    logChange(c, "queue.create", { queue: queue.name, id: queue.id });
    return success(c, (await toWire(c, [queue]))[0]);
  })
  .get("/:queueId", async (c) => success(c, (await toWire(c, [await queueOf(c)]))[0]))
  .put("/:queueId", (c) => answerChange(c))
  .patch("/:queueId", (c) => answerChange(c))
  .delete("/:queueId", async (c) => {
    const force = flag(c, "force");
    const queue = accept(await deleteQueue(c.var.context, c.req.param("queueId"), { force }));
    logChange(c, "queue.delete", { queue: queue.name, id: queue.id, force });
    return success(c, null);
  })
  .post("/:queueId/purge", async (c) => {
    const queue = await queueOf(c);
    accept(await purgeQueue(c.var.context, queue));
    logChange(c, "queue.purge", { queue: queue.name });
    return success(c, (await toWire(c, [queue]))[0]);
  })
  // Done by the time that anybody can ask.
  .get("/:queueId/purge", async (c) => {
    await queueOf(c);
    return success(c, { completed: "true" });
  })
  .post("/:queueId/messages", async (c) => {
    const queue = await queueOf(c);
    const { body, content_type, delay_seconds } = accept(await readJson(c.req.raw, pushedMessage));
    const message = { body, contentType: content_type, delaySeconds: delay_seconds };
    accept(await pushMessages(c.var.context, queue, [message]));
    return success(c, null);
  })
  .post("/:queueId/messages/batch", async (c) => {
    const queue = await queueOf(c);
    const given = accept(await readJson(c.req.raw, pushedMessages));
    const messages = given.messages.map(({ body, content_type, delay_seconds }) => ({
      body,
      contentType: content_type,
      delaySeconds: delay_seconds ?? given.delay_seconds,
    }));
    accept(await pushMessages(c.var.context, queue, messages));
    return success(c, null);
  })
  .post("/:queueId/messages/pull", () => refusePull())
  .post("/:queueId/messages/ack", () => refusePull())
  .get("/:queueId/consumers", async (c) => {
    const consumers = await findConsumers(c.var.context.db, [(await queueOf(c)).id]);
    return success(c, consumers.map(toWireConsumer));
  })
  .post("/:queueId/consumers", async (c) => {
    const queue = await queueOf(c);
    const request = await requestOf(c);
    const consumer = accept(await addConsumer(c.var.context, queue, request));
    logChange(c, "consumer.add", { queue: queue.name, worker: consumer.worker });
    return success(c, { ...toWireConsumer(consumer), queue_name: queue.name });
  })
  .get("/:queueId/consumers/:consumerId", async (c) => {
    const queue = await queueOf(c);
    const consumer = accept(await consumerOf(c.var.context, queue, c.req.param("consumerId")));
    return success(c, { ...toWireConsumer(consumer), queue_name: queue.name });
  })
  .put("/:queueId/consumers/:consumerId", async (c) => {
    const { context } = c.var;
    const queue = await queueOf(c);
    const before = accept(await consumerOf(context, queue, c.req.param("consumerId")));
    const consumer = accept(await changeConsumer(context, queue, before, await requestOf(c)));
    logChange(c, "consumer.update", { queue: queue.name, worker: consumer.worker });
    return success(c, { ...toWireConsumer(consumer), queue_name: queue.name });
  })
  .delete("/:queueId/consumers/:consumerId", async (c) => {
    const { context } = c.var;
    const queue = await queueOf(c);
    const consumer = accept(await consumerOf(context, queue, c.req.param("consumerId")));
    accept(await removeConsumer(context, queue, consumer));
    logChange(c, "consumer.remove", { queue: queue.name, worker: consumer.worker });
    return success(c, null);
  });

const queueOf = async (c: ApiContext): Promise<Queue> =>
  accept(await queueById(c.var.context, c.req.param("queueId") ?? ""));

/** `?name=` may be given several times; without it, all. */
function namesOf(c: ApiContext): readonly string[] | null {
  const names = c.req.queries("name") ?? [];
  if (names.length <= QUEUE_NAMES_FILTER_MAX) return names.length === 0 ? null : names;
  const detail = `name may be given ${QUEUE_NAMES_FILTER_MAX} times.`;
  return refuseWith({ kind: "bad_request", detail });
}

async function toWire(c: ApiContext, queues: readonly Queue[]) {
  const { db, accountId } = c.var.context;
  const names = queues.map(({ name }) => name);
  const ids = queues.map(({ id }) => id);
  const [producers, consumers] = await Promise.all([
    findProducers(db, accountId, names),
    findConsumers(db, ids),
  ]);
  return queues.map((queue) => toWireQueue(queue, producers, consumers));
}

async function answerChange(c: ApiContext): Promise<Response> {
  const before = await queueOf(c);
  const { queue_name: name, settings } = accept(await readJson(c.req.raw, changedQueue));
  const change = { name, settings: toQueueSettings(settings) };
  const queue = accept(await changeQueue(c.var.context, before, change));
  logChange(c, "queue.update", { queue: queue.name, paused: queue.settings.deliveryPaused });
  return success(c, (await toWire(c, [queue]))[0]);
}

async function requestOf(c: ApiContext): Promise<ConsumerRequest> {
  const given = accept(await readJson(c.req.raw, queueConsumer));
  if (given.type !== undefined && given.type !== "worker") return refusePull();
  const name = given.script_name ?? given.script;
  if (name === undefined) {
    return refuseWith({ kind: "bad_request", detail: "script_name: the Worker's name is needed" });
  }
  const worker = accept(await workerNamed(c.var.context, name));
  return {
    worker,
    deadLetterQueue: given.dead_letter_queue ?? null,
    settings: given.settings ?? {},
  };
}

const refusePull = (): never =>
  refuseWith({
    kind: "not_supported",
    what: "Pulling messages by HTTP",
    instead: 'Let a Worker consume the queue: "type": "worker".',
  });
