/** What the front asks of whoever knows the gateways: where a request goes, and what to say when it cannot. */
import type { FlightEnd } from "../../domain/containment/flights.ts";
import type { RequestHead } from "./request-head.ts";

export type { FlightEnd };

/** A process that answers: its name is never used again for another process. */
export interface Upstream {
  readonly name: string;
  readonly socketPath: string;
}

/** A request at the front. */
export interface Flight {
  readonly id: string;
  /** Canonical: lower case, no port, no trailing dot; IPv6 in brackets. */
  readonly host: string;
  readonly method: string;
  /** Path and query as they were sent, each byte one character. */
  readonly path: string;
  /** GET, HEAD or OPTIONS without a body: may be sent again as long as nothing was answered. */
  readonly replayable: boolean;
  /** Milliseconds of the front's clock. */
  readonly startedAt: number;
  /** How often it has been given to an upstream so far. */
  readonly tries: number;
}

/** An answer of the front's own; `content-length` and `connection` are the front's to add. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Called on the hot path. None of these may throw or reject.
 * For every upstream that `place` gave, `ended` is called exactly once.
 */
export interface Switchyard {
  /**
   * Where the request goes now, or later (the promise), or what to answer instead.
   * `signal` fires when the client has gone. It belongs to the connection, not to this request:
   * whoever listens must stop listening once the promise is settled.
   */
  place(flight: Flight, signal: AbortSignal): Upstream | OwnAnswer | Promise<Upstream | OwnAnswer>;
  /**
   * The connection to the upstream failed before the response's head was complete. May wait (for the
   * watchdog's word). `sentSome`: the upstream may have seen some of the request. "again" is for
   * requests that are replayable or of which nothing was sent; others are answered with a 502.
   */
  lost(flight: Flight, upstream: Upstream, sentSome: boolean): Promise<"again" | OwnAnswer>;
  /** The response's head has arrived. Not for interim (1xx) responses, except 101. */
  answered(flight: Flight, upstream: Upstream, status: number): void;
  /** The exchange with this upstream is over, however it went. */
  ended(flight: Flight, upstream: Upstream, end: FlightEnd): void;
  /**
   * No response head within the time allowed. The connection to the upstream is given up; null: the request was
   * still to be placed.
   */
  overdue(flight: Flight, upstream: Upstream | null): OwnAnswer;
  /** The front refuses the request: 400, 408, 431, 501, 505; or 502 where an upstream is of no use. */
  refused(status: number, reason: string): OwnAnswer;
  /** Answered by the supervisor itself (/metrics or /readyz of the control host), or null: it travels. */
  own(flight: Flight, head: RequestHead): Promise<OwnAnswer> | null;
}
