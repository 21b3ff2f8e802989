/** What a handler of `queue` gets, and what it says of it. */

export interface PlainMessage {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly contentType: string;
  /** Text of `text` and `json`, a Uint8Array of `bytes`, the value itself of `v8`. */
  readonly body: unknown;
  readonly attempts: number;
}

export interface PlainBatch {
  readonly queue: string;
  readonly messages: readonly PlainMessage[];
  readonly metrics: {
    readonly backlogCount: number;
    readonly backlogBytes: number;
    /** Milliseconds since 1970; 0: there is no message. */
    readonly oldestMessageTimestamp: number;
  };
}

interface RetryOptions {
  readonly delaySeconds?: number;
}

const { parse } = JSON;
const { warn } = console;

/** What has been said so far. The first word about a message, or about all, is the one that counts. */
export class MessageBatchState {
  #ackAll = false;
  #retryAll: { delaySeconds?: number | undefined } | null = null;
  readonly #acks = new Set<string>();
  readonly #retries = new Map<string, number | undefined>();

  ack(id: string): void {
    if (this.#ackAll) return;
    if (this.#retryAll !== null) return late("ack()", id, "retryAll()");
    if (this.#retries.has(id)) return late("ack()", id, "retry()");
    this.#acks.add(id);
  }

  retry(id: string, options?: RetryOptions): void {
    if (this.#ackAll) return late("retry()", id, "ackAll()");
    if (this.#acks.has(id)) return late("retry()", id, "ack()");
    this.#retries.set(id, delayOf(options) ?? this.#retries.get(id));
  }

  ackAll(): void {
    if (this.#retryAll !== null) return late("ackAll()", null, "retryAll()");
    this.#ackAll = true;
  }

  retryAll(options?: RetryOptions): void {
    if (this.#ackAll) return late("retryAll()", null, "ackAll()");
    this.#retryAll = { delaySeconds: delayOf(options) ?? this.#retryAll?.delaySeconds };
  }

  verdict(ok: boolean) {
    return {
      ok,
      ackAll: this.#ackAll,
      retryAll: this.#retryAll,
      acks: [...this.#acks],
      retries: [...this.#retries].map(([id, delaySeconds]) => ({ id, delaySeconds })),
    };
  }
}

function late(call: string, id: string | null, earlier: string): void {
  const about = id === null ? "" : ` on message ${id}`;
  const calling = id === null ? call : `${call} on a message`;
  warn(
    `Received a call to ${call}${about} after ${earlier} was already called. Calling ${calling} after calling ${earlier} has no effect.`,
  );
}

const delayOf = (options: RetryOptions | undefined): number | undefined =>
  options?.delaySeconds === undefined ? undefined : Math.trunc(Number(options.delaySeconds));

// The names of the classes and the order of their fields are the runtime's: code can see both.

class QueueMessage {
  readonly attempts: number;
  readonly body: unknown;
  readonly timestamp: Date;
  readonly id: string;
  readonly #state: MessageBatchState;

  constructor(message: PlainMessage, state: MessageBatchState) {
    this.id = message.id;
    this.timestamp = new Date(message.timestamp);
    this.body = bodyOf(message);
    this.attempts = message.attempts;
    this.#state = state;
  }

  get [Symbol.toStringTag](): string {
    return "QueueMessage";
  }

  ack(): void {
    this.#state.ack(this.id);
  }

  retry(options?: RetryOptions): void {
    this.#state.retry(this.id, options);
  }
}

function bodyOf({ contentType, body }: PlainMessage): unknown {
  if (contentType === "json") return parse(body as string);
  if (contentType === "bytes") return (body as Uint8Array).slice().buffer;
  return body;
}

class QueueController {
  readonly metadata: unknown;
  readonly queue: string;
  readonly messages: readonly QueueMessage[];
  readonly #state: MessageBatchState;

  constructor(batch: PlainBatch, state: MessageBatchState) {
    this.queue = batch.queue;
    this.messages = batch.messages.map((message) => new QueueMessage(message, state));
    this.metadata = metadataOf(batch);
    this.#state = state;
  }

  get [Symbol.toStringTag](): string {
    return "QueueController";
  }

  ackAll(): void {
    this.#state.ackAll();
  }

  retryAll(options?: RetryOptions): void {
    this.#state.retryAll(options);
  }
}

function metadataOf({
  metrics: { backlogCount, backlogBytes, oldestMessageTimestamp },
}: PlainBatch) {
  const oldest =
    oldestMessageTimestamp === 0
      ? {}
      : { oldestMessageTimestamp: new Date(oldestMessageTimestamp) };
  return { metrics: { backlogCount, backlogBytes, ...oldest } };
}

class QueueEvent extends Event {
  readonly metadata: unknown;
  readonly queue: string;
  readonly messages: readonly QueueMessage[];
  readonly #state: MessageBatchState;
  readonly #waitUntil: (work: unknown) => void;

  constructor(batch: PlainBatch, state: MessageBatchState, waitUntil: (work: unknown) => void) {
    super("queue");
    const { queue, messages, metadata } = new QueueController(batch, state);
    this.queue = queue;
    this.messages = messages;
    this.metadata = metadata;
    this.#state = state;
    this.#waitUntil = waitUntil;
  }

  waitUntil(work: unknown): void {
    this.#waitUntil(work);
  }

  ackAll(): void {
    this.#state.ackAll();
  }

  retryAll(options?: RetryOptions): void {
    this.#state.retryAll(options);
  }
}

export const messageBatch = (batch: PlainBatch, state: MessageBatchState): unknown =>
  new QueueController(batch, state);

export const queueEvent = (
  batch: PlainBatch,
  state: MessageBatchState,
  waitUntil: (work: unknown) => void,
): unknown => new QueueEvent(batch, state, waitUntil);
