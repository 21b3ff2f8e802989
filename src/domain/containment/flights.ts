/**
 * What one gateway has in hand, by host: whose request may be why it stalls or dies. A request that the client
 * gave up stays a possible cause until the gateway has proved alive since; one that ended well, for LINGER_MS in
 * the wide sense, because a version may go on after its response. Called for every request: no allocation where
 * the host is known.
 */
import { FLIGHT_HOSTS_MAX, LINGER_MS } from "../limits.ts";

/** How a request's exchange with its gateway ended, as the front saw it. */
export type FlightEnd =
  /** The response was passed on whole. */
  | "complete"
  /** The response's head had come; either side broke off before its end. */
  | "cut"
  /** Over without a response's head: the client left, or waited too long, or the gateway hung up. */
  | "unanswered";

const NEVER = Number.NEGATIVE_INFINITY;

interface HostFlights {
  inFlight: number;
  unanswered: number;
  sentAt: number;
  answeredAt: number;
  /** When a request was last broken off. */
  brokenAt: number;
  endedAt: number;
}

/** Hosts that may be why a gateway was lost, the likelier ones apart. Both may be empty; they share no host. */
export interface PossibleCauses {
  readonly prime: readonly string[];
  readonly others: readonly string[];
}

export class Flights {
  readonly #hosts = new Map<string, HostFlights>();
  #unanswered = 0;
  /** When the last liveness probe that was answered had been sent. */
  #provenAt = -Number.MAX_VALUE;

  /** Requests without a response's head: what makes this gateway busy. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Hosts remembered. */
  get size(): number {
    return this.#hosts.size;
  }

  sent(host: string, now: number): void {
    let flights = this.#hosts.get(host);
    if (!flights) {
      const never = { sentAt: NEVER, answeredAt: NEVER, brokenAt: NEVER, endedAt: NEVER };
      this.#hosts.set(host, (flights = { inFlight: 0, unanswered: 0, ...never }));
    }
    flights.inFlight++;
    flights.unanswered++;
    flights.sentAt = now;
    this.#unanswered++;
  }

  answered(host: string, now: number): void {
    const flights = this.#hosts.get(host);
    if (!flights || flights.unanswered === 0) return;
    flights.unanswered--;
    flights.answeredAt = now;
    this.#unanswered--;
  }

  ended(host: string, end: FlightEnd, now: number): void {
    const flights = this.#hosts.get(host);
    if (!flights || flights.inFlight === 0) return;
    flights.inFlight--;
    flights.endedAt = now;
    if (end !== "complete") flights.brokenAt = now;
    if (end !== "unanswered" || flights.unanswered === 0) return;
    flights.unanswered--;
    this.#unanswered--;
  }

  /** A liveness probe that was sent at `sentAt` has been answered. */
  alive(sentAt: number): void {
    this.#provenAt = Math.max(this.#provenAt, sentAt);
  }

  unansweredOf(host: string): number {
    return this.#hosts.get(host)?.unanswered ?? 0;
  }

  answeredAt(host: string): number {
    return this.#hosts.get(host)?.answeredAt ?? NEVER;
  }

  /** True while a request of this host may be what holds the gateway up. */
  mayHold(host: string): boolean {
    const flights = this.#hosts.get(host);
    return flights !== undefined && (flights.inFlight > 0 || flights.brokenAt >= this.#provenAt);
  }

  /**
   * Who may be why this gateway is lost. Prime are those with a request that came, or was broken off, since the
   * gateway last proved alive; or, if there is none, those with a request in flight. If there is none either, all
   * whose requests have ended well within LINGER_MS: a timer may have run since. `wide`: these in any case.
   */
  possibleCauses(now: number, wide: boolean): PossibleCauses {
    const fresh: string[] = [];
    const older: string[] = [];
    const ended: string[] = [];
    for (const [host, flights] of this.#hosts) {
      const broken = flights.brokenAt >= this.#provenAt;
      if (broken || (flights.inFlight > 0 && flights.sentAt >= this.#provenAt)) fresh.push(host);
      else if (flights.inFlight > 0) older.push(host);
      else if (now - flights.endedAt <= LINGER_MS) ended.push(host);
    }
    const lingering = wide ? ended : [];
    if (fresh.length > 0) return { prime: fresh, others: [...older, ...lingering] };
    if (older.length > 0) return { prime: older, others: lingering };
    return { prime: ended, others: [] };
  }

  /** Forgets hosts that no longer matter; with too many, also those that might. Call about once a second. */
  tick(now: number): void {
    for (const [host, flights] of this.#hosts) {
      if (flights.inFlight > 0 || flights.brokenAt >= this.#provenAt) continue;
      if (now - flights.endedAt > LINGER_MS || this.#hosts.size > FLIGHT_HOSTS_MAX) {
        this.#hosts.delete(host);
      }
    }
  }
}
