/** Messages on their way into a queue. They come from deployed code, so nothing about them is taken for granted. */
import { err, ok, type Result } from "./result.ts";
import {
  QUEUE_DELAY_SECONDS_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_SEND_BYTES_MAX,
  QUEUE_SEND_MESSAGES_MAX,
} from "./limits-queue.ts";

export type QueueContentType = "text" | "json" | "bytes" | "v8";

/** `text` and `json`: text; `bytes`: a Uint8Array; `v8`: any value that can be cloned. */
export interface OutgoingMessage {
  readonly contentType: QueueContentType;
  readonly body: unknown;
  /** Bytes of the body. */
  readonly bytes: number;
  /** null: as the queue has it. */
  readonly delaySeconds: number | null;
}

/** What waits in a queue. */
export interface QueueMetrics {
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** Milliseconds since 1970; 0: there is no message. */
  readonly oldestMessageTimestamp: number;
}

/** Why messages are not taken. The texts are those of the HTTP statuses that Cloudflare's own queues answer with. */
export type SendRefusal =
  | "Bad Request"
  | "Not Found"
  | "Payload Too Large"
  /** The queue is full. */
  | "Insufficient Storage";

/** Messages of one call, as the injected code hands them on. */
export function readOutgoing(value: unknown): Result<readonly OutgoingMessage[], SendRefusal> {
  if (!Array.isArray(value) || value.length === 0) return err("Bad Request");
  if (value.length > QUEUE_SEND_MESSAGES_MAX) return err("Payload Too Large");
  const messages: OutgoingMessage[] = [];
  let bytes = 0;
  for (const item of value as readonly unknown[]) {
    const message = readMessage(item);
    if (!message.ok) return message;
    bytes += message.value.bytes;
    if (bytes > QUEUE_SEND_BYTES_MAX) return err("Payload Too Large");
    messages.push(message.value);
  }
  return ok(messages);
}

function readMessage(value: unknown): Result<OutgoingMessage, SendRefusal> {
  const { contentType, body, delaySeconds = null } = (value ?? {}) as Record<string, unknown>;
  if (delaySeconds !== null && !isDelay(delaySeconds)) return err("Bad Request");
  if (!isContentType(contentType) || !fits(contentType, body)) return err("Bad Request");
  const bytes = bytesOf(contentType, body);
  if (bytes === null) return err("Bad Request");
  if (bytes > QUEUE_MESSAGE_BYTES_MAX) return err("Payload Too Large");
  return ok({ contentType, body, bytes, delaySeconds });
}

export const isDelay = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= QUEUE_DELAY_SECONDS_MAX;

const CONTENT_TYPES: ReadonlySet<unknown> = new Set(["text", "json", "bytes", "v8"]);
const isContentType = (value: unknown): value is QueueContentType => CONTENT_TYPES.has(value);

function fits(contentType: QueueContentType, body: unknown): boolean {
  switch (contentType) {
    case "text":
      return typeof body === "string";
    case "json":
      return typeof body === "string" && isJson(body);
    case "bytes":
      return body instanceof Uint8Array;
    case "v8":
      return body !== undefined;
  }
}

function isJson(text: string): boolean {
  // Longer ones are refused anyway.
  if (text.length > QUEUE_MESSAGE_BYTES_MAX) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function bytesOf(contentType: QueueContentType, body: unknown): number | null {
  if (contentType === "v8") return cloneBytes(body);
  if (typeof body === "string") return new TextEncoder().encode(body).byteLength;
  return (body as Uint8Array).byteLength;
}

/**
 * About how long a value is when it is cloned: what a serialiser would say, give or take its headers. It gives up, with
 * a number that is too large, as soon as the answer is clear; null for what cannot be kept.
 */
export function cloneBytes(root: unknown): number | null {
  const seen = new Set<object>();
  const open: unknown[] = [root];
  let bytes = 0;
  while (open.length > 0 && bytes <= QUEUE_MESSAGE_BYTES_MAX) {
    const value = open.pop();
    bytes += 1;
    if (typeof value === "function" || typeof value === "symbol") return null;
    if (typeof value === "string") bytes += 2 + value.length * (isLatin1(value) ? 1 : 2);
    else if (typeof value === "number") bytes += Number.isInteger(value) ? 3 : 8;
    else if (typeof value === "bigint") bytes += 1 + Math.ceil(value.toString(16).length / 2);
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    bytes += 3;
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (value instanceof Date) bytes += 8;
    else for (const part of partsOf(value)) open.push(part);
  }
  return bytes;
}

function* partsOf(value: object): Generator<unknown> {
  if (value instanceof Map) for (const [key, item] of value) yield* [key, item];
  else if (value instanceof Set || Array.isArray(value)) yield* value;
  else if (value instanceof Error) yield* [value.name, value.message, value.stack];
  else if (value instanceof RegExp) yield* [value.source, value.flags];
  else for (const [key, item] of Object.entries(value)) yield* [key, item];
}

const isLatin1 = (text: string): boolean => !/[\u0100-\uffff]/.test(text);
