/** The queue consumer: does what a message's body asks for, and keeps what it saw in KV. */
import { type Loose, outcomes } from "./check.ts";
import { describe } from "./describe.ts";

const textOf = (body: Loose): string =>
  body instanceof ArrayBuffer || ArrayBuffer.isView(body)
    ? new TextDecoder().decode(body as Loose)
    : String(body);

const runOf = (body: Loose): string =>
  body?.run ?? /^run=([^;]+);/.exec(textOf(body))?.[1] ?? "unknown";

let seen = 0;

export async function consume(batch: Loose, env: Loose, ctx: Loose): Promise<void> {
  let retryAll = false;
  let failure: Error | undefined;
  for (const message of batch.messages) {
    const { body, attempts } = message;
    const record: Record<string, unknown> = {
      queue: batch.queue.replace(/^.*?(conformance-.*)$/, "$1"),
      message: await describeMessage(message),
    };
    if (body?.tellId)
      Object.assign(record, { id: message.id, sentAt: message.timestamp.getTime() });
    if (body?.tellShape) record["shape"] = await describe(shapeOf(batch, message));
    if (body?.tellBindings)
      record["bindings"] = [Object.keys(env).sort(), typeof ctx.waitUntil, typeof env.KV.get];
    if (body?.waitUntil)
      ctx.waitUntil(scheduler.wait(50).then(() => env.KV.put(`later:${body.run}`, "done")));
    if (body?.twice)
      record["acts"] = await describe(
        await outcomes({
          ack: () => message.ack(),
          again: () => message.ack(),
          retry: () => message.retry(),
          delay: () => message.retry({ delaySeconds: "x" }),
        }),
      );
    if (body?.ack) message.ack();
    if (attempts < (body?.retryUntil ?? 0) && !batch.queue.endsWith("dead")) message.retry();
    if (attempts < (body?.retryAllUntil ?? 0)) retryAll = true;
    if (attempts < (body?.throwUntil ?? 0)) failure = new Error("not yet");
    const order = `${Date.now()}:${String(seen++).padStart(6, "0")}`;
    await env.KV.put(`queue:${runOf(body)}:${order}`, JSON.stringify(record));
  }
  if (retryAll) batch.retryAll();
  if (failure !== undefined) throw failure;
}

const describeMessage = async ({ body, attempts, timestamp, id }: Loose) => ({
  id: typeof id,
  attempts,
  timestamp: timestamp instanceof Date,
  body: await describe(body?.run === undefined ? body : { ...body, run: "this" }),
});

const shapeOf = (batch: Loose, message: Loose) => ({
  batch: [batch.constructor.name, String(batch), typeof batch.ackAll, typeof batch.retryAll],
  messages: Array.isArray(batch.messages),
  metadata: typeof batch.metadata,
  message: [message.constructor.name, String(message), typeof message.ack, typeof message.retry],
  keys: [Object.keys(batch), Object.keys(message)],
});
