/** A WebSocket as a client of thousands has it: the handshake with any Host header, short text messages, the end. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";

const TEXT_FRAME = 0x81;
const MASKED = 0x80;
const SHORT_BYTES_MAX = 125;
const OPCODE = 0x0f;
const CLOSE = 0x8;
const SHORT_LENGTH = 0x7f;
const LENGTH_16 = 126;
const NO_CODE = 1005;

export class RawWebSocket {
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  /** All messages that have come so far. */
  received = "";
  /** Resolves when the connection is over, however. */
  readonly closed: Promise<void>;

  /** Of the other side's close; 1005: it gave none. */
  closeCode: number | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      while (this.#readFrame());
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((done) => socket.once("close", () => done()));
  }

  /** Whether there was a whole one. */
  #readFrame(): boolean {
    const frame = this.#unread;
    const short = (frame[1] ?? 0) & SHORT_LENGTH;
    const head = short < LENGTH_16 ? 2 : short === LENGTH_16 ? 4 : 10;
    if (frame.length < head) return false;
    const length =
      head === 2 ? short : head === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
    if (frame.length < head + length) return false;
    const payload = frame.subarray(head, head + length);
    this.#unread = frame.subarray(head + length);
    if (((frame[0] ?? 0) & OPCODE) === CLOSE) {
      this.closeCode = length < 2 ? NO_CODE : payload.readUInt16BE(0);
      this.#socket.destroy();
    } else {
      this.received += payload.toString();
    }
    return true;
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
