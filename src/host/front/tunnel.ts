/** After a 101: bytes in both directions until both sides have ended, or one has gone. */
import type { ClientOwner, ClientSide } from "./client-side.ts";
import type { UpstreamConnection, UpstreamOwner } from "./upstream-pool.ts";

export class Tunnel implements ClientOwner, UpstreamOwner {
  readonly #client: ClientSide;
  readonly #upstream: UpstreamConnection;
  readonly #onEnd: () => void;

  constructor(client: ClientSide, upstream: UpstreamConnection, onEnd: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#onEnd = onEnd;
  }

  start(): void {
    this.#upstream.owner = this;
    this.#client.handTo(this);
    const early = this.#client.takeHeld();
    if (early !== null) this.clientData(early);
  }

  clientData(chunk: Buffer): void {
    if (!this.#upstream.socket.write(chunk)) this.#client.pause();
  }

  clientDrained(): void {
    this.#upstream.socket.resume();
  }

  clientEnded(): void {
    this.#upstream.socket.end();
  }

  clientGone(): void {
    this.#upstream.destroy();
    this.#onEnd();
  }

  clientOverdue(): void {
    this.#client.destroy();
  }

  upstreamConnected(): void {}

  upstreamData(chunk: Buffer): void {
    if (!this.#client.write(chunk)) this.#upstream.socket.pause();
  }

  upstreamDrained(): void {
    this.#client.resume();
  }

  /**
   * The death of its process looks the same as the end of what it says: the client may finish its
   * sentence, but not for long (the connection's own deadline after its end).
   */
  upstreamEnded(): void {
    this.#client.socket.end();
  }

  /** Without an end before it, the process died: the client is cut off, too. */
  upstreamGone(): void {
    const { socket } = this.#client;
    if (socket.writableEnded) socket.destroySoon();
    else socket.destroy();
  }
}
