/**
 * What happens to the messages of a queue: when a batch is delivered, and what its end means for each of its messages.
 * Times are milliseconds since 1970.
 */
import {
  CONSUMER_BATCH_BYTES_MAX,
  CONSUMER_CONCURRENCY_DEFAULT,
  CONSUMER_PAUSE_MS_MAX,
  CONSUMER_PAUSE_MS_MIN,
  QUEUE_DELAY_SECONDS_MAX,
} from "./limits-queue.ts";
import type { ConsumerSettings } from "./queue-settings.ts";

/** A message that may be delivered. */
export interface WaitingMessage {
  readonly id: string;
  readonly bytes: number;
  readonly visibleAt: number;
}

export type Delivery =
  | { readonly kind: "deliver"; readonly ids: readonly string[] }
  /** Nothing before then. */
  | { readonly kind: "wait"; readonly until: number }
  /** Nothing before something else happens. */
  | { readonly kind: "idle" };

/**
 * `waiting`: those that come next, by the time from which they may be delivered, at least as many as a batch takes.
 * A batch is delivered when it is full, or when its first message has waited long enough.
 */
export function decideDelivery(
  waiting: readonly WaitingMessage[],
  consumer: Pick<ConsumerSettings, "batchSize" | "maxWaitMs" | "maxConcurrency">,
  batchesUnderWay: number,
  now: number,
): Delivery {
  if (batchesUnderWay >= (consumer.maxConcurrency ?? CONSUMER_CONCURRENCY_DEFAULT)) {
    return { kind: "idle" };
  }
  const first = waiting[0];
  if (first === undefined) return { kind: "idle" };
  if (first.visibleAt > now) return { kind: "wait", until: first.visibleAt };
  const ids: string[] = [];
  let bytes = 0;
  let isFull = false;
  for (const message of waiting) {
    if (message.visibleAt > now) break;
    bytes += message.bytes;
    if (ids.length > 0 && bytes > CONSUMER_BATCH_BYTES_MAX) {
      isFull = true;
      break;
    }
    ids.push(message.id);
    if (ids.length >= consumer.batchSize) {
      isFull = true;
      break;
    }
  }
  const due = first.visibleAt + consumer.maxWaitMs;
  return isFull || due <= now ? { kind: "deliver", ids } : { kind: "wait", until: due };
}

/** What a consumer has said about a batch. Hostile: ids may be any text. */
export interface Verdict {
  /** Whether the handler and what it left behind went well. */
  readonly ok: boolean;
  readonly ackAll: boolean;
  readonly retryAll: { readonly delaySeconds?: number | undefined } | null;
  readonly acks: readonly string[];
  readonly retries: readonly { readonly id: string; readonly delaySeconds?: number | undefined }[];
}

/** Nothing was said: its process is gone, say. */
export const FAILED: Verdict = { ok: false, ackAll: false, retryAll: null, acks: [], retries: [] };

/** A message of a batch that is over. */
export interface DeliveredMessage {
  readonly id: string;
  /** How often it has been delivered, this time included. */
  readonly attempts: number;
}

export type Settlement =
  | { readonly id: string; readonly act: "remove" }
  | { readonly id: string; readonly act: "retry"; readonly visibleAt: number }
  /** It was delivered often enough. */
  | { readonly id: string; readonly act: "bury" };

/**
 * What was said of one message counts before what was said of all, and that before how the handler ended: an
 * acknowledged message does not come again, even if the handler threw later.
 */
export function settle(
  delivered: readonly DeliveredMessage[],
  verdict: Verdict,
  consumer: Pick<ConsumerSettings, "maxRetries" | "retryDelaySeconds">,
  now: number,
): readonly Settlement[] {
  const acks = new Set(verdict.acks);
  const retries = new Map(verdict.retries.map((retry) => [retry.id, retry]));
  return delivered.map(({ id, attempts }): Settlement => {
    const asked = retries.get(id);
    const isDone =
      acks.has(id) ||
      (asked === undefined && (verdict.ackAll || (verdict.retryAll === null && verdict.ok)));
    if (isDone) return { id, act: "remove" };
    if (attempts > consumer.maxRetries) return { id, act: "bury" };
    const delaySeconds =
      asked?.delaySeconds ?? verdict.retryAll?.delaySeconds ?? consumer.retryDelaySeconds ?? 0;
    return { id, act: "retry", visibleAt: now + delayMs(delaySeconds) };
  });
}

/** What a consumer asks for, as far as it is possible. */
const delayMs = (seconds: number): number =>
  Number.isFinite(seconds)
    ? Math.min(Math.max(0, Math.trunc(seconds)), QUEUE_DELAY_SECONDS_MAX) * 1_000
    : 0;

/** The pause after so many deliveries in a row that could not begin, in milliseconds. */
export const pauseMs = (failures: number): number =>
  Math.min(
    CONSUMER_PAUSE_MS_MIN * 2 ** Math.min(Math.max(0, failures - 1), 16),
    CONSUMER_PAUSE_MS_MAX,
  );
