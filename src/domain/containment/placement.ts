/**
 * Which gateway process a request goes to. A host stays in one process while that is enough; nothing new goes to
 * one that stalls, and a host that may be why it stalls goes nowhere until that is known; a suspect host is served
 * by its quarantine process and by no other. The shell reports what happens to gateways and requests; `now` is in
 * milliseconds and never goes back. Called for every request: look-ups, and no allocation where the host is known.
 */
import {
  BREAKER_WINDOW_MS,
  LINGER_MS,
  PLACED_HOSTS_MAX,
  POOL_LOSSES_WIDEN,
  SPREAD_ANSWER_MS_MAX,
  SPREAD_REQUESTS_MIN,
} from "../limits.ts";
import { type FlightEnd, Flights } from "./flights.ts";
import { affinity, hashOf } from "./home.ts";
import { Quarantine, type WantedGroup } from "./quarantine.ts";

interface Gateway {
  readonly name: string;
  /** Its place in the pool, from 0; null: a quarantine gateway. */
  readonly slot: number | null;
  /** The group that a quarantine gateway serves; null: of the pool. */
  readonly group: number | null;
  draining: boolean;
  stalled: boolean;
  readonly flights: Flights;
}

interface Placed {
  readonly hash: number;
  home: Gateway | null;
  poolRevision: number;
}

export class Placement {
  readonly #quarantine: Quarantine;
  readonly #gateways = new Map<string, Gateway>();
  /** Those of the pool that are up, also while they stall. */
  #pool: readonly Gateway[] = [];
  readonly #byGroup = new Map<number, Gateway>();
  readonly #hosts = new Map<string, Placed>();
  readonly #stalled = new Set<Gateway>();
  #poolRevision = 0;
  #revision = 0;
  /** When the last POOL_LOSSES_WIDEN gateways of the pool were lost. */
  #poolLosses: number[] = [];

  /**
   * Whether a host that is much asked for may be served by more gateways than its own. Not while the control plane
   * is silent: a gateway that never served the host could not learn what is current.
   */
  spreads = true;

  /** `quarantineMax`: processes for suspects, at least 1. */
  constructor(quarantineMax?: number) {
    this.#quarantine = new Quarantine(quarantineMax);
  }

  /** Grows whenever a host that had to wait might be placed: then place those that wait again. */
  get revision(): number {
    return this.#revision;
  }

  /** How many hosts are suspects now. */
  get suspects(): number {
    return this.#quarantine.size;
  }

  /** How many hosts are remembered, in all tables together: bounded. */
  get remembered(): number {
    let hosts = this.#hosts.size + this.#quarantine.remembered;
    for (const gateway of this.#gateways.values()) hosts += gateway.flights.size;
    return hosts;
  }

  /** The quarantine groups that need a process now. Changes only by `lost` and `tick`. */
  wanted(): readonly WantedGroup[] {
    return this.#quarantine.wanted();
  }

  groupOf(host: string): number | null {
    return this.#quarantine.groupOf(host);
  }

  /**
   * True after so many losses in the pool that quarantine does not explain them: visitors under ever new hosts,
   * say. Gateways of the pool that are started meanwhile should announce their dispatches too.
   */
  poolAnnounces(now: number): boolean {
    return this.#recentPoolLosses(now, BREAKER_WINDOW_MS) >= POOL_LOSSES_WIDEN;
  }

  /** A gateway of the pool answers for the first time. Names are never used again. */
  upInPool(name: string): void {
    const slots = new Set(this.#pool.map(({ slot }) => slot));
    let slot = 0;
    while (slots.has(slot)) slot++;
    this.#up(name, slot, null);
  }

  /** A quarantine gateway answers for the first time. If its group is wanted no more, nothing is placed there. */
  upInQuarantine(name: string, group: number): void {
    this.#up(name, null, group);
  }

  /** Nothing new goes there; what it has in hand goes on. */
  draining(name: string): void {
    const gateway = this.#gateways.get(name);
    if (!gateway) return;
    gateway.draining = true;
    this.#changed();
  }

  /** Whether its liveness probe is out for too long. */
  stalled(name: string, isStalled: boolean): void {
    const gateway = this.#gateways.get(name);
    if (!gateway || gateway.stalled === isStalled) return;
    gateway.stalled = isStalled;
    if (isStalled) this.#stalled.add(gateway);
    else this.#stalled.delete(gateway);
    this.#revision++;
  }

  /** A liveness probe that was sent at `sentAt` has been answered. */
  alive(name: string, sentAt: number): void {
    this.#gateways.get(name)?.flights.alive(sentAt);
  }

  /** It was ended on purpose, after it had drained: nobody is suspected. */
  gone(name: string): void {
    const gateway = this.#gateways.get(name);
    if (!gateway) return;
    this.#gateways.delete(name);
    this.#stalled.delete(gateway);
    this.#changed();
  }

  /**
   * It was killed by the watchdog or died. Returns the groups that are wanted now: end the processes of others,
   * start those that are missing.
   */
  lost(name: string, now: number): readonly WantedGroup[] {
    const gateway = this.#gateways.get(name);
    if (!gateway) return this.wanted();
    const inPool = gateway.group === null;
    if (inPool) this.#poolLosses = [...this.#poolLosses, now].slice(-POOL_LOSSES_WIDEN);
    // What drains has ever fewer in hand: those that have left it may be the cause as well.
    const wide =
      !inPool || gateway.draining || this.#recentPoolLosses(now, LINGER_MS) >= POOL_LOSSES_WIDEN;
    this.#quarantine.lost(gateway.group, gateway.flights.possibleCauses(now, wide), now);
    this.gone(name);
    return this.wanted();
  }

  /**
   * A gateway of the pool that has filled its memory too soon and is about to drain: whoever it has served lately may
   * be why, and the next one is not to be filled too. Returns the groups wanted now.
   */
  swollen(name: string, now: number): readonly WantedGroup[] {
    const gateway = this.#gateways.get(name);
    if (gateway?.group === null) {
      this.#quarantine.lost(null, gateway.flights.possibleCauses(now, true), now);
      this.#revision++;
    }
    return this.wanted();
  }

  /** Clears suspects, forgets what no longer matters. Call about once a second; returns the groups wanted now. */
  tick(now: number): readonly WantedGroup[] {
    const { size } = this.#quarantine;
    this.#quarantine.tick(now);
    if (this.#quarantine.size !== size) this.#revision++;
    for (const gateway of this.#gateways.values()) gateway.flights.tick(now);
    return this.wanted();
  }

  /** The name of the gateway that takes a request of this host; null: it has to wait, see `revision`. */
  place(host: string, now: number): string | null {
    if (this.#stalled.size > 0 && this.#mayHoldOne(host)) return null;
    const group = this.#quarantine.groupOf(host);
    if (group !== null) {
      const apart = this.#byGroup.get(group);
      return apart && !apart.draining && !apart.stalled ? apart.name : null;
    }
    const placed = this.#placedHost(host);
    const home = placed.home?.stalled ? this.#homeOf(placed.hash, true) : placed.home;
    if (home === null) return null;
    if (
      !this.spreads ||
      home.flights.unansweredOf(host) < SPREAD_REQUESTS_MIN ||
      now - home.flights.answeredAt(host) > SPREAD_ANSWER_MS_MAX
    ) {
      return home.name;
    }
    return this.#leastLoaded(home).name;
  }

  /** A request of the host is on its way to the gateway that `place` named. */
  sent(host: string, gateway: string, now: number): void {
    this.#gateways.get(gateway)?.flights.sent(host, now);
  }

  /** The response's head has come. */
  answered(host: string, gateway: string, now: number): void {
    this.#gateways.get(gateway)?.flights.answered(host, now);
  }

  /** The exchange is over: exactly once for each `sent`. Of no effect if the gateway has gone before. */
  ended(host: string, gateway: string, end: FlightEnd, now: number): void {
    this.#gateways.get(gateway)?.flights.ended(host, end, now);
  }

  #up(name: string, slot: number | null, group: number | null): void {
    const flights = new Flights();
    this.#gateways.set(name, { name, slot, group, draining: false, stalled: false, flights });
    this.#changed();
  }

  #changed(): void {
    const all = [...this.#gateways.values()];
    this.#pool = all.filter(({ slot, draining }) => slot !== null && !draining);
    this.#byGroup.clear();
    for (const gateway of all) {
      if (gateway.group !== null && !gateway.draining) {
        this.#byGroup.set(gateway.group, gateway);
      }
    }
    this.#poolRevision++;
    this.#revision++;
  }

  /** Of the last POOL_LOSSES_WIDEN, those within so many milliseconds. */
  #recentPoolLosses(now: number, ms: number): number {
    return this.#poolLosses.filter((at) => now - at <= ms).length;
  }

  #mayHoldOne(host: string): boolean {
    for (const gateway of this.#stalled) if (gateway.flights.mayHold(host)) return true;
    return false;
  }

  #placedHost(host: string): Placed {
    let placed = this.#hosts.get(host);
    if (!placed) {
      placed = { hash: hashOf(host), home: null, poolRevision: -1 };
      if (this.#hosts.size >= PLACED_HOSTS_MAX) {
        for (const oldest of this.#hosts.keys()) {
          this.#hosts.delete(oldest);
          break;
        }
      }
      this.#hosts.set(host, placed);
    }
    if (placed.poolRevision !== this.#poolRevision) {
      placed.home = this.#homeOf(placed.hash, false);
      placed.poolRevision = this.#poolRevision;
    }
    return placed;
  }

  #homeOf(hash: number, answeringOnly: boolean): Gateway | null {
    let home: Gateway | null = null;
    let best = -1;
    for (const gateway of this.#pool) {
      if (gateway.slot === null || (answeringOnly && gateway.stalled)) continue;
      const much = affinity(hash, gateway.slot);
      if (much <= best) continue;
      best = much;
      home = gateway;
    }
    return home;
  }

  #leastLoaded(home: Gateway): Gateway {
    let least = home;
    for (const gateway of this.#pool) {
      if (!gateway.stalled && gateway.flights.unanswered < least.flights.unanswered)
        least = gateway;
    }
    return least;
  }
}
