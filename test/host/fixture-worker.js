/** Stands in for the bundled Worker in every kind of process: what the host itself needs, and doors to break it. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

export class WorkerLock extends DurableObject {
  async count() {
    const next = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", next);
    return next;
  }
}
export class RoutingLock extends DurableObject {}
export class CronClock extends DurableObject {}
export class TailHub extends DurableObject {}

/** What processes that keep data are configured with. */
export class KvNamespaceObject extends DurableObject {}
export class QueueObject extends DurableObject {}
export class D1DatabaseObject extends DurableObject {}
export class AnalyticsObject extends DurableObject {}
export class KvStore extends WorkerEntrypoint {}
export class R2Store extends WorkerEntrypoint {}
export class D1Store extends WorkerEntrypoint {}
export class QueueStore extends WorkerEntrypoint {}
export class CacheStore extends WorkerEntrypoint {}
export class AnalyticsStore extends WorkerEntrypoint {}
export class RateLimitStore extends WorkerEntrypoint {}

/** What the supervisor tells the control process, for gateways to ask about. */
const told = [];

export class ControlPlaneEntrypoint extends WorkerEntrypoint {
  async fetch(request) {
    told.push(await request.text());
    return new Response();
  }

  async told() {
    return told;
  }
}

export class GatewayEntrypoint extends WorkerEntrypoint {
  fetch(request) {
    return new Response(null, { status: new URL(request.url).pathname === "/alive" ? 204 : 200 });
  }
}

const paths = {
  "/healthz": () => new Response("ok"),
  "/alive": () => new Response("ok"),
  "/gateway": (env) => new Response(env.GATEWAY_NAME),
  "/told": async (env) => Response.json(await env.CONTROL.told()),
  "/object": async (env) => new Response(String(await env.WORKER_LOCK.getByName("a").count())),
  "/blob": async (env) => {
    const before = await (await env.BLOBS.get("k"))?.text();
    await env.BLOBS.put("k", "kept");
    return new Response(String(before));
  },
  "/rows": async (env) => {
    await env.DB.prepare("INSERT INTO notes (text) VALUES ('x')").run();
    return Response.json((await env.DB.prepare("SELECT count(*) AS n FROM notes").first()).n);
  },
  "/vars": (env) =>
    Response.json(Object.fromEntries(Object.entries(env).filter(([, v]) => typeof v === "string"))),
  "/slow": async () => {
    await scheduler.wait(1_000);
    return new Response("finished");
  },
  "/loop": () => {
    for (;;);
  },
  "/say": () => {
    console.log('{"level":"info","event":"from-worker"}');
    console.log("two\nlines");
    return new Response("said");
  },
  "/call": async (env, url) => {
    try {
      return await env.INTERNET.fetch(url.searchParams.get("url"));
    } catch (error) {
      return new Response(`refused: ${error.message}`, { status: 502 });
    }
  },
};

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    return paths[url.pathname]?.(env, url) ?? new Response("no such path", { status: 404 });
  },
};
