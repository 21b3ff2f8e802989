import { WorkerEntrypoint } from "cloudflare:workers";
import type { Stopped, StopReason } from "../domain/breaker.ts";
import { storeOf } from "../data/stores.ts";
import { readEventDispatch } from "../domain/event.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { ProbeResult } from "../domain/version.ts";
import type { ReadScope } from "./current-deployment.ts";
import type { Gateway } from "./gateway.ts";
import { objectsReport } from "./objects/objects-activity.ts";
import { type GatewayContext, requestScope } from "./request-scope.ts";
import { fromWire, type VersionHead } from "./version-wire.ts";

/** What the control process calls in the gateway process in which uploads are started. */
export interface TrialCalls {
  /** Answers as soon as the process can. */
  ready(): Promise<void>;
  /** The upload check: starts the version once, there. Throws when the version did not arrive whole. */
  probe(head: VersionHead, stream: ReadableStream<Uint8Array>): Promise<ProbeResult>;
}

/**
 * The door of a gateway process for the host itself, on a socket that no visitor and no deployed code reaches: HTTP
 * for the supervisor, RPC for the control process.
 *
 * - `GET /alive` → 204: the process still turns.
 * - `GET /metrics` → `GatewayReport` as JSON.
 * - `GET /objects` → `ObjectsReport` as JSON: whether the Durable Objects here are used.
 * - `POST /evict` → `{ evicted, loaded }`: unloads what can be spared; with `?idle=1` only what nobody uses.
 * - `POST /drain` → `{ webSockets }`: closes so many WebSockets, because the process is about to be replaced.
 * - `POST /catch-up` → 204: the control plane is about to go away; what is current by now is known here.
 * - `POST /dispatch` with an `EventDispatch` → `EventResult` as JSON, when the event is over.
 * - `POST /stop` with `{ workerId, stopped }` → 204: the breaker of a version has tripped.
 */
export function defineGatewayEntrypoint<Env>(gatewayOf: (env: Env) => Gateway) {
  return class GatewayEntrypoint extends WorkerEntrypoint<Env> implements TrialCalls {
    override fetch(request: Request): Response | Promise<Response> {
      const { pathname, searchParams } = new URL(request.url);
      switch (`${request.method} ${pathname}`) {
        // Ten times a second, and asked to learn how busy the process is: it looks at nothing.
        case "GET /alive":
          return new Response(null, { status: 204 });
        case "GET /metrics":
          return Response.json(gatewayOf(this.env).report());
        case "GET /objects":
          return Response.json(objectsReport(Date.now()));
        case "POST /evict": {
          const reason = searchParams.get("idle") === "1" ? "idle" : "memory";
          return Response.json(gatewayOf(this.env).evict(this.ctx, reason));
        }
        case "POST /drain":
          return Response.json(gatewayOf(this.env).drain());
        case "POST /catch-up":
          return catchUp(gatewayOf(this.env), this.ctx);
        case "POST /dispatch":
          return dispatch(gatewayOf(this.env), this.env, this.ctx, request);
        case "POST /stop":
          return stop(gatewayOf(this.env), request);
        default:
          return new Response("There is nothing here.\n", { status: 404 });
      }
    }

    async ready(): Promise<void> {}

    async probe(head: VersionHead, stream: ReadableStream<Uint8Array>): Promise<ProbeResult> {
      const scope = requestScope(this.ctx as unknown as GatewayContext);
      return gatewayOf(this.env).probeVersion(await fromWire(head, stream), scope);
    }
  };
}

async function catchUp(gateway: Gateway, scope: ReadScope): Promise<Response> {
  await gateway.catchUp(scope);
  return new Response(null, { status: 204 });
}

async function dispatch(
  gateway: Gateway,
  env: unknown,
  ctx: unknown,
  request: Request,
): Promise<Response> {
  const body = readEventDispatch(await request.json().catch(() => null));
  if (body === null) return new Response("The body has to be an EventDispatch.\n", { status: 400 });
  const stores = { queues: storeOf(env, ctx, "QueueStore") };
  return Response.json(await gateway.dispatch(requestScope(ctx as GatewayContext), stores, body));
}

async function stop(gateway: Gateway, request: Request): Promise<Response> {
  const body: unknown = await request.json().catch(() => null);
  if (!isStop(body)) {
    const expected = '{ "workerId", "stopped": { "versionId", "reason", "stoppedOn", "strikes" } }';
    return new Response(`The body has to be ${expected}.\n`, { status: 400 });
  }
  gateway.stop(body.workerId, body.stopped);
  return new Response(null, { status: 204 });
}

const REASONS: Readonly<Record<StopReason, true>> = { blocked: true, crashed: true, memory: true };

function isStop(body: unknown): body is { workerId: WorkerId; stopped: Stopped } {
  const { workerId, stopped } = (body ?? {}) as { workerId?: unknown; stopped?: unknown };
  const { versionId, reason, stoppedOn, strikes } = (stopped ?? {}) as Partial<
    Record<keyof Stopped, unknown>
  >;
  return (
    typeof workerId === "string" &&
    typeof versionId === "string" &&
    typeof reason === "string" &&
    Object.hasOwn(REASONS, reason) &&
    typeof stoppedOn === "number" &&
    typeof strikes === "number"
  );
}
