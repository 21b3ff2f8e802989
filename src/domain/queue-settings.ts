/** Settings of queues and their consumers: defaults and limits. */
import {
  CONSUMER_BATCH_SIZE_DEFAULT,
  CONSUMER_BATCH_SIZE_MAX,
  CONSUMER_CONCURRENCY_MAX,
  CONSUMER_RETRIES_DEFAULT,
  CONSUMER_RETRIES_MAX,
  CONSUMER_WAIT_MS_DEFAULT,
  CONSUMER_WAIT_MS_MAX,
  QUEUE_DELAY_SECONDS_MAX,
  QUEUE_NAME_CHARS_MAX,
  QUEUE_RETENTION_SECONDS_DEFAULT,
  QUEUE_RETENTION_SECONDS_MAX,
  QUEUE_RETENTION_SECONDS_MIN,
} from "./limits-queue.ts";

export interface QueueSettings {
  /** Of messages that name none themselves, in seconds. */
  readonly deliveryDelay: number;
  /** In seconds, from when a message is sent. */
  readonly messageRetentionPeriod: number;
  /** Messages are taken but not delivered. */
  readonly deliveryPaused: boolean;
}

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  deliveryDelay: 0,
  messageRetentionPeriod: QUEUE_RETENTION_SECONDS_DEFAULT,
  deliveryPaused: false,
};

export interface ConsumerSettings {
  readonly batchSize: number;
  /** Milliseconds. */
  readonly maxWaitMs: number;
  readonly maxRetries: number;
  /** null: as many as the machine is given. */
  readonly maxConcurrency: number | null;
  /** Seconds. */
  readonly retryDelaySeconds: number;
}

/** As a client names them; what it does not name is not here. */
export interface GivenConsumerSettings {
  readonly batch_size?: number | undefined;
  readonly max_retries?: number | undefined;
  readonly max_wait_time_ms?: number | undefined;
  readonly max_concurrency?: number | null | undefined;
  readonly retry_delay?: number | undefined;
}

export const consumerSettings = (given: GivenConsumerSettings): ConsumerSettings => ({
  batchSize: given.batch_size ?? CONSUMER_BATCH_SIZE_DEFAULT,
  maxWaitMs: given.max_wait_time_ms ?? CONSUMER_WAIT_MS_DEFAULT,
  maxRetries: given.max_retries ?? CONSUMER_RETRIES_DEFAULT,
  maxConcurrency: given.max_concurrency ?? null,
  retryDelaySeconds: given.retry_delay ?? 0,
});

/** Ranges of what a client may name, both ends included. */
const CONSUMER_RANGES: Readonly<
  Record<keyof GivenConsumerSettings, readonly [min: number, max: number, unit: string]>
> = {
  batch_size: [1, CONSUMER_BATCH_SIZE_MAX, "messages"],
  max_retries: [0, CONSUMER_RETRIES_MAX, "retries"],
  max_wait_time_ms: [0, CONSUMER_WAIT_MS_MAX, "milliseconds"],
  max_concurrency: [1, CONSUMER_CONCURRENCY_MAX, "batches"],
  retry_delay: [0, QUEUE_DELAY_SECONDS_MAX, "seconds"],
};

/** Why these cannot be a consumer's settings; null: they can. */
export function refuseConsumerSettings(given: GivenConsumerSettings): string | null {
  for (const [name, [min, max, unit]] of Object.entries(CONSUMER_RANGES)) {
    const value = given[name as keyof GivenConsumerSettings];
    if (value === undefined || value === null) continue;
    if (!isWithin(value, min, max)) return outside(`settings.${name}`, min, max, unit);
  }
  return null;
}

/** Why these cannot be a queue's settings; null: they can. */
export function refuseQueueSettings(settings: QueueSettings): string | null {
  if (!isWithin(settings.deliveryDelay, 0, QUEUE_DELAY_SECONDS_MAX)) {
    return outside("delivery_delay", 0, QUEUE_DELAY_SECONDS_MAX, "seconds");
  }
  const [min, max] = [QUEUE_RETENTION_SECONDS_MIN, QUEUE_RETENTION_SECONDS_MAX];
  if (isWithin(settings.messageRetentionPeriod, min, max)) return null;
  return outside("message_retention_period", min, max, "seconds");
}

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max;

const outside = (name: string, min: number, max: number, unit: string): string =>
  `${name} has to be a whole number from ${min} to ${max} (${unit}).`;

/** Cloudflare's rule: letters, digits and dashes, neither first nor last a dash. */
const QUEUE_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;

export const isQueueName = (text: string): boolean =>
  text.length <= QUEUE_NAME_CHARS_MAX && QUEUE_NAME.test(text);
