import { WorkerEntrypoint } from "cloudflare:workers";
import type { Verdict } from "../../domain/queue.ts";
import { type QueueMetrics, readOutgoing, type SendRefusal } from "../../domain/queue-message.ts";
import { err, type Result } from "../../domain/result.ts";
import type { QueueConfig } from "./queue-config.ts";
import type { Batch, QueueObject } from "./queue-object.ts";

/** The door to the queues. Whoever calls it may reach every queue, so brokers say which from their props alone. */
export class QueueStore extends WorkerEntrypoint<Env> {
  /**
   * Takes messages in. `ids`, one for each, make it the same to do it once or again; `messages` may come from
   * deployed code as it is. `delaySeconds`: of messages that name none; null: as the queue has it.
   */
  async send(
    queueId: string,
    ids: readonly string[],
    messages: unknown,
    delaySeconds: number | null,
  ): Promise<Result<QueueMetrics, SendRefusal>> {
    const outgoing = readOutgoing(messages);
    if (!outgoing.ok) return outgoing;
    if (outgoing.value.length !== ids.length) return err("Bad Request");
    const items = outgoing.value.map((message, index) => ({ id: ids[index] ?? "", message }));
    return this.#queue(queueId).send(items, delaySeconds);
  }

  metrics(queueId: string): Promise<Result<QueueMetrics, SendRefusal>> {
    return this.#queue(queueId).metrics();
  }

  /** See QueueObject. */
  takeBatch(queueId: string, batchId: string): Promise<Batch | null> {
    return this.#queue(queueId).takeBatch(batchId);
  }

  settleBatch(queueId: string, batchId: string, verdict: Verdict): Promise<boolean> {
    return this.#queue(queueId).settleBatch(batchId, verdict);
  }

  configure(queueId: string, config: QueueConfig): Promise<void> {
    return this.#queue(queueId).configure(config);
  }

  purge(queueId: string): Promise<void> {
    return this.#queue(queueId).purge();
  }

  destroy(queueId: string): Promise<void> {
    return this.#queue(queueId).destroy();
  }

  #queue(queueId: string): QueueCalls {
    return this.env.QUEUES.getByName(queueId) as unknown as QueueCalls;
  }
}

type QueueMethods =
  | "send"
  | "metrics"
  | "takeBatch"
  | "settleBatch"
  | "configure"
  | "purge"
  | "destroy";
type QueueCalls = {
  readonly [Name in QueueMethods]: QueueObject[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};
