/**
 * A client that is still sending when its answer comes would never read it: the connection ends under its
 * hands, and it reports a network failure in place of the reason. So what nobody has read is read first.
 */
import { createMiddleware } from "hono/factory";
import { DISCARDED_BODY_BYTES_MAX, DISCARDED_BODY_MS_MAX } from "../domain/limits.ts";

/** Holds every answer until the request's body has been read or thrown away, up to a bound. */
export const discardUnreadBody = createMiddleware(async (c, next) => {
  await next();
  const { body } = c.req.raw;
  if (body !== null && !body.locked) await discard(body);
});

async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  let isLate = false;
  const late = scheduler.wait(DISCARDED_BODY_MS_MAX).then(() => {
    isLate = true;
    return null;
  });
  try {
    for (let bytes = 0; bytes <= DISCARDED_BODY_BYTES_MAX;) {
      const read = await Promise.race([reader.read(), late]);
      if (read === null || isLate || read.done) return;
      bytes += read.value.byteLength;
    }
  } catch {
    // The client has gone; nobody waits for the answer any more.
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
