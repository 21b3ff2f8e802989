/** Where each request goes: the API to the control process, everything else to the gateway that is its place. */
import type { Placement } from "../domain/containment/placement.ts";
import type { FlightEnd } from "../domain/containment/flights.ts";
import { EVENT_HOST_PREFIX } from "../domain/event.ts";
import {
  API_HOLD_MS_MAX,
  FLIGHT_TRIES_MAX,
  GONE_MS_MAX,
  HELD_REQUESTS_MAX,
  VISITOR_HOLD_MS_MAX,
} from "../domain/limits.ts";
import type { RequestHead } from "./front/request-head.ts";
import type { Flight, OwnAnswer, Switchyard, Upstream } from "./front/switchyard.ts";
import { controlAway, malformed, outcomeUnknown, visitorPage } from "./own-answers.ts";

/** The supervisor's own answer, or null: the control process has it. */
export type OwnRoute = (head: RequestHead, flight: Flight) => Promise<OwnAnswer> | null;

export interface TrafficParts {
  readonly placement: Placement;
  readonly controlHosts: ReadonlySet<string>;
  /** What the supervisor answers itself on the control hosts, by path. */
  readonly ownRoutes: ReadonlyMap<string, OwnRoute>;
  /** A gateway, by its name, has answered a visitor. */
  readonly onAnswered: (gateway: string) => void;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** Gateways are named g1, g2, …; the upstreams of the API begin with this. */
export const CONTROL_NAME = "control";

/** A request that cannot be placed yet. */
interface Held {
  readonly flight: Flight;
  readonly settle: (placed: Upstream | OwnAnswer) => void;
}

export class Traffic implements Switchyard {
  readonly #parts: TrafficParts;
  readonly #gateways = new Map<string, Upstream>();
  /** Requests at each process: on their way, answered in part, or a WebSocket. */
  readonly #inFlight = new Map<string, number>();
  readonly #idleListeners = new Map<string, () => void>();
  readonly #visitors = new Set<Held>();
  readonly #clients = new Set<Held>();
  /** Who waits to hear that a gateway has ended. */
  readonly #goneListeners = new Map<string, Set<() => void>>();
  #control: Upstream | null = null;
  #placedRevision = 0;
  /** Answers of processes, by the first digit of their status. */
  readonly answers = {
    api: [0, 0, 0, 0, 0, 0],
    visitors: [0, 0, 0, 0, 0, 0],
    events: [0, 0, 0, 0, 0, 0],
  };
  readonly counts = { held: 0, lost: 0, again: 0, overdue: 0, refused: 0, unavailable: 0 };

  constructor(parts: TrafficParts) {
    this.#parts = parts;
  }

  /** Requests that wait for a process now. */
  get holding(): number {
    return this.#visitors.size + this.#clients.size;
  }

  /** Where the API answers; null: nowhere just now, so its requests wait. */
  setControl(control: Upstream | null): void {
    const before = this.#control;
    this.#control = control;
    if (before !== null && before.name !== control?.name) this.#tellGone(before.name);
    if (control === null) return;
    for (const held of this.#clients) held.settle(this.#count(control));
  }

  addGateway(gateway: Upstream): void {
    this.#gateways.set(gateway.name, gateway);
  }

  /** Resolves when no request of the API is under way any more, or after `msMax`. Call it when none goes there. */
  async apiIdle(msMax: number): Promise<void> {
    const names = [...this.#inFlight.keys()].filter((name) => name.startsWith(CONTROL_NAME));
    await Promise.all(names.map((name) => this.idle(name, msMax)));
  }

  /** Resolves when no request is left at a process that gets no new ones, or after `msMax`. */
  async idle(name: string, msMax: number): Promise<void> {
    if (!this.#inFlight.has(name)) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, msMax);
      this.#idleListeners.set(name, () => {
        clearTimeout(timer);
        done();
      });
    });
    this.#idleListeners.delete(name);
  }

  removeGateway(name: string): void {
    this.#gateways.delete(name);
    this.#tellGone(name);
  }

  /** Places those that wait, if anything has changed that may let them go. */
  placeHeld(): void {
    const { placement, now } = this.#parts;
    if (placement.revision === this.#placedRevision) return;
    this.#placedRevision = placement.revision;
    for (const held of this.#visitors) {
      const name = placement.place(held.flight.host, now());
      if (name !== null) held.settle(this.#send(held.flight, name));
    }
  }

  place(flight: Flight, signal: AbortSignal): Upstream | OwnAnswer | Promise<Upstream | OwnAnswer> {
    const { controlHosts, placement, now } = this.#parts;
    if (controlHosts.has(flight.host)) {
      if (this.#control !== null) return this.#count(this.#control);
      return this.#hold(this.#clients, flight, signal, API_HOLD_MS_MAX, () => {
        this.counts.unavailable++;
        return controlAway(flight);
      });
    }
    const name = placement.place(flight.host, now());
    if (name !== null) return this.#send(flight, name);
    return this.#hold(this.#visitors, flight, signal, VISITOR_HOLD_MS_MAX, () => {
      this.counts.unavailable++;
      return visitorPage("gateways_unavailable", flight.id);
    });
  }

  async lost(flight: Flight, upstream: Upstream, sentSome: boolean): Promise<"again" | OwnAnswer> {
    const isApi = this.#isControl(upstream);
    // Until it is known who is to blame, and that this process is the one to avoid.
    await this.#gone(upstream.name);
    const mayGoAgain = (!sentSome || flight.replayable) && flight.tries < FLIGHT_TRIES_MAX;
    if (mayGoAgain) {
      this.counts.again++;
      return "again";
    }
    this.counts.lost++;
    if (isApi) return sentSome && !flight.replayable ? outcomeUnknown(flight) : controlAway(flight);
    return visitorPage("gateway_lost", flight.id);
  }

  answered(flight: Flight, upstream: Upstream, status: number): void {
    const isApi = this.#isControl(upstream);
    const answers = isApi ? this.answers.api : this.#answersOf(flight);
    const hundreds = Math.min(5, Math.floor(status / 100));
    answers[hundreds] = (answers[hundreds] ?? 0) + 1;
    if (isApi) return;
    this.#parts.placement.answered(flight.host, upstream.name, this.#parts.now());
    this.#parts.onAnswered(upstream.name);
  }

  ended(flight: Flight, upstream: Upstream, end: FlightEnd): void {
    const { name } = upstream;
    if (!this.#isControl(upstream)) {
      this.#parts.placement.ended(flight.host, name, end, this.#parts.now());
    }
    const left = (this.#inFlight.get(name) ?? 1) - 1;
    if (left > 0) return void this.#inFlight.set(name, left);
    this.#inFlight.delete(name);
    this.#idleListeners.get(name)?.();
  }

  overdue(flight: Flight, upstream: Upstream | null): OwnAnswer {
    this.counts.overdue++;
    if (upstream === null) {
      return this.#parts.controlHosts.has(flight.host)
        ? controlAway(flight)
        : visitorPage("gateways_unavailable", flight.id);
    }
    return this.#isControl(upstream)
      ? outcomeUnknown(flight)
      : visitorPage("wall_time_exceeded", flight.id);
  }

  refused(status: number, reason: string): OwnAnswer {
    this.counts.refused++;
    return malformed(status, reason, this.#parts.newId());
  }

  own(flight: Flight, head: RequestHead): Promise<OwnAnswer> | null {
    const { controlHosts, ownRoutes } = this.#parts;
    // Every visitor's request comes by here: its path is of no interest.
    if (!controlHosts.has(flight.host)) return null;
    return ownRoutes.get(flight.path.split("?", 1)[0] ?? "")?.(head, flight) ?? null;
  }

  #answersOf({ host }: Flight): number[] {
    return host.startsWith(EVENT_HOST_PREFIX) ? this.answers.events : this.answers.visitors;
  }

  #isControl(upstream: Upstream): boolean {
    return upstream.name.startsWith(CONTROL_NAME);
  }

  #count(upstream: Upstream): Upstream {
    this.#inFlight.set(upstream.name, (this.#inFlight.get(upstream.name) ?? 0) + 1);
    return upstream;
  }

  #send(flight: Flight, name: string): Upstream {
    const upstream = this.#gateways.get(name);
    if (upstream === undefined) throw new Error(`gateway ${name} is placed but not known`);
    this.#parts.placement.sent(flight.host, name, this.#parts.now());
    return this.#count(upstream);
  }

  #hold(
    waiting: Set<Held>,
    flight: Flight,
    signal: AbortSignal,
    msMax: number,
    givenUp: () => OwnAnswer,
  ): OwnAnswer | Promise<Upstream | OwnAnswer> {
    this.counts.held++;
    if (waiting.size >= HELD_REQUESTS_MAX) return givenUp();
    return new Promise((done) => {
      const settle = (placed: Upstream | OwnAnswer) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        waiting.delete(held);
        done(placed);
      };
      const held: Held = { flight, settle };
      const leave = () => settle(givenUp());
      const timer = setTimeout(leave, msMax);
      signal.addEventListener("abort", leave, { once: true });
      waiting.add(held);
    });
  }

  #tellGone(name: string): void {
    for (const listener of this.#goneListeners.get(name) ?? []) listener();
    this.#goneListeners.delete(name);
  }

  /** The process has ended, or does not seem to end. */
  #gone(name: string): Promise<void> {
    if (!this.#gateways.has(name) && this.#control?.name !== name) return Promise.resolve();
    return new Promise((done) => {
      const listeners = this.#goneListeners.get(name) ?? new Set();
      this.#goneListeners.set(name, listeners);
      const listener = () => {
        clearTimeout(timer);
        listeners.delete(listener);
        done();
      };
      const timer = setTimeout(listener, GONE_MS_MAX);
      listeners.add(listener);
    });
  }
}
