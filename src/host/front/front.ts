/**
 * The one door for visitors and API clients: reads each request's head, asks the switchyard where it goes,
 * and passes bytes on unchanged in both directions.
 */
import { type Server, type Socket, createServer } from "node:net";
import { LISTEN_BACKLOG } from "../launcher-limits.ts";
import type { Log } from "../log.ts";
import { clientOf } from "./client-address.ts";
import { ClientConnection } from "./client-connection.ts";
import type { FrontContext } from "./client-side.ts";
import type { FrontLimits } from "./front-limits.ts";
import { HostNames } from "./host-name.ts";
import { type Admission, OpenConnections } from "./open-connections.ts";
import type { Switchyard } from "./switchyard.ts";
import { UpstreamPool } from "./upstream-pool.ts";

/** Between two warnings of too many connections, ms. */
const WARNING_MS = 10_000;

export interface FrontOptions {
  readonly switchyard: Switchyard;
  readonly limits: FrontLimits;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** An id for a request, as an error page shows it. */
  readonly newId: () => string;
  readonly log: Log;
}

export class Front {
  readonly #server: Server;
  readonly #context: FrontContext;
  readonly #connections: OpenConnections<ClientConnection>;
  readonly #sweeper: NodeJS.Timeout;
  readonly #log: Log;
  #warnedAt = -Infinity;

  constructor({ switchyard, limits, now, newId, log }: FrontOptions) {
    this.#log = log;
    this.#context = {
      switchyard,
      limits,
      pool: new UpstreamPool(limits, now),
      hosts: new HostNames(),
      draining: false,
      drainIdleMs: limits.drainIdleMs,
      now,
      newId,
    };
    this.#connections = new OpenConnections(limits);
    // No `maxConnections`: it closes new connections, never one of those that only wait.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.#sweeper = setInterval(() => this.#sweep(), limits.sweepMs);
    this.#sweeper.unref();
  }

  /**
   * Accepts on a descriptor that is bound (and perhaps listening) already, or on an address of its own. While nobody
   * accepts, the kernel queues LISTEN_BACKLOG connections, or net.core.somaxconn if that is fewer.
   */
  async listen(where: number | { readonly host: string; readonly port: number }): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const address = typeof where === "number" ? { fd: where } : where;
      // As an argument: among the options, Node ignores it for a descriptor, and 511 would replace what was set.
      server.listen(address, LISTEN_BACKLOG, () => {
        server.off("error", reject);
        // Later errors are of single accepts (no descriptors left): the next may succeed.
        server.on("error", (error) =>
          this.#log.event("warn", "connection not accepted", { reason: error.message }),
        );
        resolve();
      });
    });
  }

  /** The port listened on, or null. */
  get port(): number | null {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : null;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Drops the kept connections to an upstream; requests under way there go on. */
  forget(upstreamName: string): void {
    this.#context.pool.forget(upstreamName);
  }

  /**
   * Accepts no more; every answer from now on is the last of its connection, and connections without a
   * request are closed after `idleMs`: a client that sends one at that very moment loses it. Resolves when all are
   * closed, after `msMax` by force. Both in milliseconds.
   */
  async drain(msMax: number, idleMs?: number): Promise<void> {
    this.#context.draining = true;
    if (idleMs !== undefined) this.#context.drainIdleMs = idleMs;
    this.#server.close();
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, msMax);
        this.#connections.onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.closeNow();
  }

  /** Cuts everything. */
  closeNow(): void {
    this.#context.draining = true;
    clearInterval(this.#sweeper);
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    this.#context.pool.close();
  }

  #accept(socket: Socket): void {
    const { remoteAddress } = socket;
    // Its client has gone already.
    if (remoteAddress === undefined) return void socket.destroy();
    const client = clientOf(remoteAddress);
    const admission = this.#connections.admit(client);
    if (admission !== "admitted") this.#warn(admission, client);
    if (admission === "full" || admission === "client full") return void socket.destroy();
    void new ClientConnection(socket, this.#context, client, this.#connections);
  }

  #warn(admission: Admission, client: string | null): void {
    const now = this.#context.now();
    if (now - this.#warnedAt < WARNING_MS) return;
    this.#warnedAt = now;
    const { connectionsMax, clientConnectionsMax } = this.#context.limits;
    if (admission === "client full") {
      const fields = { client: String(client), open: clientConnectionsMax };
      return this.#log.event("warn", "too many connections of one client", fields);
    }
    const closed = admission === "full" ? "the new one" : "one that waited without a request";
    this.#log.event("warn", "too many connections", { open: connectionsMax, closed });
  }

  #sweep(): void {
    const now = this.#context.now();
    for (const connection of this.#connections) connection.sweep(now);
    this.#context.pool.sweep(now);
  }
}
