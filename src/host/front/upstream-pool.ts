/**
 * Connections to the upstreams' Unix sockets. One request at a time on each; kept for the next one only
 * if both messages ended where their framing said, and dropped when a byte comes that nobody asked for.
 */
import { connect, type Socket } from "node:net";
import type { FrontLimits } from "./front-limits.ts";
import type { Upstream } from "./switchyard.ts";

/** Whose request the connection carries. */
export interface UpstreamOwner {
  upstreamConnected(): void;
  upstreamData(chunk: Buffer): void;
  upstreamDrained(): void;
  /** It will send no more. */
  upstreamEnded(): void;
  /** It is closed. Not called after `destroy`. */
  upstreamGone(): void;
}

interface Kept {
  /** The one used last is last. */
  readonly idle: UpstreamConnection[];
  forgotten: boolean;
}

export class UpstreamConnection {
  readonly socket: Socket;
  readonly kept: Kept;
  owner: UpstreamOwner | null;
  connected = false;
  /** Requests before this one. */
  uses = 0;
  idleSince = 0;

  constructor(path: string, kept: Kept, owner: UpstreamOwner) {
    this.kept = kept;
    this.owner = owner;
    const socket = connect({ path, allowHalfOpen: true });
    this.socket = socket;
    socket.on("connect", () => {
      this.connected = true;
      this.owner?.upstreamConnected();
    });
    socket.on("data", (chunk: Buffer) => {
      if (this.owner === null) this.discard();
      else this.owner.upstreamData(chunk);
    });
    socket.on("drain", () => this.owner?.upstreamDrained());
    socket.on("end", () => {
      if (this.owner === null) this.discard();
      else this.owner.upstreamEnded();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      const { owner: last } = this;
      this.discard();
      last?.upstreamGone();
    });
  }

  /** Closes it at once; its owner hears nothing more. */
  destroy(): void {
    this.owner = null;
    this.socket.destroy();
  }

  /** `destroy`, for one that may be among the unused. */
  discard(): void {
    const index = this.kept.idle.indexOf(this);
    if (index >= 0) this.kept.idle.splice(index, 1);
    this.destroy();
  }
}

export class UpstreamPool {
  readonly #limits: FrontLimits;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  constructor(limits: FrontLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** An unused connection, or one that is about to be made (always, with `fresh`). */
  acquire(upstream: Upstream, owner: UpstreamOwner, fresh: boolean): UpstreamConnection {
    let kept = this.#kept.get(upstream.name);
    if (kept === undefined) {
      kept = { idle: [], forgotten: false };
      this.#kept.set(upstream.name, kept);
    }
    const connection = fresh ? undefined : kept.idle.pop();
    if (connection === undefined) return new UpstreamConnection(upstream.socketPath, kept, owner);
    connection.owner = owner;
    connection.uses++;
    return connection;
  }

  /** After a complete exchange: the connection may serve another. */
  release(connection: UpstreamConnection): void {
    const { kept, socket } = connection;
    if (kept.forgotten || kept.idle.length >= this.#limits.upstreamIdleMax || !socket.writable) {
      connection.destroy();
      return;
    }
    connection.owner = null;
    connection.idleSince = this.#now();
    if (socket.isPaused()) socket.resume();
    kept.idle.push(connection);
  }

  /** Closes unused connections to it; those in use are closed after their exchange. */
  forget(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    kept.forgotten = true;
    this.#kept.delete(name);
    for (const connection of kept.idle.splice(0)) connection.destroy();
  }

  /** Closes what has been unused for too long. */
  sweep(now: number): void {
    for (const { idle } of this.#kept.values()) {
      while (idle.length > 0 && now - idle[0]!.idleSince > this.#limits.upstreamIdleMsMax) {
        idle.shift()!.destroy();
      }
    }
  }

  close(): void {
    for (const name of this.#kept.keys()) this.forget(name);
  }
}
