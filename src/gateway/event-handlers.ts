/** Each kind of event: what the version is called with, and what its answer means. The answer is the version's own word. */
import type { Stores } from "../data/stores.ts";
import type { EventResult, WorkerEvent } from "../domain/event.ts";
import { EVENT_DETAIL_CHARS_MAX } from "../domain/limits-event.ts";
import { FAILED, type Verdict } from "../domain/queue.ts";
import { CONSUMER_BATCH_SIZE_MAX } from "../domain/limits-queue.ts";
import { reach } from "./bindings/reach.ts";

/** What events need of what versions keep. */
export interface EventStores {
  readonly queues: Pick<Stores["QueueStore"], "takeBatch" | "settleBatch">;
}

export interface PreparedEvent {
  readonly method: "scheduled" | "queue";
  readonly argument: unknown;
  /** For whoever tails the Worker. */
  readonly tail: Readonly<Record<string, unknown>>;
  readonly ended: (answer: unknown) => Promise<EventResult>;
  /** The call failed as a whole. Never rejects. */
  readonly failed: () => Promise<void>;
}

/** null: there is nothing to be done any more. Rejects where nobody can say so now. */
export async function prepareEvent(
  stores: EventStores,
  event: WorkerEvent,
): Promise<PreparedEvent | null> {
  if (event.type === "queue") return prepareBatch(stores, event);
  const { cron, scheduledTime } = event;
  return {
    method: "scheduled",
    argument: { cron, scheduledTime },
    tail: { cron, scheduledTime },
    ended: (answer) => Promise.resolve(readRan(answer)),
    failed: () => Promise.resolve(),
  };
}

async function prepareBatch(
  { queues }: EventStores,
  { queueId, batchId }: Extract<WorkerEvent, { type: "queue" }>,
): Promise<PreparedEvent | null> {
  // Once: if the answer gets lost, the batch is taken, and comes again when its lease has lapsed.
  const batch = await reach("The queue", { idempotent: false }, () =>
    queues.takeBatch(queueId, batchId),
  );
  if (batch === null) return null;
  const settle = (verdict: Verdict) =>
    reach("The queue", { idempotent: true }, () => queues.settleBatch(queueId, batchId, verdict));
  return {
    method: "queue",
    argument: batch,
    tail: { queue: batch.queue, batchSize: batch.messages.length },
    async ended(answer) {
      const ran = readRan(answer);
      const verdict = readVerdict(answer);
      await settle({ ...verdict, ok: verdict.ok && ran.outcome === "ok" });
      return ran;
    },
    failed: () =>
      settle(FAILED).then(
        () => undefined,
        () => undefined,
      ),
  };
}

function readRan(answer: unknown): EventResult {
  const { outcome, detail } = (answer ?? {}) as Record<string, unknown>;
  const known = outcome === "ok" || outcome === "no_handler" ? outcome : "exception";
  return {
    outcome: known,
    ...(typeof detail === "string" ? { detail: detail.slice(0, EVENT_DETAIL_CHARS_MAX) } : {}),
  };
}

/** Ids of other messages do no harm: only those of the batch are looked at. */
function readVerdict(answer: unknown): Verdict {
  const { verdict } = (answer ?? {}) as {
    readonly verdict?: Partial<Record<keyof Verdict, unknown>>;
  };
  const { ok, ackAll, retryAll, acks, retries } = verdict ?? {};
  return {
    ok: ok === true,
    ackAll: ackAll === true,
    retryAll: typeof retryAll === "object" && retryAll !== null ? delayOf(retryAll) : null,
    acks: listOf(acks).filter((id) => typeof id === "string"),
    retries: listOf(retries).flatMap((retry) => {
      const { id } = (retry ?? {}) as { readonly id?: unknown };
      return typeof id === "string" ? [{ id, ...delayOf(retry as object) }] : [];
    }),
  };
}

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as unknown[]).slice(0, CONSUMER_BATCH_SIZE_MAX) : [];

function delayOf(value: object): { readonly delaySeconds?: number } {
  const { delaySeconds } = value as { readonly delaySeconds?: unknown };
  return typeof delaySeconds === "number" ? { delaySeconds } : {};
}
