/**
 * What Cloudflare's API has and this release has not. Lists that clients read on their way to something else
 * are empty, which is true; everything else says that it is not there yet, and what to do instead.
 */
import { Hono } from "hono";
import type { ApiEnv } from "../api-env.ts";
import { refuseWith, success } from "../envelope.ts";

/** Below `/accounts/:accountId`. */
export const laterRoutes = new Hono<ApiEnv>()
  .get("/workers/tails/by-consumer/:name", (c) => success(c, []))
  .all("/workers/scripts/:name/content", () =>
    notYet("Changing a script's content alone", "Upload it whole with PUT …/scripts/:name."),
  )
  .all("/r2/*", () => notYet("This part of R2", "Use …/r2/buckets and the objects in them."))
  .all("/event_notifications/*", () => notYet("An event notification of R2", producesItself))
  .all("/event_subscriptions/*", () => notYet("An event subscription of a queue", producesItself))
  .all("/workflows/*", () => noResource("A workflow"))
  .all("/workers/dispatch/*", () => noResource("A dispatch namespace"));

const notYet = (what: string, instead: string): never =>
  refuseWith({ kind: "not_supported", what, instead });

const producesItself = "Let the Worker that makes the change send a message to the queue.";

const noResource = (what: string): never =>
  notYet(what, "Use a queue, a Durable Object or another Worker of this account instead.");
