/**
 * One accepted connection: reads the heads of its requests, one after another, and hands each to an
 * `Exchange`. Keeps what comes too early aside, and says when it is over.
 */
import type { Socket } from "node:net";
import { type ClientLines, clientLines } from "./client-lines.ts";
import type { ClientOwner, ClientSide, FrontContext } from "./client-side.ts";
import { Exchange } from "./exchange.ts";
import { CR, LF } from "./grammar.ts";
import {
  HEAD,
  IDLE,
  type OpenConnection,
  type OpenConnections,
  PARTING,
} from "./open-connections.ts";
import { ownAnswerBytes } from "./own-answer.ts";
import { HeadRefusal, type RequestHead, parseRequestHead } from "./request-head.ts";
import type { OwnAnswer } from "./switchyard.ts";

export class ClientConnection implements ClientSide, OpenConnection {
  readonly socket: Socket;
  readonly context: FrontContext;
  readonly client: string | null;
  readonly lines: ClientLines;
  deadline: number;
  #owner: ClientOwner | null = null;
  #held: Buffer | null = null;
  /** The beginning of a head, of which `#headSize` bytes are filled. */
  #head: Buffer | null = null;
  #headSize = 0;
  #stalledUntil = 0;
  #lingering = false;
  #gone: AbortController | null = null;

  readonly #open: OpenConnections<ClientConnection>;

  constructor(
    socket: Socket,
    context: FrontContext,
    client: string | null,
    open: OpenConnections<ClientConnection>,
  ) {
    this.socket = socket;
    this.context = context;
    this.client = client;
    this.lines = clientLines(socket.remoteAddress ?? "", client);
    this.#open = open;
    open.opened(this);
    open.waits(this, HEAD);
    this.deadline = context.now() + context.limits.headMsMax;
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    socket.on("finish", () => this.#finished());
  }

  get signal(): AbortSignal {
    if (this.#gone === null) {
      this.#gone = new AbortController();
      if (this.socket.destroyed) this.#gone.abort();
    }
    return this.#gone.signal;
  }

  get written(): boolean {
    return this.socket.writableLength === 0;
  }

  write(bytes: Buffer): boolean {
    if (this.socket.write(bytes)) return true;
    if (this.#stalledUntil === 0) {
      this.#stalledUntil = this.context.now() + this.context.limits.clientStallMsMax;
    }
    return false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (this.socket.isPaused()) this.socket.resume();
  }

  hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#held.length >= this.context.limits.heldBytesMax) this.socket.pause();
  }

  takeHeld(): Buffer | null {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.resume();
    return held;
  }

  handTo(owner: ClientOwner): void {
    this.#owner = owner;
    this.deadline = 0;
  }

  done(keep: boolean): void {
    this.#owner = null;
    if (!keep) {
      this.close();
      return;
    }
    // A draining front that has not announced the end with this answer does so with the next.
    const { limits, draining, drainIdleMs } = this.context;
    this.deadline = this.context.now() + (draining ? drainIdleMs : limits.idleMsMax);
    this.#open.waits(this, IDLE);
    if (this.#held !== null) process.nextTick(() => this.#next());
    else this.resume();
  }

  answer(answer: OwnAnswer, toHead: boolean, keep: boolean): void {
    const stays = keep && !this.context.draining;
    this.write(ownAnswerBytes(answer, toHead, !stays));
    this.done(stays);
  }

  /** Ends the connection; what was written still goes out, what comes in is not looked at. */
  close(): void {
    if (this.#lingering) return;
    this.#open.works(this);
    this.#lingering = true;
    this.#owner = null;
    this.#held = null;
    this.#head = null;
    // Reset by "finish"; until then the client may be slow, but not asleep.
    this.deadline = this.context.now() + this.context.limits.clientStallMsMax;
    this.socket.end();
    this.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  makeRoom(): void {
    this.#lingering = true;
    this.destroy();
  }

  /** A draining front: the connection closes after the request that it carries, or soon. */
  drain(): void {
    if (this.#owner !== null || this.#lingering) return;
    this.deadline = Math.min(this.deadline, this.context.now() + this.context.drainIdleMs);
  }

  sweep(now: number): void {
    if (this.#stalledUntil !== 0 && now > this.#stalledUntil) return this.destroy();
    if (this.deadline === 0 || now <= this.deadline) return;
    if (this.#lingering) return this.destroy();
    if (this.#owner !== null) return this.#owner.clientOverdue();
    if (this.#head === null) return this.close();
    this.#refuse(408, "The head of the request took too long.");
  }

  #data(chunk: Buffer): void {
    if (this.#owner !== null) this.#owner.clientData(chunk);
    else if (this.#lingering) return;
    else if (this.#held !== null || this.socket.writableNeedDrain) this.hold(chunk);
    else this.#read(chunk);
  }

  /** The bytes of the next request that came while the last one was under way. */
  #next(): void {
    // A client that sends requests but takes no answers gets no more of them.
    if (this.#owner !== null || this.#lingering || this.socket.writableNeedDrain) return;
    const held = this.takeHeld();
    if (held !== null) this.#read(held);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#head === null ? chunk : this.#append(chunk);
    if (bytes === null) return;
    const { limits, hosts } = this.context;
    const head = parseRequestHead(bytes, limits, hosts);
    if (head === null) {
      if (bytes.length > limits.headBytesMax) {
        this.#refuse(431, `The head is larger than ${limits.headBytesMax} bytes.`);
      } else if (this.#head === null) this.#begin(chunk);
      return;
    }
    this.#head = null;
    if (head instanceof HeadRefusal) this.#refuse(head.status, head.reason);
    else this.#start(head, bytes);
  }

  #start(head: RequestHead, bytes: Buffer): void {
    if (head.length < bytes.length) this.hold(bytes.subarray(head.length));
    this.#open.works(this);
    const exchange = new Exchange(this, head);
    this.#owner = exchange;
    exchange.start();
  }

  /** The first part of a head that came in parts. */
  #begin(chunk: Buffer): void {
    this.#head = Buffer.allocUnsafe(Math.max(4_096, 2 * chunk.length));
    chunk.copy(this.#head);
    this.#headSize = chunk.length;
    this.#open.waits(this, HEAD);
    this.deadline = this.context.now() + this.context.limits.headMsMax;
  }

  /**
   * The head so far, if it is worth reading again: it may be complete, too large, or has a bare LF.
   * Else null, so that a head that comes byte by byte is not read from its beginning for each of them.
   */
  #append(chunk: Buffer): Buffer | null {
    let head = this.#head!;
    const before = this.#headSize;
    const size = before + chunk.length;
    if (size > head.length) {
      const grown = Buffer.allocUnsafe(2 * size);
      head.copy(grown, 0, 0, before);
      this.#head = head = grown;
    }
    chunk.copy(head, before);
    this.#headSize = size;
    const bytes = head.subarray(0, size);
    if (size > this.context.limits.headBytesMax) return bytes;
    for (let lf = bytes.indexOf(LF, before); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
      if (bytes[lf - 1] !== CR || bytes[lf - 2] === LF) return bytes;
    }
    return null;
  }

  #refuse(status: number, reason: string): void {
    this.answer(this.context.switchyard.refused(status, reason), false, false);
  }

  #drained(): void {
    this.#stalledUntil = 0;
    if (this.#owner !== null) this.#owner.clientDrained();
    else if (this.#held !== null) this.#next();
  }

  #ended(): void {
    if (this.#owner !== null) this.#owner.clientEnded();
    else if (!this.#lingering) this.close();
  }

  /** From here on the client has only so long to take the last of the answer. */
  #finished(): void {
    this.deadline = this.context.now() + this.context.limits.lingerMsMax;
    if (this.#lingering) this.#open.waits(this, PARTING);
  }

  #closed(): void {
    const owner = this.#owner;
    this.#owner = null;
    this.#lingering = true;
    this.#held = null;
    this.#gone?.abort();
    owner?.clientGone();
    this.#open.closed(this);
  }
}
