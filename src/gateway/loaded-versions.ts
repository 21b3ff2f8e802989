import type { CurrentDeployment } from "../domain/deployment.ts";
import type { DurableClass } from "../domain/durable-migration.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import {
  EVICTION_INTERVAL_MS,
  LOADED_VERSIONS_MAX,
  RETIRED_VERSION_KEEP_MS,
  VERSION_IDLE_MS,
} from "../domain/limits.ts";
import type { LoadableVersion } from "../domain/version.ts";

/**
 * For visitors and events; the same for whoever tails the Worker, so that the runtime tells what it does; for Durable
 * Objects. Each is an isolate of its own. Objects live on while tails come and go: of theirs the runtime always tells.
 */
export type LoadMode = "plain" | "tailed" | "objects";

/** A version under one id of the runtime's loader. The runtime keeps what it loaded for ever, failures too. */
export interface LoadedVersion {
  readonly key: string;
  readonly loaderId: string;
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
  readonly mode: LoadMode;
  /** Its exported classes that Durable Objects are of. */
  readonly durableClasses: readonly DurableClass[];
  /** What the first load is made of; let go as soon as the code has answered once. */
  source: LoadableVersion | null;
  /** Some of the version's own code has answered: it can be loaded. */
  proven: boolean;
  inFlight: number;
  /** Its last answer, or that it was taken in; milliseconds since 1970. */
  usedAt: number;
}

const NONE: readonly LoadedVersion[] = [];
const GENERATIONS_MAX = 100_000;

/**
 * What this gateway has loaded: the least recently used first. Decides what can be unloaded: what is beyond
 * the cap, and what is outside its Worker's current deployment and has been quiet for a while. An id that
 * was given up, for a failure or by unloading, is never used again: the generation in it moves on.
 */
export class LoadedVersions {
  readonly #gatewayId: string;
  readonly #loaded = new Map<string, LoadedVersion>();
  /** Given up while something of it may still be running. */
  readonly #leaving = new Set<LoadedVersion>();
  readonly #generations = new Map<string, number>();
  readonly #current = new Map<WorkerId, { seq: number; versions: ReadonlySet<VersionId> }>();
  /** The last in `#loaded`, if it is still there. */
  #newest: LoadedVersion | null = null;
  #nextSweep = 0;

  constructor(gatewayId: string) {
    this.#gatewayId = gatewayId;
  }

  get size(): number {
    return this.#loaded.size + this.#leaving.size;
  }

  find(workerId: WorkerId, versionId: VersionId, mode: LoadMode = "plain"): LoadedVersion | null {
    const newest = this.#newest;
    // Under traffic it mostly is the one asked for, and needs no moving.
    const isNewest = newest?.versionId === versionId && newest.workerId === workerId;
    if (isNewest && newest.mode === mode) return newest;
    const key = keyOf(workerId, versionId, mode);
    const entry = this.#loaded.get(key);
    if (!entry) return null;
    this.#loaded.delete(key);
    this.#loaded.set(key, entry);
    this.#newest = entry;
    return entry;
  }

  add(version: LoadableVersion, now: number, mode: LoadMode = "plain"): LoadedVersion {
    const { workerId, id: versionId, contentHash } = version;
    const key = keyOf(workerId, versionId, mode);
    const generation = this.#generations.get(key) ?? 0;
    const entry: LoadedVersion = {
      key,
      loaderId: `${this.#gatewayId}:${key}:${contentHash}#${generation}`,
      workerId,
      versionId,
      mode,
      durableClasses: version.durableClasses ?? [],
      source: version,
      proven: false,
      inFlight: 0,
      usedAt: now,
    };
    this.#loaded.set(key, entry);
    this.#newest = entry;
    return entry;
  }

  /** Stops using an entry's id. What still runs under it may finish. */
  giveUp(entry: LoadedVersion): void {
    if (this.#loaded.get(entry.key) !== entry) return;
    this.#remove(entry);
    this.#leaving.add(entry);
    this.#nextGeneration(entry.key);
  }

  /** Nobody tails the Worker any more: what was loaded for that is not used again. */
  endTail(workerId: WorkerId): void {
    for (const entry of this.#loaded.values()) {
      if (entry.mode === "tailed" && entry.workerId === workerId) this.giveUp(entry);
    }
  }

  noteDeployment(workerId: WorkerId, deployment: CurrentDeployment): void {
    const seen = this.#current.get(workerId);
    if (seen && seen.seq >= deployment.seq) return;
    const versions = new Set(deployment.versions.map((share) => share.versionId));
    this.#current.set(workerId, { seq: deployment.seq, versions });
  }

  /** Takes out, and returns, what is to be unloaded now. Looks only once in a while. */
  takeEvictable(now: number): readonly LoadedVersion[] {
    if (now < this.#nextSweep && this.#loaded.size <= LOADED_VERSIONS_MAX) return NONE;
    this.#nextSweep = now + EVICTION_INTERVAL_MS;
    let excess = this.#loaded.size - LOADED_VERSIONS_MAX;
    return this.#take(
      (entry) => (!this.#leaving.has(entry) && excess-- > 0) || this.#isQuiet(entry, now),
    );
  }

  /** The same at any time, and what is current but has not been asked for in `VERSION_IDLE_MS`. */
  takeIdle(now: number): readonly LoadedVersion[] {
    return this.#take(
      (entry) => this.#isQuiet(entry, now) || now - entry.usedAt >= VERSION_IDLE_MS,
    );
  }

  /** When memory is short: all that is in no current deployment, and of the rest half. */
  takeSpare(): readonly LoadedVersion[] {
    let wanted = 0;
    for (const entry of this.#loaded.values()) {
      if (entry.inFlight > 0 || this.#isCurrent(entry)) wanted += 0.5;
    }
    return this.#take(
      (entry) => this.#leaving.has(entry) || !this.#isCurrent(entry) || wanted-- >= 1,
    );
  }

  /** Takes out those that `goes` lets go, the least recently used first; never one that answers a request. */
  #take(goes: (entry: LoadedVersion) => boolean): readonly LoadedVersion[] {
    const evictable: LoadedVersion[] = [];
    for (const entries of [this.#leaving, this.#loaded.values()]) {
      for (const entry of entries) {
        if (entry.inFlight === 0 && goes(entry)) evictable.push(entry);
      }
    }
    for (const entry of evictable) {
      // Entries that were given up have made their generation move on already.
      if (!this.#leaving.delete(entry)) {
        this.#remove(entry);
        this.#nextGeneration(entry.key);
      }
    }
    return evictable;
  }

  #remove(entry: LoadedVersion): void {
    this.#loaded.delete(entry.key);
    if (this.#newest === entry) this.#newest = null;
  }

  #isQuiet(entry: LoadedVersion, now: number): boolean {
    const quiet = now - entry.usedAt >= RETIRED_VERSION_KEEP_MS;
    return quiet && (this.#leaving.has(entry) || !this.#isCurrent(entry));
  }

  #isCurrent(entry: LoadedVersion): boolean {
    return this.#current.get(entry.workerId)?.versions.has(entry.versionId) ?? false;
  }

  #nextGeneration(key: string): void {
    const next = (this.#generations.get(key) ?? 0) + 1;
    this.#generations.delete(key);
    this.#generations.set(key, next);
    if (this.#generations.size > GENERATIONS_MAX) {
      const [oldest] = this.#generations.keys();
      if (oldest !== undefined) this.#generations.delete(oldest);
    }
  }
}

const keyOf = (workerId: WorkerId, versionId: VersionId, mode: LoadMode): string =>
  `${workerId}:${versionId}${mode === "plain" ? "" : `:${mode}`}`;
