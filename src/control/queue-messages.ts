/** Put messages into a queue that do not come from a Worker. */
import type { DomainError } from "../domain/errors.ts";
import type { SendRefusal } from "../domain/queue-message.ts";
import type { Queue } from "../domain/queue-records.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { askStore } from "./ask-store.ts";
import type { ActingContext } from "./context.ts";

export interface PushedMessage {
  readonly body: unknown;
  /** JSON unless it is said. */
  readonly contentType: "text" | "json" | undefined;
  /** Seconds. */
  readonly delaySeconds: number | undefined;
}

/** All of them or none. */
export async function pushMessages(
  context: ActingContext,
  queue: Queue,
  messages: readonly PushedMessage[],
): Promise<Result<void, DomainError>> {
  const ids = messages.map(() => context.newId().replaceAll("-", ""));
  const outgoing = messages.map(({ body, contentType = "json", delaySeconds }) => ({
    contentType,
    body: contentType === "json" ? JSON.stringify(body) : body,
    delaySeconds,
  }));
  const sent = await askStore("The queue", { idempotent: true }, () =>
    context.stores.QueueStore.send(queue.id, ids, outgoing, null),
  );
  if (!sent.ok) return sent;
  const result = sent.value;
  return result.ok ? ok(undefined) : err({ kind: "message_refused", detail: WHY[result.error] });
}

const WHY: Readonly<Record<SendRefusal, string>> = {
  "Bad Request": "its body is not what its content_type says, or its delay is not allowed",
  "Not Found": "the queue is being deleted",
  "Payload Too Large": "there are too many messages, or they are too large",
  "Insufficient Storage": "the queue is full",
};
