import type { CurrentDeployment } from "../domain/deployment.ts";
import type { DurableClass } from "../domain/durable-migration.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import {
  LOADED_VERSIONS_MAX,
  VERSION_FAILURE_KEEP_MS,
  VERSION_LOAD_TRIES_MAX,
} from "../domain/limits.ts";
import type { LoadableVersion } from "../domain/version.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { ReadScope, Upcoming } from "./current-deployment.ts";
import { ask } from "./ask.ts";
import { ControlPlaneUnavailable, VersionLoadError } from "./gateway-errors.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { CONTROL_ENTRYPOINT } from "./injected-modules.ts";
import { classifyLoadFailure, startFailureText } from "./load-failure.ts";
import { schedulerWait } from "./holder-clock.ts";
import { type LoadedVersion, LoadedVersions, type LoadMode } from "./loaded-versions.ts";
import type { RequestScope } from "./request-scope.ts";
import { SharedFetches } from "./shared-fetches.ts";
import type { TailedVersion } from "./tail-item.ts";
import { workerCode } from "./worker-code.ts";

/** One call into a version. */
export interface VersionCall<T> {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
  /** `call` may be made again when the version could not be loaded. */
  readonly replayable: boolean;
  /** Left out: as visitors need it. */
  readonly mode?: LoadMode;
  readonly call: (stub: WorkerStub, loaded: LoadedVersion) => Promise<T>;
}

/** What is about to run. */
export interface VersionDispatch {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

/** Why versions are unloaded: nobody uses them, or memory is short. */
export type EvictionReason = "idle" | "memory";

export interface VersionRunnerOptions {
  readonly loader: WorkerLoader;
  /** Names this build of the gateway: loaded versions hold stubs into it, so another build must not meet them. */
  readonly gatewayId: string;
  readonly controlPlane: Pick<ControlPlane, "version">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Workers of which the runtime is to tell what they do; none without it. */
  readonly tailed?: { has(workerId: WorkerId): boolean };
  readonly metrics: GatewayMetrics;
  /**
   * Waited for before each call into a version, so that somebody outside knows what ran if the process does not come
   * back from it. What it gives is called when the version has answered, or failed.
   */
  readonly announce?: (dispatch: VersionDispatch) => Promise<() => void>;
}

/** Runs versions in isolates of their own. Errors of a version's code pass through; else `VersionLoadError`. */
export class VersionRunner {
  readonly #options: VersionRunnerOptions;
  readonly #loaded: LoadedVersions;
  readonly #fetches: SharedFetches<string>;
  /** Versions that did not start, with what the runtime said. */
  readonly #failures = new Map<VersionId, { readonly detail: string; readonly until: number }>();

  constructor(options: VersionRunnerOptions) {
    this.#options = options;
    this.#loaded = new LoadedVersions(options.gatewayId);
    this.#fetches = new SharedFetches(options.now, schedulerWait);
  }

  /** Versions loaded now. */
  get loaded(): number {
    return this.#loaded.size;
  }

  async run<T>(scope: RequestScope, call: VersionCall<T>): Promise<T> {
    const { announce } = this.#options;
    for (let tries = 1; ; tries++) {
      const { workerId, versionId } = call;
      const mode = call.mode ?? this.#modeOf(workerId);
      const entry = this.#loaded.find(workerId, versionId, mode) ?? (await this.#enter(call, mode));
      // What failed in the loader's callback reaches the call as another error; this is the first one.
      const code: { error?: unknown } = {};
      entry.inFlight++;
      let over: (() => void) | null = null;
      try {
        if (announce !== undefined) over = await announced(announce({ workerId, versionId }));
        const result = await call.call(this.#stub(entry, scope, code), entry);
        this.#answered(entry);
        return result;
      } catch (error) {
        // Nothing of the version has run.
        if (error instanceof ControlPlaneUnavailable) throw error;
        const failure = code.error === undefined ? classifyLoadFailure(error) : "passing";
        if (failure === "none") {
          this.#answered(entry);
          throw error;
        }
        this.#loaded.giveUp(entry);
        const again = failure === "passing" && call.replayable && tries < VERSION_LOAD_TRIES_MAX;
        if (!again) throw this.#failed(entry, failure, code.error ?? error);
      } finally {
        entry.inFlight--;
        over?.();
      }
    }
  }

  /** A version that has started, for an event that takes a class from it instead of calling it. */
  ready(
    scope: RequestScope,
    version: VersionDispatch,
  ): Promise<{ readonly stub: WorkerStub; readonly durableClasses: readonly DurableClass[] }> {
    return this.run(scope, {
      ...version,
      replayable: true,
      mode: "objects",
      call: async (stub, { durableClasses }) => {
        await describe(stub);
        return { stub, durableClasses };
      },
    });
  }

  /** Tells which versions are to stay loaded, and unloads, behind the answer, what has been let go. */
  noteDeployment(workerId: WorkerId, deployment: CurrentDeployment): void {
    this.#loaded.noteDeployment(workerId, deployment);
  }

  unloadQuiet(scope: ReadScope): void {
    this.#unload(scope, this.#loaded.takeEvictable(this.#options.now()));
  }

  /** Unloads, behind the answer, what nobody uses, or more when memory is short. Returns how many that are. */
  unload(scope: ReadScope, reason: EvictionReason): number {
    const evictable =
      reason === "idle" ? this.#loaded.takeIdle(this.#options.now()) : this.#loaded.takeSpare();
    this.#unload(scope, evictable);
    return evictable.length;
  }

  endTail(workerId: WorkerId): void {
    this.#loaded.endTail(workerId);
  }

  /** Loads what is about to be deployed, behind the answer. A failure is for the first real request to tell. */
  loadAhead(scope: RequestScope, upcoming: readonly Upcoming[]): void {
    for (const { workerId, versionId } of upcoming) {
      if (this.#loaded.find(workerId, versionId, this.#modeOf(workerId)) !== null) continue;
      const load = this.run(scope, {
        workerId,
        versionId,
        replayable: false,
        call: describe,
      });
      scope.waitUntil(load.catch(() => undefined));
    }
  }

  #modeOf(workerId: WorkerId): LoadMode {
    return this.#options.tailed?.has(workerId) ? "tailed" : "plain";
  }

  async #enter(
    { workerId, versionId }: VersionCall<unknown>,
    mode: LoadMode,
  ): Promise<LoadedVersion> {
    const now = this.#options.now();
    const failure = this.#failures.get(versionId);
    if (failure && failure.until > now) throw new VersionLoadError(versionId, failure.detail);
    const find = () => this.#loaded.find(workerId, versionId, mode);
    return this.#fetches.get(`${versionId} ${mode}`, find, async () => {
      const version = await this.#fetchVersion(workerId, versionId);
      // Another request may have been quicker meanwhile.
      return find() ?? this.#loaded.add(version, now, mode);
    });
  }

  async #fetchVersion(workerId: WorkerId, versionId: VersionId): Promise<LoadableVersion> {
    const version = await ask("a version", () =>
      this.#options.controlPlane.version(workerId, versionId),
    );
    if (!version) throw new VersionLoadError(versionId, "its Worker has no such version");
    return version;
  }

  #stub(entry: LoadedVersion, scope: RequestScope, code: { error?: unknown }): WorkerStub {
    const { workerId, versionId } = entry;
    return this.#options.loader.get(entry.loaderId, async () => {
      try {
        const version = entry.source ?? (await this.#fetchVersion(workerId, versionId));
        const loadable = workerCode(version, scope, scope.egress({ workerId }));
        this.#options.metrics.loads++;
        if (entry.mode === "plain") return loadable;
        const tailedVersion: TailedVersion = {
          workerId,
          versionId,
          workerName: version.workerName,
        };
        return { ...loadable, tails: [scope.binding("TailCollector", { ...tailedVersion })] };
      } catch (error) {
        code.error = error;
        throw error;
      }
    });
  }

  #answered(entry: LoadedVersion): void {
    entry.proven = true;
    entry.source = null;
    entry.usedAt = this.#options.now();
  }

  #failed(entry: LoadedVersion, failure: "lasting" | "passing", error: unknown): Error {
    if (error instanceof Error && error.name === "ControlPlaneUnavailable") return error;
    this.#options.metrics.loadFailures++;
    const detail = startFailureText(error);
    // One odd error must not take a version that works off the air; one that never answered costs a slot a try.
    if (failure === "lasting" || !entry.proven) {
      if (this.#failures.size >= LOADED_VERSIONS_MAX) this.#failures.clear();
      const until = this.#options.now() + VERSION_FAILURE_KEEP_MS;
      this.#failures.set(entry.versionId, { detail, until });
    }
    return new VersionLoadError(entry.versionId, detail);
  }

  #unload(scope: ReadScope, evictable: readonly LoadedVersion[]): void {
    if (evictable.length === 0) return;
    this.#options.metrics.evictions += evictable.length;
    scope.waitUntil(Promise.all(evictable.map(({ loaderId }) => this.#evict(loaderId))));
  }

  #evict(loaderId: string): Promise<void> {
    return evict(
      this.#options.loader.get(loaderId, () => {
        throw new Error("already unloaded");
      }),
    );
  }
}

/** Something of the version's own isolate answers: it has started. */
const describe = (stub: WorkerStub): Promise<unknown> =>
  (
    stub.getEntrypoint(CONTROL_ENTRYPOINT) as unknown as { describe(): Promise<unknown> }
  ).describe();

/** A call that could not be announced must not be made: nobody would know what ended the process. */
async function announced(answer: Promise<() => void>): Promise<() => void> {
  try {
    return await answer;
  } catch (error) {
    throw new ControlPlaneUnavailable("leave to run a version", error);
  }
}

/**
 * Unloads a version: the next call of its id would load it anew, while answers, streams and WebSockets under way
 * go on. The runtime answers every such call with an error; there is nothing to learn from it.
 */
export async function evict(stub: WorkerStub): Promise<void> {
  const control = stub.getEntrypoint(CONTROL_ENTRYPOINT) as unknown as { evict(): Promise<void> };
  try {
    await control.evict();
  } catch {
    // Always so, and the isolate is gone.
  }
}
