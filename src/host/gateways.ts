/**
 * The gateway processes of a host, by the places that they fill: N of the pool, one for trials, and one for each
 * group of suspects. A place whose process ends gets a new one at once; a process that is to be replaced gets its
 * successor first.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CATCH_UP_MS_MAX,
  GATEWAY_RESTART_MS_MAX,
  GATEWAY_START_MS_MAX,
  HOG_PROOF_MS,
  HOG_RETRIAL_MS,
  HOG_WINDOW_MS,
  RUNTIME_START_TRIES_MAX,
} from "../domain/limits.ts";
import type { StopReason } from "../domain/breaker.ts";
import { comesUp } from "./comes-up.ts";
import { GatewayProcess, type GatewayKind, type GatewayProcessParts } from "./gateway-process.ts";
import { HostError, reasonOf } from "./host-error.ts";
import type { Log } from "./log.ts";

export interface GatewaysParts {
  readonly processParts: (
    name: string,
    kind: GatewayKind,
  ) => Pick<
    GatewayProcessParts,
    "runDirectory" | "config" | "internalSocketPath" | "onLog" | "onSuppressed"
  >;
  readonly onSpawn: (pid: number) => void;
  readonly onExit: (pid: number) => void;
  /** It answers and can be given requests. `group`: of suspects. */
  readonly onUp: (gateway: GatewayProcess, group: number | null) => void;
  /** Another one serves in the place of one that was lost. */
  readonly onReplaced: (lost: GatewayProcess) => void;
  /** It gets nothing new from now on; what it has goes on. */
  readonly onDraining: (gateway: GatewayProcess) => void;
  /** Resolves when it has nothing in hand any more, or after `msMax`. */
  readonly idle: (gateway: GatewayProcess, msMax: number) => Promise<void>;
  /** Whether it has kept everybody waiting for most of the last `ms`. */
  readonly hogs: (gateway: GatewayProcess, ms: number) => boolean;
  /** It has ended; nobody wanted it to if there is a cause. */
  readonly onGone: (gateway: GatewayProcess, cause: StopReason | null) => void;
  readonly log: Log;
  readonly drainMs: number;
}

/** A place for one process at a time. */
interface Place {
  readonly kind: GatewayKind;
  readonly group: number | null;
  current: GatewayProcess | null;
  /** What was lost here and has no successor yet. */
  lost: GatewayProcess | null;
  wanted: boolean;
  replacing: Promise<void> | null;
  /** A successor is on its way while the process in place goes on. */
  successorStarts: boolean;
  /** When one of it was last replaced because it was hogged, and nobody was found to blame; in milliseconds. */
  acquittedAt: number;
}

/** How long a gateway may take to say that it closes its WebSockets, in milliseconds; a blocked one never says it. */
const DRAIN_ASK_MS_MAX = 1_000;
/** How long work that goes on behind the last answer may take, in milliseconds. */
const LAST_WORK_MS_MAX = 2_000;
/** The first pause after a process that ended while it started, in milliseconds; doubled each time. */
const RESTART_MS_MIN = 50;

export class Gateways {
  readonly #parts: GatewaysParts;
  readonly #places = new Set<Place>();
  /** Every process that has not ended yet. */
  readonly #alive = new Set<GatewayProcess>();
  readonly #causes = new Map<GatewayProcess, StopReason>();
  readonly #leaving = new Set<GatewayProcess>();
  /** Those that went on without visitors. */
  readonly #guilty = new WeakSet<GatewayProcess>();
  #names = 0;
  #starts = 0;
  #stopping = false;

  constructor(parts: GatewaysParts) {
    this.#parts = parts;
  }

  /** All that have not ended, those that are starting or draining too. */
  get alive(): ReadonlySet<GatewayProcess> {
    return this.#alive;
  }

  /** How many processes have been started so far. */
  get starts(): number {
    return this.#starts;
  }

  /** Resolves when it answers. Rejects with a HostError if it does not come up at all. */
  async open(kind: GatewayKind, group: number | null = null): Promise<void> {
    const place: Place = {
      kind,
      group,
      current: null,
      lost: null,
      wanted: true,
      replacing: null,
      successorStarts: false,
      acquittedAt: Number.NEGATIVE_INFINITY,
    };
    this.#places.add(place);
    await this.#fill(place, RUNTIME_START_TRIES_MAX);
  }

  /** Suspects' processes: one for each of these groups, no others. */
  setGroups(groups: ReadonlySet<number>): void {
    if (this.#stopping) return;
    const there = new Set<number>();
    for (const place of this.#places) {
      if (place.group === null) continue;
      if (groups.has(place.group)) there.add(place.group);
      else this.#close(place);
    }
    for (const group of groups) {
      if (!there.has(group)) void this.open("quarantine", group).catch(() => undefined);
    }
  }

  /** Ends it at once; its place is filled again. */
  kill(gateway: GatewayProcess, cause: StopReason): void {
    if (this.#causes.has(gateway)) return;
    this.#causes.set(gateway, cause);
    gateway.kill();
  }

  /** Starts a successor, then lets it finish what it has. Does nothing if that is under way. */
  async replace(gateway: GatewayProcess): Promise<void> {
    const place = [...this.#places].find(({ current }) => current === gateway);
    if (place === undefined) return;
    await (place.replacing ??= this.#replace(place, gateway).finally(() => {
      place.replacing = null;
    }));
  }

  /**
   * Code there keeps everybody waiting: the next serves its visitors, and if it goes on without any, it is lost as one
   * that is blocked. If it does not, that was work for visitors, and the place is left alone for a while.
   */
  async replaceHogged(gateway: GatewayProcess): Promise<void> {
    const place = [...this.#places].find(({ current }) => current === gateway);
    if (place === undefined || place.kind === "trial" || place.replacing !== null) return;
    if (performance.now() - place.acquittedAt < HOG_RETRIAL_MS) return;
    const { name, kind } = gateway;
    this.#parts.log.event("warn", "gateway hogged", { gateway: name, kind });
    await this.replace(gateway);
    if (!this.#alive.has(gateway) && !this.#guilty.delete(gateway)) {
      place.acquittedAt = performance.now();
    }
  }

  /** One after the other, so that all but one serve at any time. */
  async replaceAll(): Promise<void> {
    for (const place of this.#places) {
      if (place.current !== null && place.wanted) await this.replace(place.current);
    }
  }

  /** Everything that was acknowledged so far is known to all of them afterwards. */
  async catchUp(): Promise<void> {
    const all = [...this.#alive].filter(({ isUp, kind }) => isUp && kind !== "trial");
    await Promise.all(all.map((gateway) => gateway.ask("POST", "/catch-up", CATCH_UP_MS_MAX)));
  }

  /** Closes WebSockets with 1012, so that their clients come back elsewhere. Everything else goes on. */
  async closeWebSockets(): Promise<void> {
    const all = [...this.#alive].map((gateway) => gateway.ask("POST", "/drain", DRAIN_ASK_MS_MAX));
    await Promise.all(all);
  }

  /** Lets all finish what they have for up to `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const place of this.#places) place.wanted = false;
    await Promise.all([...this.#alive].map((gateway) => this.#retire(gateway, drainMs)));
  }

  async #fill(place: Place, triesMax = Infinity): Promise<void> {
    let pauseMs = RESTART_MS_MIN;
    for (let tries = 1; place.wanted && !this.#stopping; tries++) {
      if (await this.#bringUp(place)) return;
      if (!place.wanted || this.#stopping) return;
      if (tries >= triesMax) {
        this.#close(place);
        throw new HostError(
          `A gateway process (${place.kind}) could not be started; the log has the reason.`,
        );
      }
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, GATEWAY_RESTART_MS_MAX);
    }
  }

  /** Whether a new process has taken the place. */
  async #bringUp(place: Place): Promise<boolean> {
    const gateway = this.#spawn(place);
    if (gateway === null) return false;
    if (
      (await comesUp(gateway, performance.now() + GATEWAY_START_MS_MAX, GATEWAY_START_MS_MAX)) &&
      place.wanted &&
      !this.#stopping
    ) {
      gateway.isUp = true;
      place.current = gateway;
      this.#parts.onUp(gateway, place.group);
      if (place.lost !== null) this.#parts.onReplaced(place.lost);
      place.lost = null;
      return true;
    }
    // If it has ended meanwhile, this says why; if not, it is of no use.
    gateway.kill();
    const { name, kind } = gateway;
    const reason = await gateway.ended;
    if (place.wanted && !this.#stopping) {
      this.#parts.log.event("error", "gateway did not start", { gateway: name, kind, reason });
    }
    return false;
  }

  /** Null if there cannot be one now, as on a full disk: that is no reason to end those that serve. */
  #spawn(place: Place): GatewayProcess | null {
    const name = `g${(this.#names += 1)}`;
    const { kind } = place;
    let gateway: GatewayProcess;
    try {
      gateway = new GatewayProcess({
        ...this.#parts.processParts(name, kind),
        name,
        kind,
        onSpawn: this.#parts.onSpawn,
        onExit: this.#parts.onExit,
      });
    } catch (error) {
      const reason = reasonOf(error);
      this.#parts.log.event("error", "gateway did not start", { gateway: name, kind, reason });
      return null;
    }
    this.#starts++;
    this.#alive.add(gateway);
    void gateway.ended.then((reason) => this.#ended(place, gateway, reason));
    return gateway;
  }

  #ended(place: Place, gateway: GatewayProcess, reason: string): void {
    this.#alive.delete(gateway);
    const expected = this.#leaving.delete(gateway) || this.#stopping;
    // One that was killed while it drained was killed for a reason all the same.
    const cause = this.#causes.get(gateway) ?? (expected ? null : "crashed");
    this.#causes.delete(gateway);
    const { name, kind } = gateway;
    if (cause !== null) {
      this.#parts.log.event("error", "gateway lost", { gateway: name, kind, cause, reason });
    }
    // One that has a successor already has left its place before.
    const isVacant = place.current === gateway;
    if (isVacant) {
      place.current = null;
      place.lost = cause === null ? null : gateway;
    }
    this.#parts.onGone(gateway, cause);
    // One that was to be replaced anyway may have a successor that is just starting.
    if (isVacant && !place.successorStarts) void this.#fill(place);
  }

  #close(place: Place): void {
    place.wanted = false;
    this.#places.delete(place);
    if (place.current !== null) void this.#retire(place.current, this.#parts.drainMs);
  }

  async #replace(place: Place, old: GatewayProcess): Promise<void> {
    // The trials' process is asked under one path, so the next cannot come before it has gone.
    if (place.kind !== "trial") {
      place.successorStarts = true;
      const isUp = await this.#bringUp(place);
      place.successorStarts = false;
      if (!isUp && place.current === null) void this.#fill(place);
      if (!isUp) return;
    }
    await this.#retire(old, this.#parts.drainMs);
  }

  async #retire(gateway: GatewayProcess, drainMs: number): Promise<void> {
    if (!this.#alive.has(gateway)) return;
    this.#leaving.add(gateway);
    gateway.isUp = false;
    this.#parts.onDraining(gateway);
    if (drainMs > 0) {
      await gateway.ask("POST", "/drain", DRAIN_ASK_MS_MAX);
      // Not by workerd's own draining: a request that meets it on a kept connection is never answered.
      await Promise.race([this.#parts.idle(gateway, drainMs), gateway.ended]);
    }
    if (!this.#stopping && (await this.#goesOn(gateway))) {
      this.#guilty.add(gateway);
      return this.kill(gateway, "blocked");
    }
    await gateway.stop(Math.min(drainMs, LAST_WORK_MS_MAX));
  }

  /** Whether code there keeps it busy though it has nothing in hand, or only what has not ended in all the time. */
  async #goesOn(gateway: GatewayProcess): Promise<boolean> {
    if (!this.#parts.hogs(gateway, HOG_WINDOW_MS)) return false;
    await Promise.race([sleep(HOG_PROOF_MS), gateway.ended]);
    return !this.#stopping && this.#parts.hogs(gateway, HOG_PROOF_MS);
  }
}
