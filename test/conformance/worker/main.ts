/** The Worker whose every answer is compared. `/checks/<group>` runs a group; the rest is what checks call. */
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { Checks, Loose } from "./check.ts";
import { cache } from "./checks/cache.ts";
import { d1Database } from "./checks/d1-database.ts";
import { d1Statements } from "./checks/d1-statements.ts";
import { durableObjects } from "./checks/durable-objects.ts";
import { inside } from "./checks/inside-object.ts";
import { kvRead } from "./checks/kv-read.ts";
import { kvWrite } from "./checks/kv-write.ts";
import { objectCalls } from "./checks/object-calls.ts";
import { platform } from "./checks/platform.ts";
import { queues } from "./checks/queues.ts";
import { r2Get } from "./checks/r2-get.ts";
import { r2List } from "./checks/r2-list.ts";
import { r2Put } from "./checks/r2-put.ts";
import { consume } from "./consume.ts";
import { runChecks } from "./run-checks.ts";

export { Legacy, Probe } from "./probe.ts";

const groups: Record<string, Checks> = {
  "kv-read": kvRead,
  "kv-write": kvWrite,
  "r2-get": r2Get,
  "r2-put": r2Put,
  "r2-list": r2List,
  "d1-statements": d1Statements,
  "d1-database": d1Database,
  queues,
  "durable-objects": durableObjects,
  "object-calls": objectCalls,
  cache,
  platform,
};

class Counter extends RpcTarget {
  #count = 0;
  add(n: number): number {
    return (this.#count += n);
  }
}

export class Api extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  echo(value: unknown): unknown {
    return value;
  }
  get version(): string {
    return "1.0";
  }
  props(): unknown {
    return this.ctx.props;
  }
  counter(): Counter {
    return new Counter();
  }
  callBack(callback: Loose): unknown {
    return callback(41);
  }
  stream(text: string): ReadableStream {
    return new Response(text).body!;
  }
  fails(): never {
    throw Object.assign(new TypeError("the entrypoint fails"), { code: "E_FAILS" });
  }
  async useKv(KV: Loose, key: string): Promise<unknown> {
    await KV.put(key, "by another entrypoint");
    return KV.get(key);
  }
}

async function runInside(env: Loose): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const name of Object.keys(inside)) {
    try {
      answers[name] = await env.PROBE.getByName(name).check(name);
    } catch (error) {
      answers[name] = { lost: String(error) };
    }
  }
  return answers;
}

function socket(): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener("message", ({ data }: Loose) => {
    if (data === "close") server.close(4000, "as asked");
    else server.send(typeof data === "string" ? `echo ${data}` : data);
  });
  return new Response(null, { status: 101, webSocket: client });
}

function slow(breaks: boolean): Response {
  let sent = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await scheduler.wait(15);
        if (sent === 3)
          return breaks ? controller.error(new Error("it broke")) : controller.close();
        controller.enqueue(new Uint8Array(10 + sent++));
      },
    }),
  );
}

function cookies(): Response {
  const headers = new Headers({ "x-one": "1" });
  headers.append("set-cookie", "a=1; Path=/");
  headers.append("set-cookie", "b=2; HttpOnly");
  return new Response("cookies", { headers });
}

async function serve(request: Request, env: Loose): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, first = "", second] = pathname.split("/");
  switch (first) {
    case "echo":
      return new Response(request.body, {
        headers: {
          "x-method": request.method,
          "x-length": request.headers.get("content-length") ?? "none",
          "x-seen": request.headers.get("x-sent") ?? "none",
          "content-type": request.headers.get("content-type") ?? "none",
        },
      });
    case "throw":
      throw new RangeError("the handler throws");
    case "redirect":
      return new Response(null, {
        status: 302,
        headers: { location: "https://self.example/echo" },
      });
    case "status":
      return new Response([204, 205, 304].includes(Number(second)) ? null : "text", {
        status: Number(second),
      });
    case "cookies":
      return cookies();
    case "slow":
      return slow(false);
    case "broken":
      return slow(true);
    case "hang":
      await scheduler.wait(3_000);
      return new Response("late");
    case "socket":
      return socket();
    case "object":
      return env.PROBE.getByName("over http").fetch(request);
    case "json":
      return Response.json({ hello: "world" });
    case "text":
      return new Response("grüß dich", {
        headers: { "content-type": "text/plain; charset=utf-8" },
      });
    case "kv":
      await env.KV.put("page", "from KV", { expirationTtl: 600 });
      return new Response(await env.KV.get("page", "stream"));
    case "bucket": {
      await env.BUCKET.put("page", "0123456789", { httpMetadata: { contentType: "text/x" } });
      const object = await env.BUCKET.get("page", {
        range: request.headers,
        onlyIf: request.headers,
      });
      const headers = new Headers();
      object.writeHttpMetadata(headers);
      headers.set("etag", object.httpEtag);
      if (!("body" in object)) return new Response(null, { status: 304, headers });
      return new Response(object.body, { status: object.range ? 206 : 200, headers });
    }
    case "worker-first":
      return env.ASSETS.fetch(new Request("https://assets.example/app.css", request));
    default:
      return new Response(`the Worker answers ${request.method} ${pathname}`, { status: 404 });
  }
}

export default {
  async fetch(request: Request, env: Loose, ctx: Loose): Promise<Response> {
    const [, first, group = ""] = new URL(request.url).pathname.split("/");
    if (first !== "checks") return serve(request, env);
    if (group === "inside-object") return Response.json(await runInside(env));
    return Response.json(
      await runChecks(groups[group] ?? {}, group, { ...env, env, ctx, request }),
    );
  },
  queue: consume,
};
