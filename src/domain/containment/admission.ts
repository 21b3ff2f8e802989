/**
 * In what order one quarantine gateway may begin to run versions, and who is to blame when it is lost. Each
 * dispatch is announced before it begins; those of one version are admitted at a time, and others only after liveness
 * probes have proved that they did not block the process: so a version that blocks at once is the only one unproven.
 */
import type { StopReason } from "../breaker.ts";
import { ADMISSION_PROBES, ADMITTED_VERSIONS_MAX, LINGER_MS } from "../limits.ts";
import { type Blame, type RunVersion, sharesOf } from "./blame.ts";

/** A dispatch that is about to begin. The id is unique within the gateway. */
export interface Announcement extends RunVersion {
  readonly id: string;
}

interface Ran {
  readonly version: RunVersion;
  inFlight: number;
  endedAt: number;
}

const NONE: readonly Announcement[] = [];

const keyOf = ({ workerId, versionId }: RunVersion) => `${workerId} ${versionId}`;

export class Admission {
  readonly #probesNeeded: number;
  readonly #queue = new Map<string, Announcement>();
  readonly #running = new Map<string, Announcement>();
  /** Versions in flight, and those that ended not long ago, by key. */
  readonly #ran = new Map<string, Ran>();
  #unproven: Announcement | null = null;
  #probes = 0;

  constructor(probesNeeded = ADMISSION_PROBES) {
    this.#probesNeeded = probesNeeded;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  /** True while an admitted dispatch is to be proved by probes: send one, and report it by `proven`. */
  get needsProof(): boolean {
    return this.#unproven !== null;
  }

  /** The dispatch may begin now, or is "queued": then `proven` or `done` gives it back when it may. */
  announce(announcement: Announcement): "admitted" | "queued" {
    if (this.#unproven !== null || this.#queue.size > 0) {
      this.#queue.set(announcement.id, announcement);
      return "queued";
    }
    this.#admit(announcement);
    return "admitted";
  }

  /**
   * A liveness probe that was sent after the last admission had been answered to the gateway, and after the probe
   * reported before, was answered. Returns the dispatches that may begin now, all of one version.
   */
  proven(): readonly Announcement[] {
    if (this.#unproven === null || ++this.#probes < this.#probesNeeded) return NONE;
    this.#unproven = null;
    return this.#admitNext();
  }

  /** A dispatch is over, or given up while it was queued. Does not prove it: the version may go on after it. */
  done(id: string, now: number): void {
    if (this.#queue.delete(id)) return;
    const announcement = this.#running.get(id);
    if (!announcement) return;
    this.#running.delete(id);
    const key = keyOf(announcement);
    const ran = this.#ran.get(key);
    if (!ran) return;
    ran.inFlight--;
    ran.endedAt = now;
    // Anew at the end: the first ones are those that ended longest ago.
    this.#ran.delete(key);
    this.#ran.set(key, ran);
    this.#forget(now);
  }

  /**
   * Shares of one strike for the loss of this gateway; empty if nothing ran. Versions count that are in flight or
   * ended within LINGER_MS: any of them may have blocked it. The likeliest is the unproven one; for memory, none.
   */
  blame(cause: StopReason, now: number): readonly Blame[] {
    this.#forget(now);
    const unproven = cause === "memory" || !this.#unproven ? null : keyOf(this.#unproven);
    const versions = [...this.#ran.values()].map(({ version }) => version);
    const likeliest = unproven === null ? undefined : this.#ran.get(unproven)?.version;
    return sharesOf(versions, likeliest ?? null);
  }

  /**
   * All that wait for one version at once: which of them blocks the process makes no difference. First a version that
   * has not run here lately: behind many of a harmless one, the harmful one is found at once.
   */
  #admitNext(): readonly Announcement[] {
    let next: Announcement | null = null;
    for (const queued of this.#queue.values()) {
      const isNew = !this.#ran.has(keyOf(queued));
      if (isNew || next === null) next = queued;
      if (isNew) break;
    }
    if (next === null) return NONE;
    const key = keyOf(next);
    const admitted = [...this.#queue.values()].filter((queued) => keyOf(queued) === key);
    for (const announcement of admitted) {
      this.#queue.delete(announcement.id);
      this.#admit(announcement);
    }
    return admitted;
  }

  #admit(announcement: Announcement): void {
    this.#unproven = announcement;
    this.#probes = 0;
    this.#running.set(announcement.id, announcement);
    const key = keyOf(announcement);
    const ran = this.#ran.get(key);
    if (ran) {
      ran.inFlight++;
      return;
    }
    const { workerId, versionId } = announcement;
    this.#ran.set(key, { version: { workerId, versionId }, inFlight: 1, endedAt: 0 });
  }

  #forget(now: number): void {
    for (const [key, { inFlight, endedAt }] of this.#ran) {
      if (inFlight > 0) continue;
      if (now - endedAt <= LINGER_MS && this.#ran.size <= ADMITTED_VERSIONS_MAX) break;
      this.#ran.delete(key);
    }
  }
}
