/**
 * All connections of a front, and how many there may be. Those that carry no request stand in lines by what they
 * wait for, so that finding the one that makes room for a new one costs the same however many there are.
 */
import type { FrontLimits } from "./front-limits.ts";

/** Kept after an answer; nothing of a next request is here. */
export const IDLE = 0;
/** Accepted, or with the beginning of a head. */
export const HEAD = 1;
/** Has its last answer, and is not closed by the client yet. */
export const PARTING = 2;

/** What a connection without a request waits for. */
export type Waiting = typeof IDLE | typeof HEAD | typeof PARTING;

/** Looks at connections whose last answer the client has not taken yet, for one new connection. */
const LOOKS_MAX = 16;

export interface OpenConnection {
  /** Whose it is (client-address.ts); null: this machine's, which are not counted. */
  readonly client: string | null;
  /** Nothing that was answered is still to be written: it may be closed without harm. */
  readonly written: boolean;
  /** Closes it now, though its client has done nothing wrong. */
  makeRoom(): void;
}

export type Admission =
  | "admitted"
  /** Another connection was closed for it. */
  | "room made"
  /** All connections carry requests. */
  | "full"
  /** This client has as many as one may have. */
  | "client full";

export class OpenConnections<Connection extends OpenConnection> {
  readonly #limits: FrontLimits;
  readonly #all = new Set<Connection>();
  /** By `Waiting`; in each, the one that has waited longest is first. */
  readonly #lines = [new Set<Connection>(), new Set<Connection>(), new Set<Connection>()] as const;
  /** Connections by client; none for this machine's own. */
  readonly #counts = new Map<string, number>();
  onEmpty: (() => void) | null = null;

  constructor(limits: FrontLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all[Symbol.iterator]();
  }

  /** Whether there is room for one more; "admitted" and "room made" are to be followed by `opened`. */
  admit(client: string | null): Admission {
    const { connectionsMax, clientConnectionsMax } = this.#limits;
    if (client !== null && (this.#counts.get(client) ?? 0) >= clientConnectionsMax) {
      return "client full";
    }
    if (this.#all.size < connectionsMax) return "admitted";
    const leaving = this.#longestWaiting();
    if (leaving === null) return "full";
    this.closed(leaving);
    leaving.makeRoom();
    return "room made";
  }

  opened(connection: Connection): void {
    const { client } = connection;
    this.#all.add(connection);
    if (client !== null) this.#counts.set(client, (this.#counts.get(client) ?? 0) + 1);
  }

  /** It carries no request, and has not since now, or since it was last said of the same waiting. */
  waits(connection: Connection, what: Waiting): void {
    if (!this.#all.has(connection) || this.#lines[what].has(connection)) return;
    this.works(connection);
    this.#lines[what].add(connection);
  }

  /** It carries a request, or is about to be closed. */
  works(connection: Connection): void {
    for (const line of this.#lines) if (line.delete(connection)) return;
  }

  /** Makes no difference the second time. */
  closed(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    this.works(connection);
    const { client } = connection;
    if (client !== null) {
      const left = (this.#counts.get(client) ?? 1) - 1;
      if (left > 0) this.#counts.set(client, left);
      else this.#counts.delete(client);
    }
    if (this.#all.size === 0) this.onEmpty?.();
  }

  #longestWaiting(): Connection | null {
    let looks = 0;
    for (const line of this.#lines) {
      for (const connection of line) {
        if (connection.written) return connection;
        // To the end of its line: the next newcomer need not look at it again.
        line.delete(connection);
        line.add(connection);
        if (++looks >= LOOKS_MAX) break;
      }
      looks = 0;
    }
    return null;
  }
}
