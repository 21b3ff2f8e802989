import type { WorkerId } from "../../domain/ids.ts";
import type { ConsumerSettings, QueueSettings } from "../../domain/queue-settings.ts";

/** All that a queue's object knows about it; whoever changes the queue tells it anew. */
export interface QueueConfig {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly settings: QueueSettings;
  /** null: messages wait until there is one. */
  readonly consumer: QueueConsumer | null;
}

export interface QueueConsumer {
  readonly workerId: WorkerId;
  readonly settings: ConsumerSettings;
  /** Id of the queue for messages that could not be delivered; null: they are dropped. */
  readonly deadLetterQueueId: string | null;
}
