/** The client's connection as the request that it carries sees it. */
import type { Socket } from "node:net";
import type { ClientLines } from "./client-lines.ts";
import type { FrontLimits } from "./front-limits.ts";
import type { HostNames } from "./host-name.ts";
import type { OwnAnswer, Switchyard } from "./switchyard.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What all connections of a front share. */
export interface FrontContext {
  readonly switchyard: Switchyard;
  readonly limits: FrontLimits;
  readonly pool: UpstreamPool;
  readonly hosts: HostNames;
  readonly now: () => number;
  readonly newId: () => string;
  draining: boolean;
  /** While it drains: how long a kept connection has for one more request, ms. */
  drainIdleMs: number;
}

/** Whose turn it is on a connection: a request, or the tunnel that it became. */
export interface ClientOwner {
  clientData(chunk: Buffer): void;
  clientDrained(): void;
  clientEnded(): void;
  clientGone(): void;
  /** The deadline that it set has passed. */
  clientOverdue(): void;
}

export interface ClientSide {
  readonly socket: Socket;
  readonly context: FrontContext;
  /** What is added to each of its requests. */
  readonly lines: ClientLines;
  /** When the owner, or the waiting for a request, has lasted too long; 0: never. */
  deadline: number;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  /** False: wait for `clientDrained` before writing more. */
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Keeps bytes for later; the client is not read while they are many. */
  hold(bytes: Buffer): void;
  takeHeld(): Buffer | null;
  /** The tunnel takes over from the request that became it. */
  handTo(owner: ClientOwner): void;
  /** The request is over; `keep`: the connection may carry another. */
  done(keep: boolean): void;
  /** Writes an answer of the front's own, which ends the request. */
  answer(answer: OwnAnswer, toHead: boolean, keep: boolean): void;
  /** Cuts the connection: the client sees that its answer is not complete. */
  destroy(): void;
}
