/**
 * A client that is still sending when its answer comes would never read it: the connection ends under its
 * hands, and it reports a network failure in place of the reason. So what nobody has read is read first.
 */
import { createMiddleware } from "hono/factory";
import { DISCARDED_BODY_BYTES_MAX } from "../domain/limits.ts";

/** Holds every answer until the request's body has been read or thrown away, up to a bound. */
export const discardUnreadBody = createMiddleware(async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body !== null && !bodyUsed && !body.locked) await discard(body);
});

async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  let bytes = 0;
  try {
    // Leaving the loop early cancels the rest.
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > DISCARDED_BODY_BYTES_MAX) return;
    }
  } catch {
    // The client has gone; nobody waits for the answer any more.
  }
}
