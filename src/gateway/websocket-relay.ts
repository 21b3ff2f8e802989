/** RFC 6455 has no code for a lost peer that may be sent; this is the one for "it could not go on". */
const CANNOT_GO_ON = 1011;
/** IANA: "Service Restart". Clients that know it come back by themselves. */
const SERVICE_RESTART = 1012;
/** Codes that stand for what happened and never travel: a close without a code, and a lost connection. */
const NO_CODE = 1005;
const LOST = 1006;

/**
 * Stands between visitors and versions on WebSockets, so that the gateway can close them in good order before its
 * process ends. Messages, closes, codes and reasons pass as they come; a side that is lost without a close is a
 * close with 1011 for the other one.
 *
 * Nothing is kept here, but the runtime queues what a slow receiver has not taken yet, without a bound and without
 * telling: a version that sends faster than its visitor reads fills memory, as it would without the relay. So does,
 * and only here, a version that passes on the WebSocket of another server.
 */
export class WebSocketRelay {
  /** Each ends one connection. They are promises' because a connection can be touched in its own request only. */
  readonly #restarts = new Set<() => void>();
  #draining = false;
  #ever = 0;

  /** Connections of which no side has closed yet. */
  get size(): number {
    return this.#restarts.size;
  }

  /** All that there have been. */
  get ever(): number {
    return this.#ever;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** An answer that opens a WebSocket, with the relay's end in place of the version's; any other as it is. */
  relay(answer: Response): Response {
    const version = answer.webSocket;
    if (version === null) return answer;
    const { 0: given, 1: visitor } = new WebSocketPair();
    const restart = Promise.withResolvers<void>();
    const over = (): void => void this.#restarts.delete(restart.resolve);
    pass(version, visitor, over);
    pass(visitor, version, over);
    void restart.promise.then(() => {
      over();
      close(visitor, SERVICE_RESTART, "Service Restart");
      close(version, SERVICE_RESTART, "Service Restart");
    });
    this.#ever++;
    this.#restarts.add(restart.resolve);
    for (const side of [version, visitor]) {
      // As bytes, for a Blob has to be read first and would be overtaken by the next message.
      side.binaryType = "arraybuffer";
      // Each side is closed when the other one is, not before.
      side.accept({ allowHalfOpen: true });
    }
    if (this.#draining) restart.resolve();
    const headers = new Headers(answer.headers);
    // Agreed between the version and whoever gave it the socket; the visitor's connection has its own.
    headers.delete("sec-websocket-extensions");
    return new Response(null, { status: 101, headers, webSocket: given });
  }

  /** Closes all, and from now on each as soon as it opens. Returns how many there were. */
  drain(): number {
    this.#draining = true;
    const all = [...this.#restarts];
    for (const restart of all) restart();
    return all.length;
  }
}

function pass(from: WebSocket, to: WebSocket, over: () => void): void {
  from.addEventListener("message", ({ data }) => {
    try {
      to.send(data);
    } catch {
      // Closed meanwhile: then so is this side, or it is about to be.
      close(from, CANNOT_GO_ON);
    }
  });
  from.addEventListener("close", ({ code, reason }) => {
    over();
    if (code === NO_CODE) close(to);
    else close(to, code === LOST ? CANNOT_GO_ON : code, reason);
  });
  from.addEventListener("error", () => {
    over();
    close(to, CANNOT_GO_ON);
  });
}

/** Closing twice is nothing. */
function close(socket: WebSocket, code?: number, reason?: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // A code that the runtime does not send: the peer made it up.
    if (code !== CANNOT_GO_ON) close(socket, CANNOT_GO_ON);
  }
}
