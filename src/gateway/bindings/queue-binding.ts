import { WorkerEntrypoint } from "cloudflare:workers";
import { storeOf } from "../../data/stores.ts";
import { isDelay, type QueueMetrics, type SendRefusal } from "../../domain/queue-message.ts";
import { err, type Result } from "../../domain/result.ts";
import { QUEUE_SEND_MESSAGES_MAX } from "../../domain/limits-queue.ts";
import { reach } from "./reach.ts";

/** Whose queue a binding is. */
export interface QueueBindingProps {
  readonly queueId: string;
  /** Of messages that name none themselves, in seconds; null: as the queue has it. */
  readonly deliveryDelay: number | null;
}

/**
 * The broker of a queue binding. Deployed code holds it, so each method takes anything, and says by its answer, not by
 * an error, why it does not take it.
 */
export function defineQueueBinding<Env>() {
  return class QueueBinding extends WorkerEntrypoint<Env, QueueBindingProps> {
    /** Puts messages into the queue, all or none. `delaySeconds`: of those that name none themselves. */
    async send(
      messages: unknown,
      delaySeconds: unknown,
    ): Promise<Result<QueueMetrics, SendRefusal>> {
      const { queueId, deliveryDelay } = this.ctx.props;
      if (!Array.isArray(messages)) return err("Bad Request");
      if (messages.length > QUEUE_SEND_MESSAGES_MAX) return err("Payload Too Large");
      if (delaySeconds !== undefined && delaySeconds !== null && !isDelay(delaySeconds)) {
        return err("Bad Request");
      }
      const delay = delaySeconds ?? deliveryDelay;
      // Made here, so that a call whose answer got lost can be made again.
      const ids = messages.map(() => crypto.randomUUID().replaceAll("-", ""));
      const store = storeOf(this.env, this.ctx, "QueueStore");
      return reach("The queue", { idempotent: true }, () =>
        store.send(queueId, ids, messages, delay),
      );
    }

    async metrics(): Promise<Result<QueueMetrics, SendRefusal>> {
      const store = storeOf(this.env, this.ctx, "QueueStore");
      const { queueId } = this.ctx.props;
      return reach("The queue", { idempotent: true }, () => store.metrics(queueId));
    }
  };
}
