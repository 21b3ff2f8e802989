/** Queues, their consumers and producers, as they are recorded. Times are milliseconds since 1970. */
import type { WorkerId } from "./ids.ts";
import type { GivenConsumerSettings, QueueSettings } from "./queue-settings.ts";

export interface Queue {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly createdOn: number;
  readonly modifiedOn: number;
  readonly settings: QueueSettings;
}

/** A Worker that messages are brought to. */
export interface Consumer {
  /** 32 hex digits. */
  readonly id: string;
  readonly queueId: string;
  readonly workerId: WorkerId;
  /** Name of the Worker. */
  readonly worker: string;
  readonly createdOn: number;
  /** Name of the queue for what cannot be delivered; null for none. */
  readonly deadLetterQueue: string | null;
  readonly settings: GivenConsumerSettings;
}

/** A Worker whose current deployment is bound to a queue. */
export interface Producer {
  readonly queue: string;
  readonly worker: string;
}
