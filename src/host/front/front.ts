/**
 * The one door for visitors and API clients: reads each request's head, asks the switchyard where it goes,
 * and passes bytes on unchanged in both directions.
 */
import { type Server, type Socket, createServer } from "node:net";
import { ClientConnection } from "./client-connection.ts";
import type { FrontContext } from "./client-side.ts";
import type { FrontLimits } from "./front-limits.ts";
import { HostNames } from "./host-name.ts";
import type { Log } from "../log.ts";
import type { Switchyard } from "./switchyard.ts";
import { UpstreamPool } from "./upstream-pool.ts";

/** Connections that wait to be accepted. */
const BACKLOG = 4_096;

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
  readonly #connections = new Set<ClientConnection>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #log: Log;
  #onEmpty: (() => void) | null = null;
  #tooManySaidAt = -Infinity;

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
    const closed = (connection: ClientConnection) => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onEmpty?.();
    };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      this.#connections.add(new ClientConnection(socket, this.#context, closed));
    });
    this.#server.maxConnections = limits.connectionsMax;
    this.#server.on("drop", () => this.#tooMany());
    this.#sweeper = setInterval(() => this.#sweep(), limits.sweepMs);
    this.#sweeper.unref();
  }

  /** Accepts on a descriptor that is bound (and perhaps listening) already, or on an address of its own. */
  async listen(where: number | { readonly host: string; readonly port: number }): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const address = typeof where === "number" ? { fd: where } : where;
      server.listen({ ...address, backlog: BACKLOG }, () => {
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
        this.#onEmpty = () => {
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

  #tooMany(): void {
    const now = this.#context.now();
    if (now - this.#tooManySaidAt < 10_000) return;
    this.#tooManySaidAt = now;
    const { connectionsMax } = this.#context.limits;
    this.#log.event("warn", "too many connections", { open: connectionsMax });
  }

  #sweep(): void {
    const now = this.#context.now();
    for (const connection of this.#connections) connection.sweep(now);
    this.#context.pool.sweep(now);
  }
}
