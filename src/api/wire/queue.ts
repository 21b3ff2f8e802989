import type { Consumer, Producer, Queue } from "../../domain/queue-records.ts";
import { consumerSettings } from "../../domain/queue-settings.ts";
import { toWireTime } from "./time.ts";

/** `producers` and `consumers`: of all queues that are shown. */
export function toWireQueue(
  { id, name, createdOn, modifiedOn, settings }: Queue,
  producers: readonly Producer[],
  consumers: readonly Consumer[],
) {
  const own = producers.filter(({ queue }) => queue === name);
  const bound = consumers.filter(({ queueId }) => queueId === id);
  return {
    queue_id: id,
    queue_name: name,
    created_on: toWireTime(createdOn),
    modified_on: toWireTime(modifiedOn),
    producers: own.map(({ worker }) => ({ type: "worker", script: worker, service: worker })),
    producers_total_count: own.length,
    consumers: bound.map(toWireConsumer),
    consumers_total_count: bound.length,
    settings: {
      delivery_delay: settings.deliveryDelay,
      message_retention_period: settings.messageRetentionPeriod,
      delivery_paused: settings.deliveryPaused,
    },
  };
}

export function toWireConsumer({ id, worker, settings, deadLetterQueue, createdOn }: Consumer) {
  const { batchSize, maxRetries, maxWaitMs, maxConcurrency, retryDelaySeconds } =
    consumerSettings(settings);
  return {
    consumer_id: id,
    type: "worker",
    script: worker,
    settings: {
      batch_size: batchSize,
      max_retries: maxRetries,
      max_wait_time_ms: maxWaitMs,
      ...(maxConcurrency === null ? {} : { max_concurrency: maxConcurrency }),
      retry_delay: retryDelaySeconds,
    },
    ...(deadLetterQueue === null ? {} : { dead_letter_queue: deadLetterQueue }),
    created_on: toWireTime(createdOn),
  };
}
