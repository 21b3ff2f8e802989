/** What clients send about queues, consumers and schedules. */
import * as z from "zod";
import { ID_CHARS_MAX } from "../domain/limits.ts";
import { CRON_CHARS_MAX } from "../domain/limits-cron.ts";
import type { GivenConsumerSettings, QueueSettings } from "../domain/queue-settings.ts";

const queueSettings = z.object({
  delivery_delay: z.number().optional(),
  message_retention_period: z.number().optional(),
  delivery_paused: z.boolean().optional(),
});

const NAME_CHARS_MAX = 1_024;
const queueName = z.string().max(NAME_CHARS_MAX);

export const newQueue = z.object({ queue_name: queueName, settings: queueSettings.nullish() });
export const changedQueue = newQueue.partial();

/** Only what was given. */
export function toQueueSettings(
  given: z.output<typeof queueSettings> | null | undefined,
): Partial<QueueSettings> {
  const { delivery_delay, message_retention_period, delivery_paused } = given ?? {};
  return {
    ...(delivery_delay === undefined ? {} : { deliveryDelay: delivery_delay }),
    ...(message_retention_period === undefined
      ? {}
      : { messageRetentionPeriod: message_retention_period }),
    ...(delivery_paused === undefined ? {} : { deliveryPaused: delivery_paused }),
  };
}

export const queueConsumer = z.object({
  type: z.string().max(ID_CHARS_MAX).optional(),
  script_name: z.string().max(NAME_CHARS_MAX).optional(),
  /** As `wrangler` calls it in places. */
  script: z.string().max(NAME_CHARS_MAX).optional(),
  dead_letter_queue: queueName.nullish(),
  settings: z
    .object({
      batch_size: z.number().optional(),
      max_retries: z.number().optional(),
      max_wait_time_ms: z.number().optional(),
      max_concurrency: z.number().nullish(),
      retry_delay: z.number().optional(),
    })
    .nullish(),
}) satisfies z.ZodType<{ settings?: GivenConsumerSettings | null | undefined }>;

const message = z.object({
  body: z.unknown(),
  content_type: z.enum(["text", "json"]).optional(),
  delay_seconds: z.number().optional(),
});
export const pushedMessage = message;
export const pushedMessages = z.object({
  messages: z.array(message).min(1),
  delay_seconds: z.number().optional(),
});

export const scheduleList = z.array(
  z.union([
    z.object({ cron: z.string().max(CRON_CHARS_MAX * 4) }),
    z
      .string()
      .max(CRON_CHARS_MAX * 4)
      .transform((cron) => ({ cron })),
  ]),
);
