/** The producer's side of a queue, as the Workers API has it. */
import type { RawBinding } from "./raw-binding.ts";
import { illegalInvocation, isObject, wrongArgument } from "./wrong-arguments.ts";

interface Metrics {
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** Milliseconds since 1970; 0: there is no message. */
  readonly oldestMessageTimestamp: number;
}

type Answer =
  | { readonly ok: true; readonly value: Metrics }
  | { readonly ok: false; readonly error: string };

/** The gateway's QueueBinding. */
interface Broker {
  send(messages: readonly unknown[], delaySeconds: unknown): Promise<Answer>;
  metrics(): Promise<Answer>;
}

interface SendOptions {
  readonly contentType?: string;
  readonly delaySeconds?: number;
}

const { stringify } = JSON;
const isView = ArrayBuffer.isView.bind(ArrayBuffer) as typeof ArrayBuffer.isView;
const clone = structuredClone;
/** Bodies without a content type are JSON in Workers from 2024-03-18 on; before, whatever can be cloned. */
const { Cloudflare: platform } = globalThis as unknown as {
  readonly Cloudflare?: { readonly compatibilityFlags?: Readonly<Record<string, boolean>> };
};
const DEFAULT_TYPE =
  platform?.compatibilityFlags?.["queues_json_messages"] === false ? "v8" : "json";

let isQueue: (value: unknown) => boolean;

class WorkerQueue {
  static {
    isQueue = (value) => isObject(value) && #broker in value;
  }

  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get [Symbol.toStringTag](): string {
    return "WorkerQueue";
  }

  send(...args: [body?: unknown, options?: SendOptions]) {
    if (!isQueue(this)) throw illegalInvocation();
    return this.#send(args);
  }

  async #send(args: [body?: unknown, options?: SendOptions]) {
    if (args.length === 0) throw wrongArgument("send", "WorkerQueue", 0, "Value");
    const [body, options] = args;
    const { contentType, delaySeconds } = options ?? {};
    const message = outgoing(body, contentType);
    return sent("send", await this.#broker.send([message], whole(delaySeconds)));
  }

  sendBatch(batch: Iterable<{ body: unknown } & SendOptions>, options?: SendOptions) {
    if (!isQueue(this)) throw illegalInvocation();
    return this.#sendBatch(batch, options);
  }

  async #sendBatch(batch: Iterable<{ body: unknown } & SendOptions>, options?: SendOptions) {
    if (!isObject(batch) || !(Symbol.iterator in batch)) {
      throw wrongArgument("sendBatch", "WorkerQueue", 0, "Sequence");
    }
    const messages = [...batch].map(({ body, contentType, delaySeconds }) => ({
      ...outgoing(body, contentType),
      delaySeconds: whole(delaySeconds),
    }));
    if (messages.length === 0) {
      throw new TypeError("sendBatch() requires at least one message");
    }
    const delay = whole(options?.delaySeconds);
    return sent("sendBatch", await this.#broker.send(messages, delay));
  }

  async metrics() {
    const answer = await this.#broker.metrics();
    if (!answer.ok) throw new Error(`Queue metrics failed: ${answer.error}`);
    return toMetrics(answer.value);
  }
}

function sent(method: string, answer: Answer) {
  if (!answer.ok) throw new Error(`Queue ${method} failed: ${answer.error}`);
  return { metadata: { metrics: toMetrics(answer.value) } };
}

function toMetrics({ backlogCount, backlogBytes, oldestMessageTimestamp }: Metrics) {
  const oldest =
    oldestMessageTimestamp === 0
      ? {}
      : { oldestMessageTimestamp: new Date(oldestMessageTimestamp) };
  return { backlogCount, backlogBytes, ...oldest };
}

/** As the runtime makes an int of it. */
const whole = (value: unknown): number | null =>
  value === undefined || value === null ? null : Math.trunc(Number(value));

function outgoing(body: unknown, contentType: string | undefined) {
  if (body === undefined) throw new TypeError("Message body cannot be undefined");
  const type = contentType === undefined ? DEFAULT_TYPE : String(contentType).toLowerCase();
  switch (type) {
    case "text":
      if (typeof body !== "string") throw wrongBody(type, "string", body);
      return { contentType: type, body };
    case "bytes": {
      if (!isView(body)) throw wrongBody(type, "ArrayBufferView", body);
      const { buffer, byteOffset, byteLength } = body;
      return { contentType: type, body: new Uint8Array(buffer, byteOffset, byteLength).slice() };
    }
    case "json": {
      const text = stringify(body) as string | undefined;
      if (text === undefined) throw new TypeError("Message body cannot be undefined");
      return { contentType: type, body: text };
    }
    case "v8":
      return { contentType: type, body: clone(body) };
    default:
      throw new TypeError(`Unsupported queue message content type: ${contentType}`);
  }
}

const wrongBody = (type: string, wanted: string, body: unknown) =>
  new TypeError(
    `Content Type "${type}" requires a value of type ${wanted}, but received: ${typeof body}`,
  );

export function workerQueue({ stub }: RawBinding): unknown {
  return new WorkerQueue(stub as unknown as Broker);
}
