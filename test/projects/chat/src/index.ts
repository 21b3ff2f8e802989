import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly ROOMS: DurableObjectNamespace<Room>;
}

interface Visitor {
  readonly name: string;
}

/** Longer idle than that, and a room says so to everybody. */
const IDLE_MS = 500;

export class Room extends DurableObject<Env> {
  /** Gone when the object has slept. */
  #sinceStart = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, name TEXT, text TEXT)",
    );
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  override fetch(request: Request): Response {
    const url = new URL(request.url);
    const name = url.searchParams.get("name") ?? "nobody";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [name]);
    server.serializeAttachment({ name } satisfies Visitor);
    this.#tellAll(`* ${name} is here`);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string): Promise<void> {
    const { name } = socket.deserializeAttachment() as Visitor;
    this.#sinceStart++;
    if (message.startsWith("/whisper ")) {
      const [, to = "", ...words] = message.split(" ");
      for (const other of this.ctx.getWebSockets(to))
        other.send(`${name} whispers ${words.join(" ")}`);
      return;
    }
    this.ctx.storage.sql.exec("INSERT INTO messages (name, text) VALUES (?, ?)", name, message);
    this.#tellAll(`${name}: ${message}`);
    await this.ctx.storage.setAlarm(Date.now() + IDLE_MS);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    const { name } = socket.deserializeAttachment() as Visitor;
    this.#tellAll(`* ${name} has left (${code})`, socket);
  }

  override async alarm(): Promise<void> {
    this.#tellAll("* it is quiet here");
  }

  history(): { name: string; text: string }[] {
    return this.ctx.storage.sql
      .exec<{ name: string; text: string }>("SELECT name, text FROM messages ORDER BY id")
      .toArray();
  }

  presence(): { sockets: number; sinceStart: number } {
    return { sockets: this.ctx.getWebSockets().length, sinceStart: this.#sinceStart };
  }

  #tellAll(text: string, except?: WebSocket): void {
    for (const socket of this.ctx.getWebSockets()) if (socket !== except) socket.send(text);
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const [, name = "", what] = pathname.split("/");
    const room = env.ROOMS.getByName(name);
    if (what === "history") return Response.json(await room.history());
    if (what === "presence") return Response.json(await room.presence());
    if (request.headers.get("upgrade") !== "websocket")
      return new Response("a WebSocket, please", { status: 426 });
    return room.fetch(request);
  },
} satisfies ExportedHandler<Env>;
