/** The front's limits, each with its unit. `wallMsMax` is the operator's to set; the others are fixed. */
export interface FrontLimits {
  /** Request line and headers, bytes. workerd itself takes no more. */
  readonly headBytesMax: number;
  /** Header lines of one request. */
  readonly headerLinesMax: number;
  /** From the first byte of a head (or the accepting of a connection) to its last, ms. */
  readonly headMsMax: number;
  /** A kept connection without a request, ms. Longer than the 60 s of common load balancers. */
  readonly idleMsMax: number;
  /** Until the response's head, since the request came or since its body last moved, ms. */
  readonly wallMsMax: number;
  /** A client that takes nothing of what is written to it, ms. */
  readonly clientStallMsMax: number;
  /** How long a client may still send after its last answer before it is cut off, ms. */
  readonly lingerMsMax: number;
  /** A kept connection to an upstream, unused, ms. workerd closes after 15 s; this must be well below. */
  readonly upstreamIdleMsMax: number;
  /** Unused kept connections per upstream. */
  readonly upstreamIdleMax: number;
  /** Response head of an upstream, bytes. */
  readonly responseHeadBytesMax: number;
  /** Bytes of a connection kept aside (pipelined, or a body whose place is not known) before reading pauses. */
  readonly heldBytesMax: number;
  /**
   * Open connections. Beyond, each new one takes the place of the one that has waited longest without a request;
   * if all carry requests, it is closed at once.
   */
  readonly connectionsMax: number;
  /**
   * Open connections of one client address (of one /64 network with IPv6): a quarter, so that no single client has
   * them all. Beyond, new ones are closed at once. None for this machine's own: a reverse proxy's are everybody's.
   */
  readonly clientConnectionsMax: number;
  /** How often deadlines are looked at, ms: what a deadline may be late by. */
  readonly sweepMs: number;
  /** After a drain began, how long a kept connection has for one more request, ms. */
  readonly drainIdleMs: number;
}

export const FRONT_LIMITS: FrontLimits = {
  headBytesMax: 65_536,
  headerLinesMax: 256,
  headMsMax: 30_000,
  idleMsMax: 75_000,
  wallMsMax: 100_000,
  clientStallMsMax: 120_000,
  lingerMsMax: 2_000,
  upstreamIdleMsMax: 8_000,
  upstreamIdleMax: 256,
  responseHeadBytesMax: 131_072,
  heldBytesMax: 65_536,
  connectionsMax: 16_384,
  clientConnectionsMax: 4_096,
  sweepMs: 250,
  drainIdleMs: 1_000,
};
