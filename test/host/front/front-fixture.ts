import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CF_HEADER } from "../../../src/host/front/client-lines.ts";
import { FRONT_LIMITS, type FrontLimits } from "../../../src/host/front/front-limits.ts";
import { Front } from "../../../src/host/front/front.ts";
import type {
  Flight,
  OwnAnswer,
  Switchyard,
  Upstream,
} from "../../../src/host/front/switchyard.ts";
import { createLog } from "../../../src/host/log.ts";

export function socketPath(): string {
  return join(tmpdir(), `front-${randomUUID()}.sock`);
}

export const page = (status: number, body: string): OwnAnswer => ({
  status,
  headers: { "content-type": "text/plain" },
  body,
});

/** A switchyard on paper: sends everything to one upstream and writes down what it is told. */
export class Yard implements Switchyard {
  readonly told: string[] = [];
  readonly flights: Flight[] = [];
  open = 0;
  upstream: Upstream;
  where: Switchyard["place"] = () => this.upstream;
  verdict: Switchyard["lost"] = async () => page(502, "lost");
  ownAnswer: Switchyard["own"] = () => null;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
  }
  place(flight: Flight, signal: AbortSignal): ReturnType<Switchyard["place"]> {
    this.flights.push(flight);
    const where = this.where(flight, signal);
    const count = (place: Upstream | OwnAnswer) => {
      if ("name" in place) this.open++;
      return place;
    };
    return where instanceof Promise ? where.then(count) : count(where);
  }
  lost(flight: Flight, upstream: Upstream, sentSome: boolean): Promise<"again" | OwnAnswer> {
    this.told.push(`lost ${flight.path} ${upstream.name} ${sentSome ? "some" : "none"} sent`);
    return this.verdict(flight, upstream, sentSome);
  }
  answered(flight: Flight, upstream: Upstream, status: number): void {
    this.told.push(`answered ${flight.path} ${upstream.name} ${status}`);
  }
  ended(flight: Flight, upstream: Upstream): void {
    this.open--;
    this.told.push(`ended ${flight.path} ${upstream.name}`);
  }
  overdue(flight: Flight, upstream: Upstream | null): OwnAnswer {
    this.told.push(`overdue ${flight.path} ${upstream?.name ?? "unplaced"}`);
    return page(504, "overdue");
  }
  refused(status: number, reason: string): OwnAnswer {
    this.told.push(`refused ${status}`);
    return page(status, reason);
  }
  own(flight: Flight, head: Parameters<Switchyard["own"]>[1]): ReturnType<Switchyard["own"]> {
    return this.ownAnswer(flight, head);
  }
}

/** What the front adds to every head is the same for all; request-head.test.ts is about it. */
const CLIENT_LINES = new RegExp(`CF-Connecting-IP: \\S+\\r\\n${CF_HEADER}: [^\\r]*\\r\\n`, "g");

/** The socket's readers get what a visitor has sent. The front writes each head in one piece. */
function readWithoutClientLines(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event !== "data") return emit(event, ...args);
    const text = (args[0] as Buffer).toString("latin1").replaceAll(CLIENT_LINES, "");
    return emit("data", Buffer.from(text, "latin1"));
  };
}

/** An upstream in the test's hands: `serve` is called with each connection it gets. */
export class Upstreams {
  readonly sockets: Socket[] = [];
  readonly path = socketPath();
  serve: (socket: Socket, index: number) => void = () => {};
  readonly #server: Server;

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      readWithoutClientLines(socket);
      this.sockets.push(socket);
      this.serve(socket, this.sockets.length - 1);
    });
  }
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }
  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    rmSync(this.path, { force: true });
  }
}

export interface Bench {
  readonly front: Front;
  readonly yard: Yard;
  readonly upstreams: Upstreams;
  client(): Client;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A front before one upstream. Deadlines are looked at every 5 ms. */
export async function bench(
  limits: Partial<FrontLimits> = {},
  serve: Upstreams["serve"] = () => {},
  host = "127.0.0.1",
): Promise<Bench> {
  const upstreams = new Upstreams();
  upstreams.serve = serve;
  await upstreams.listen();
  const yard = new Yard({ name: "g1", socketPath: upstreams.path });
  const front = new Front({
    switchyard: yard,
    limits: { ...FRONT_LIMITS, sweepMs: 5, ...limits },
    now: () => performance.now(),
    newId: () => randomUUID(),
    log: createLog(
      () => {},
      () => new Date(0),
    ),
  });
  await front.listen({ host, port: 0 });
  const clients: Client[] = [];
  return {
    front,
    yard,
    upstreams,
    client() {
      const client = new Client(front.port ?? 0, host);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy();
      front.closeNow();
      upstreams.close();
    },
  };
}

/** A client that writes bytes and keeps what comes back. */
export class Client {
  readonly socket: Socket;
  text = "";
  ended = false;
  closed = false;
  #waiting: (() => void)[] = [];

  constructor(port: number, host: string) {
    this.socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.#tell();
    });
    this.socket.on("end", () => {
      this.ended = true;
      this.#tell();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
      this.#tell();
    });
  }
  send(text: string | Buffer): this {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
    return this;
  }
  /** Until `holds`, looked at whenever something arrives. */
  async until(holds: (client: Client) => boolean): Promise<this> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this;
  }
  async has(text: string): Promise<this> {
    return this.until(() => this.text.includes(text));
  }
  async over(): Promise<this> {
    return this.until(() => this.ended || this.closed);
  }
  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Until `holds`, looked at every few milliseconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Answers every head on a connection, bodies of requests left aside. */
export function answering(answer: (head: string, index: number) => string | null) {
  return (socket: Socket, index: number) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        const reply = answer(head, index);
        if (reply !== null) socket.write(Buffer.from(reply, "latin1"));
      }
    });
    socket.on("end", () => socket.end());
  };
}

export const get = (path: string, ...lines: string[]) =>
  `${[`GET ${path} HTTP/1.1`, "Host: a.test", ...lines].join("\r\n")}\r\n\r\n`;
export const ok = (body: string, ...lines: string[]) =>
  `${["HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...lines].join("\r\n")}\r\n\r\n${body}`;
