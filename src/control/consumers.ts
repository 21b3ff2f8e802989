/** Say which Worker gets a queue's messages. A queue has one consumer. */
import type { DomainError } from "../domain/errors.ts";
import type { Consumer, Queue } from "../domain/queue-records.ts";
import {
  DEFAULT_QUEUE_SETTINGS,
  type GivenConsumerSettings,
  isQueueName,
  refuseConsumerSettings,
} from "../domain/queue-settings.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import {
  deleteConsumer,
  findConsumers,
  findQueue,
  insertConsumer,
  updateConsumer,
} from "../store/queues.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext, ControlContext } from "./context.ts";
import { createQueue, tellQueue } from "./queues.ts";

export interface ConsumerRequest {
  readonly worker: Worker;
  /** null: what cannot be delivered is dropped. */
  readonly deadLetterQueue: string | null;
  readonly settings: GivenConsumerSettings;
}

export async function consumerOf(
  context: Pick<ControlContext, "db">,
  queue: Queue,
  consumerId: string,
): Promise<Result<Consumer, DomainError>> {
  const consumers = await findConsumers(context.db, [queue.id]);
  const consumer = consumers.find(({ id }) => id === consumerId);
  return consumer ? ok(consumer) : err({ kind: "consumer_not_found", consumerId });
}

/** Refused while it has another. The queue for dead messages is made if there is none of that name, as on Cloudflare. */
export async function addConsumer(
  context: ActingContext,
  queue: Queue,
  request: ConsumerRequest,
): Promise<Result<Consumer, DomainError>> {
  const prepared = await prepare(context, queue, request);
  if (!prepared.ok) return prepared;
  const id = context.newId().replaceAll("-", "");
  const entry = entryOf(context, "consumer.add", queue, request);
  const consumer: Consumer = { ...fieldsOf(request), id, queueId: queue.id, createdOn: entry.at };
  if (!(await insertConsumer(context.db, context.accountId, consumer, entry))) {
    const [other] = await findConsumers(context.db, [queue.id]);
    return err({ kind: "consumer_exists", queue: queue.name, worker: other?.worker ?? "" });
  }
  const told = await tellQueue(context, queue);
  return told.ok ? ok(consumer) : told;
}

export async function changeConsumer(
  context: ActingContext,
  queue: Queue,
  before: Consumer,
  request: ConsumerRequest,
): Promise<Result<Consumer, DomainError>> {
  const prepared = await prepare(context, queue, request);
  if (!prepared.ok) return prepared;
  const consumer: Consumer = { ...before, ...fieldsOf(request) };
  const entry = entryOf(context, "consumer.update", queue, request);
  await updateConsumer(context.db, context.accountId, consumer, entry);
  const told = await tellQueue(context, queue);
  return told.ok ? ok(consumer) : told;
}

export async function removeConsumer(
  context: ActingContext,
  queue: Queue,
  { id, worker }: Consumer,
): Promise<Result<void, DomainError>> {
  const details = { queue: queue.name, worker };
  const entry = auditEntry(context, "consumer.remove", `queue:${queue.id}`, details);
  await deleteConsumer(context.db, context.accountId, id, entry);
  return tellQueue(context, queue);
}

async function prepare(
  context: ActingContext,
  queue: Queue,
  { settings, deadLetterQueue }: ConsumerRequest,
): Promise<Result<void, DomainError>> {
  const refused = refuseConsumerSettings(settings);
  if (refused !== null) return err({ kind: "consumer_settings_invalid", detail: refused });
  if (deadLetterQueue === null) return ok(undefined);
  if (!isQueueName(deadLetterQueue)) return err({ kind: "bad_queue_name", name: deadLetterQueue });
  if (deadLetterQueue === queue.name) {
    const detail = `The dead letter queue of ${queue.name} has to be another one.`;
    return err({ kind: "consumer_settings_invalid", detail });
  }
  const { db, accountId } = context;
  if ((await findQueue(db, accountId, { name: deadLetterQueue })) !== null) return ok(undefined);
  const made = await createQueue(context, deadLetterQueue, DEFAULT_QUEUE_SETTINGS);
  return made.ok || made.error.kind === "queue_name_taken" ? ok(undefined) : made;
}

const fieldsOf = ({ worker, deadLetterQueue, settings }: ConsumerRequest) => ({
  workerId: worker.id,
  worker: worker.name as string,
  deadLetterQueue,
  settings,
});

const entryOf = (
  context: ActingContext,
  action: string,
  queue: Queue,
  { worker, deadLetterQueue, settings }: ConsumerRequest,
) =>
  auditEntry(context, action, `queue:${queue.id}`, {
    queue: queue.name,
    worker: worker.name,
    deadLetterQueue,
    settings,
  });
