/**
 * One machine, simulated: gateway processes, a watchdog and a front around the containment's decisions, as the
 * host's shell is to use them. Checks at each step what must hold at every step.
 */
import { Placement } from "../../../src/domain/containment/placement.ts";
import { Strikes } from "../../../src/domain/containment/strikes.ts";
import { judge, type WatchLimits } from "../../../src/domain/containment/watch.ts";
import { HOG_PROOF_MS, HOG_WINDOW_MS } from "../../../src/domain/limits.ts";
import type { StopReason } from "../../../src/domain/breaker.ts";
import type { VersionId, WorkerId } from "../../../src/domain/ids.ts";
import { type Outcome, SimulatedGateway, type Visit } from "./simulated-gateway.ts";
import { randomFrom, SimulatedTime } from "./simulated-time.ts";

const RESTART_MS = 100;
const PROBE_EVERY_MS = 100;
const WATCH_EVERY_MS = 20;
const TRIES_MAX = 2;
const BYTES = { evictBytes: 1, replaceBytes: 1, killBytes: 1 };
const LIMITS: WatchLimits = { ...BYTES, blockMsMax: 500 };

export class SimulatedHost {
  readonly time = new SimulatedTime();
  readonly random: () => number;
  readonly placement = new Placement();
  readonly strikes = new Strikes();
  /** Why each version was stopped. */
  readonly tripped = new Map<string, StopReason>();
  /** Losses of processes, by the version that was the cause. */
  readonly lossesBy = new Map<string, number>();
  readonly poolLossesBy = new Map<string, number>();
  /** Longest time that a visit of the host waited for a place, in milliseconds. */
  readonly waits = new Map<string, number>();
  /** What was done that must never be. */
  readonly broken: string[] = [];
  readonly waiting = new Map<Visit, number>();
  readonly gateways = new Map<string, SimulatedGateway>();
  /** The most hosts that the placement ever remembered, looked at once a second. */
  rememberedMost = 0;
  placements = 0;
  #names = 0;
  #revision = 0;
  readonly #starting = new Set<number>();

  constructor(seed: number, poolSize: number) {
    this.random = randomFrom(seed);
    for (let n = 0; n < poolSize; n++) this.#startInPool(0);
    this.#every(WATCH_EVERY_MS, () => this.#watch());
    this.#every(1_000, () => {
      this.placement.tick(this.time.now);
      this.#followWanted();
      this.rememberedMost = Math.max(this.rememberedMost, this.placement.remembered);
    });
  }

  runUntil(ms: number): void {
    this.time.runUntil(ms, () => {
      if (this.placement.revision === this.#revision) return;
      this.#revision = this.placement.revision;
      for (const [visit, since] of this.waiting) this.#place(visit, since);
    });
  }

  visit(visit: Omit<Visit, "id" | "askedAt" | "tries" | "over">, leavesAfterMs?: number): void {
    const asked = { ...visit, id: `v${++this.#names}`, askedAt: this.time.now };
    const visiting: Visit = { ...asked, tries: 0, over: false };
    this.#place(visiting, this.time.now);
    if (leavesAfterMs !== undefined) this.time.after(leavesAfterMs, () => this.#leave(visiting));
  }

  #place(visit: Visit, since: number): void {
    const { host } = visit;
    const name = this.placement.place(host, this.time.now);
    if (name === null) {
      this.waiting.set(visit, since);
      return;
    }
    this.waiting.delete(visit);
    this.waits.set(host, Math.max(this.waits.get(host) ?? 0, this.time.now - since));
    const gateway = this.gateways.get(name);
    if (!gateway) throw new Error(`${host} was placed at ${name}, which has gone`);
    this.#check(host, gateway);
    this.placements++;
    visit.tries++;
    gateway.inHand.add(visit);
    this.placement.sent(host, name, this.time.now);
    gateway.later(0.1, 0.1, () => this.#dispatch(visit, gateway));
  }

  #check(host: string, gateway: SimulatedGateway): void {
    const group = this.placement.groupOf(host);
    if (group !== gateway.group) this.broken.push(`${host} of group ${group} in ${gateway.group}`);
    if (gateway.stalled || gateway.draining)
      this.broken.push(`${host} at a gateway that is not up`);
    for (const { stalled, inHand, name } of this.gateways.values()) {
      if (stalled && [...inHand].some((visit) => visit.host === host)) {
        this.broken.push(`${host} placed at ${gateway.name} while it may hold up ${name}`);
      }
    }
  }

  #dispatch(visit: Visit, gateway: SimulatedGateway): void {
    if (this.tripped.has(visit.versionId)) {
      this.#finish(visit, gateway, "stopped");
      return;
    }
    const begin = () =>
      gateway.later(0.1 + this.random() * 0.1, 0, () => this.#run(visit, gateway));
    if (!gateway.admission) {
      begin();
      return;
    }
    gateway.queued.set(visit.id, begin);
    const versionId = visit.versionId as VersionId;
    const workerId = visit.versionId as WorkerId;
    if (gateway.admission.announce({ id: visit.id, workerId, versionId }) === "admitted") {
      this.#admitted([visit.id], gateway);
    }
  }

  #admitted(ids: readonly string[], gateway: SimulatedGateway): void {
    for (const id of ids) {
      gateway.queued.get(id)?.();
      gateway.queued.delete(id);
    }
    const prove = () =>
      gateway.later(0.1 + this.random() * 0.1, 0.02, () => {
        const next = gateway.admission?.proven() ?? [];
        if (next.length > 0)
          this.#admitted(
            next.map(({ id }) => id),
            gateway,
          );
        else if (gateway.admission?.needsProof) prove();
      });
    prove();
  }

  #run(visit: Visit, gateway: SimulatedGateway): void {
    const { behaviour, versionId } = visit;
    const serve = (waitMs: number, cpuMs: number) =>
      gateway.later(waitMs, cpuMs, () => this.#finish(visit, gateway, "served"));
    const ruin = () => {
      this.#count(this.lossesBy, versionId);
      if (gateway.group === null) this.#count(this.poolLossesBy, versionId);
    };
    const loop = () => {
      gateway.loop();
      ruin();
    };
    switch (behaviour.kind) {
      case "good":
        serve(0, behaviour.cpuMs);
        return;
      case "slow":
        serve(behaviour.waitMs, 0.2);
        return;
      case "loops":
        if (this.random() >= behaviour.share) serve(0, 1);
        else gateway.later(behaviour.afterMs, 0, loop);
        return;
      case "loops after its response":
        serve(0, 0.5);
        gateway.later(behaviour.afterMs, 0, loop);
        return;
      case "hogs":
        serve(0, 0.5);
        gateway.later(1, 0, () => gateway.hog(behaviour.burstMs));
        return;
      case "crashes":
        if (this.random() >= behaviour.share) serve(0, 1);
        else {
          gateway.work(0.5, () => {
            ruin();
            this.#lose(gateway, "crashed");
          });
        }
        return;
    }
  }

  #count(counts: Map<string, number>, versionId: string): void {
    counts.set(versionId, (counts.get(versionId) ?? 0) + 1);
  }

  #finish(visit: Visit, gateway: SimulatedGateway, outcome: Outcome): void {
    if (visit.over || !gateway.inHand.delete(visit)) return;
    visit.over = true;
    this.placement.answered(visit.host, gateway.name, this.time.now);
    this.placement.ended(visit.host, gateway.name, "complete", this.time.now);
    gateway.admission?.done(visit.id, this.time.now);
    visit.whenOver(outcome);
  }

  /** The client hangs up. The gateway hears of it only if it can. */
  #leave(visit: Visit): void {
    if (visit.over) return;
    visit.over = true;
    this.waiting.delete(visit);
    for (const gateway of this.gateways.values()) {
      if (!gateway.inHand.delete(visit)) continue;
      this.placement.ended(visit.host, gateway.name, "unanswered", this.time.now);
      gateway.work(0, () => gateway.admission?.done(visit.id, this.time.now));
    }
    visit.whenOver("left");
  }

  #watch(): void {
    for (const gateway of this.gateways.values()) {
      if (gateway.probeSentAt === null) continue;
      const probeMs = this.time.now - gateway.probeSentAt;
      const cpuMs = gateway.cpuMs - gateway.probeCpuMs;
      const hogged = gateway.duty.hogs(HOG_WINDOW_MS, this.time.now);
      const verdict = judge({ probeMs, blindMs: 0, cpuMs, rssBytes: 0, hogged }, LIMITS);
      if (verdict === "kill: blocked") this.#lose(gateway, "blocked");
      else this.#stalled(gateway, verdict === "stalled");
      if (verdict === "hogged" && !gateway.draining) this.#replaceHogged(gateway);
    }
  }

  #stalled(gateway: SimulatedGateway, stalled: boolean): void {
    gateway.stalled = stalled;
    this.placement.stalled(gateway.name, stalled);
  }

  #probe(gateway: SimulatedGateway): void {
    const sentAt = this.time.now;
    gateway.probeSentAt = sentAt;
    gateway.probeCpuMs = gateway.cpuMs;
    gateway.later(0.2, 0.02, () => {
      gateway.probeSentAt = null;
      const cpuMs = gateway.cpuMs - gateway.probeCpuMs;
      const silence = { from: sentAt, to: this.time.now, blindMs: 0, cpuMs };
      const wasLong = gateway.duty.silent(silence);
      this.placement.alive(gateway.name, sentAt);
      this.#stalled(gateway, false);
      const pauseMs = wasLong ? 0 : PROBE_EVERY_MS;
      this.time.after(pauseMs, () => gateway.alive && this.#probe(gateway));
    });
  }

  #lose(gateway: SimulatedGateway, cause: StopReason): void {
    const { now } = this.time;
    gateway.alive = false;
    this.gateways.delete(gateway.name);
    if (gateway.admission) {
      for (const trip of this.strikes.lost(gateway.admission.blame(cause, now), cause, now)) {
        this.tripped.set(trip.versionId, trip.reason);
      }
    }
    this.placement.lost(gateway.name, now);
    this.#followWanted();
    if (gateway.group === null && !gateway.draining) this.#startInPool(RESTART_MS);
    for (const visit of gateway.inHand) {
      if (visit.tries < TRIES_MAX) this.#place(visit, now);
      else {
        visit.over = true;
        visit.whenOver("failed");
      }
    }
  }

  #followWanted(): void {
    const wanted = new Set(this.placement.wanted().map(({ group }) => group));
    const served = new Set<number>();
    for (const gateway of this.gateways.values()) {
      if (gateway.group === null || (gateway.draining && wanted.has(gateway.group))) {
        if (gateway.draining) this.#drain(gateway);
        continue;
      }
      if (wanted.has(gateway.group)) served.add(gateway.group);
      else this.#drain(gateway);
    }
    for (const group of wanted) {
      if (served.has(group) || this.#starting.has(group)) continue;
      this.#starting.add(group);
      this.time.after(RESTART_MS, () => {
        this.#starting.delete(group);
        this.#start(group, true, (name) => this.placement.upInQuarantine(name, group));
        this.#followWanted();
      });
    }
  }

  /** The successor first; what goes on in the old one when it has nothing in hand any more is not for visitors. */
  #replaceHogged(gateway: SimulatedGateway): void {
    const { group } = gateway;
    if (group === null) this.#startInPool(0);
    else this.#start(group, true, (name) => this.placement.upInQuarantine(name, group));
    this.#drain(gateway);
  }

  #drain(gateway: SimulatedGateway): void {
    if (!gateway.draining) this.placement.draining(gateway.name);
    gateway.draining = true;
    if (gateway.inHand.size > 0 || gateway.onTrial) return;
    if (!gateway.duty.hogs(HOG_WINDOW_MS, this.time.now)) return this.#end(gateway);
    gateway.onTrial = true;
    this.time.after(HOG_PROOF_MS, () => {
      if (!gateway.alive) return;
      if (gateway.duty.hogs(HOG_PROOF_MS, this.time.now)) this.#lose(gateway, "blocked");
      else this.#end(gateway);
    });
  }

  #end(gateway: SimulatedGateway): void {
    gateway.alive = false;
    this.gateways.delete(gateway.name);
    this.placement.gone(gateway.name);
  }

  #startInPool(afterMs: number): void {
    this.time.after(afterMs, () => {
      const announces = this.placement.poolAnnounces(this.time.now);
      this.#start(null, announces, (name) => this.placement.upInPool(name));
    });
  }

  #start(group: number | null, announces: boolean, up: (name: string) => void): void {
    const gateway = new SimulatedGateway(this.time, `g${++this.#names}`, group, announces);
    this.gateways.set(gateway.name, gateway);
    up(gateway.name);
    this.#probe(gateway);
  }

  #every(ms: number, run: () => void): void {
    this.time.after(ms, () => {
      run();
      this.#every(ms, run);
    });
  }
}
