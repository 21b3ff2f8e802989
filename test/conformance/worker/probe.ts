/** The Durable Object under test: what callers do to it, and checks that run inside it. */
import { DurableObject, RpcTarget } from "cloudflare:workers";
import type { Loose } from "./check.ts";
import { inside } from "./checks/inside-object.ts";
import { runCheck } from "./run-checks.ts";

class Counter extends RpcTarget {
  #count = 0;
  add(n: number): number {
    return (this.#count += n);
  }
  get count(): number {
    return this.#count;
  }
}

export class Teapot extends Error {
  override name = "Teapot";
  readonly code = 418;
}

export class Probe extends DurableObject {
  #instance = crypto.randomUUID();
  #alarms: unknown[] = [];
  field = "a field";
  declare env: Loose;

  /** One check of `inside`, in here. */
  check(name: string): Promise<unknown> {
    const { ctx, env } = this;
    return runCheck(inside[name]!, { ...env, env, ctx, own: name, object: this } as Loose);
  }

  instance(): string {
    return this.#instance;
  }

  echo(...args: unknown[]): unknown {
    return args.length === 1 ? args[0] : args;
  }

  identity(): unknown {
    const { id } = this.ctx;
    return { id: String(id), name: id.name, type: id.constructor.name };
  }

  counter(): Counter {
    return new Counter();
  }

  adder(n: number): (m: number) => number {
    return (m) => n + m;
  }

  async callBack(callback: Loose, value: unknown): Promise<unknown> {
    return callback(value);
  }

  async useTarget(target: Loose): Promise<unknown> {
    return [await target.add(2), await target.add(3), await target.count];
  }

  get property(): string {
    return "a getter";
  }

  get nested(): unknown {
    return { list: [1, 2], deeper: { word: "deep" } };
  }

  stream(text: string): ReadableStream {
    return new Response(text).body!;
  }

  async readStream(stream: ReadableStream): Promise<string> {
    return new Response(stream).text();
  }

  throws(kind: string): never {
    if (kind === "plain") throw { not: "an error" };
    if (kind === "string") throw "only a string";
    if (kind === "range") throw new RangeError("out of range");
    if (kind === "own") throw new Teapot("short and stout");
    if (kind === "cause") throw new Error("outer", { cause: new TypeError("inner") });
    throw new Error("an error of the object");
  }

  async rejects(): Promise<never> {
    await scheduler.wait(1);
    throw new Error("a later error");
  }

  abort(): void {
    this.ctx.abort("aborted on purpose");
  }

  async increment(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }

  count(): Promise<unknown> {
    return this.ctx.storage.get("count");
  }

  async alarmIn(ms: number): Promise<number | null> {
    await this.ctx.storage.setAlarm(Date.now() + ms);
    return this.ctx.storage.getAlarm();
  }

  async failAlarms(times: number): Promise<void> {
    await this.ctx.storage.put("fail", times);
    await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(info?: Loose): Promise<void> {
    this.#alarms.push({
      retryCount: info?.retryCount,
      isRetry: info?.isRetry,
      keys: info && Object.keys(info).sort(),
      pending: await this.ctx.storage.getAlarm(),
    });
    await this.ctx.storage.put("alarms", this.#alarms);
    const fail = (await this.ctx.storage.get<number>("fail")) ?? 0;
    if (fail > 0) {
      await this.ctx.storage.put("fail", fail - 1);
      await this.ctx.storage.sync();
      throw new Error("the alarm fails");
    }
  }

  async alarms(): Promise<unknown> {
    return (await this.ctx.storage.get("alarms")) ?? null;
  }

  pendingAlarm(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (request.headers.get("upgrade") === "websocket") return this.#upgrade(url);
    if (url.pathname === "/throw") throw new Error("fetch throws");
    if (url.pathname === "/nothing") return undefined as Loose;
    if (url.pathname === "/redirect") return Response.redirect("https://elsewhere.example/", 302);
    return new Response(await request.text(), {
      status: 218,
      statusText: "Fine",
      headers: {
        "x-method": request.method,
        "x-url": request.url,
        "x-seen": request.headers.get("x-sent") ?? "none",
        "x-names": [...request.headers.keys()].join(","),
      },
    });
  }

  #upgrade(url: URL): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const tags = url.searchParams.getAll("tag");
    if (url.pathname === "/plain") {
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(`plain ${String(data)}`));
    } else {
      this.ctx.acceptWebSocket(server, tags);
      server.serializeAttachment({ at: url.pathname });
      if (url.searchParams.has("auto"))
        this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    }
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "x-upgraded": "yes", "sec-websocket-protocol": "chat" },
    });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (message === "close") return socket.close(4001, "as asked");
    if (message === "throw") throw new Error("message handler throws");
    if (message === "tell")
      return socket.send(
        JSON.stringify({
          all: this.ctx.getWebSockets().length,
          red: this.ctx.getWebSockets("red").length,
          tags: this.ctx.getTags(socket),
          attachment: socket.deserializeAttachment(),
          state: socket.readyState,
          instance: this.#instance,
        }),
      );
    if (typeof message === "string" && message.startsWith("all "))
      for (const other of this.ctx.getWebSockets()) other.send(message.slice(4));
    else socket.send(typeof message === "string" ? `hibernating ${message}` : message);
  }

  override async webSocketClose(
    _socket: WebSocket,
    code: number,
    reason: string,
    wasClean: boolean,
  ): Promise<void> {
    await this.ctx.storage.put("closed", { code, reason, wasClean });
  }

  async closed(): Promise<unknown> {
    return (await this.ctx.storage.get("closed")) ?? null;
  }
}

/** With the storage that came before SQLite. */
export class Legacy extends DurableObject {
  async write(entries: Record<string, unknown>): Promise<void> {
    await this.ctx.storage.put(entries);
  }
  async read(): Promise<unknown> {
    return [...(await this.ctx.storage.list())];
  }
  sql(): string {
    return typeof this.ctx.storage.sql;
  }
}
