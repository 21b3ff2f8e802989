/** What the supervisor asks of the control process, behind the socket that is theirs and the gateways' alone. */
import * as z from "zod";
import type { ControlContext } from "./control/context.ts";
import { rewrapSecrets } from "./control/rewrap-secrets.ts";
import { tripBreaker } from "./control/trip-breaker.ts";
import { parseVersionId, parseWorkerId } from "./domain/ids.ts";
import type { Author } from "./domain/version.ts";
import { counted } from "./observability/counters.ts";

/** Who does it, as the audit tells. */
const HOST: Author = { id: "host", email: "host", source: "host" };

const Trip = z.object({
  workerId: z.string(),
  versionId: z.string(),
  reason: z.enum(["blocked", "crashed", "memory"]),
  strikes: z.int().min(1),
});

/**
 * `GET /metrics`: 200 with `{ counters: [{ name, labels, value }] }`, counted since this isolate started.
 *
 * `POST /rewrap`: wrap a batch of secrets' keys anew; 200 with `{ keyId, rewrapped, remaining, unreadable }`.
 *
 * `POST /trip`: a version that repeatedly ended the process it ran in is not to be run any more. 200 with
 * `{ stopped }`, also when it is so already; 404 when there is no such version, or the Worker is gone.
 */
export async function operate(context: ControlContext, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "GET" && pathname === "/metrics") {
    return Response.json({ counters: counted() });
  }
  if (request.method === "POST" && pathname === "/rewrap") {
    return Response.json(await rewrapSecrets(context, HOST));
  }
  if (request.method !== "POST" || pathname !== "/trip") return new Response(null, { status: 404 });
  const trip = Trip.safeParse(await request.json().catch(() => null));
  if (!trip.success) return new Response(z.prettifyError(trip.error), { status: 400 });
  const workerId = parseWorkerId(trip.data.workerId);
  const versionId = parseVersionId(trip.data.versionId);
  if (workerId === null || versionId === null) return new Response(null, { status: 404 });
  const tripped = await tripBreaker(context, { ...trip.data, workerId, versionId });
  return tripped.ok
    ? Response.json({ stopped: tripped.value })
    : Response.json(tripped.error, { status: 404 });
}
