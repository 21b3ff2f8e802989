/** A WebSocket as a client of thousands has it: the handshake with any Host header, short text messages, the end. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";

const TEXT_FRAME = 0x81;
const MASKED = 0x80;
const SHORT_BYTES_MAX = 125;

export class RawWebSocket {
  readonly #socket: Socket;
  /** Everything that has come so far, frames as they are. */
  received = Buffer.alloc(0);
  /** Resolves when the connection is over, however. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    socket.on("error", () => undefined);
    this.closed = new Promise((done) => socket.once("close", () => done()));
  }

  /** At most 125 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text);
    if (payload.length > SHORT_BYTES_MAX) throw new Error("too long for a short frame");
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    this.#socket.write(
      Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | payload.length]), mask, masked]),
    );
  }

  cut(): void {
    this.#socket.destroy();
  }
}

/** The open WebSocket, or the status or the error code that came instead. */
export function openWebSocket(
  port: number,
  host: string,
  path = "/",
): Promise<RawWebSocket | number | string> {
  return new Promise((done) => {
    const opening = request({
      agent: false,
      host: "127.0.0.1",
      port,
      path,
      setHost: false,
      headers: {
        host,
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    opening.once("upgrade", (_response, socket: Socket) => done(new RawWebSocket(socket)));
    opening.once("response", (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    opening.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    opening.end();
  });
}
