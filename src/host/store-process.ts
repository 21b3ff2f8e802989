/** A process that keeps what deployed Workers store. Restarted by its supervisor; nothing in it outlives it but its disk. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { RUNTIME_START_MS_MAX, RUNTIME_START_TRIES_MAX } from "../domain/limits.ts";
import {
  STORE_HEALTH_INTERVAL_MS,
  STORE_HEALTH_MISSES_MAX,
  STORE_HEALTH_TIMEOUT_MS,
} from "../domain/limits-data.ts";
import { askSocket } from "./ask-socket.ts";
import { HostError, reasonOf } from "./host-error.ts";
import type { Log } from "./log.ts";
import { removeOrphanBlobs } from "./orphan-blobs.ts";
import type { OrphanGuard } from "./orphan-guard.ts";
import { passRuntimeLog } from "./runtime-log.ts";
import { Runtime } from "./runtime.ts";
import {
  passingStorage,
  STORE_DOORS,
  type StoreInput,
  type StoreKind,
  storeOptions,
  storeStorage,
} from "./store-options.ts";
import { Supervisor, type HealthPolicy } from "./supervisor.ts";

export interface StoreProcessParts {
  readonly input: StoreInput;
  readonly guard: OrphanGuard;
  readonly log: Log;
  readonly onGivenUp: () => void;
}

/** `sql` is tried for ever: a query that waits for it may block it as soon as it starts, and must not end the host. */
const healthPolicy = (kind: StoreKind): HealthPolicy => ({
  intervalMs: STORE_HEALTH_INTERVAL_MS,
  timeoutMs: STORE_HEALTH_TIMEOUT_MS,
  missesMax: STORE_HEALTH_MISSES_MAX,
  startMsMax: RUNTIME_START_MS_MAX,
  startTriesMax: kind === "sql" ? Number.POSITIVE_INFINITY : RUNTIME_START_TRIES_MAX,
});
const ALIVE = 200;

export class StoreProcess {
  readonly #parts: StoreProcessParts;
  #running: { readonly runtime: Runtime; readonly supervisor: Supervisor } | undefined;
  #starts = 0;

  constructor(parts: StoreProcessParts) {
    this.#parts = parts;
  }

  get kind() {
    return this.#parts.input.kind;
  }

  get pid(): number | undefined {
    return this.#running?.runtime.pid;
  }

  /** How often its process has been started. */
  get starts(): number {
    return this.#starts;
  }

  /** Resolves when it answers. Rejects with a HostError, and leaves nothing running. */
  async start(): Promise<void> {
    const { input, guard, log, onGivenUp } = this.#parts;
    const { kind, sockets } = input;
    const paths = [sockets.alive[kind], ...STORE_DOORS[kind].map((door) => sockets.doors[door])];
    for (const path of paths) rmSync(path, { force: true });
    this.#forgetPassing();
    const orphans = removeOrphanBlobs(join(storeStorage(input.storage, kind), "r2"));
    if (orphans > 0) log.event("info", "blobs without an object removed", { bytes: orphans });
    const events = {
      onSpawn: (pid: number) => {
        this.#starts++;
        guard.add(pid);
      },
      onExit: (pid: number) => {
        guard.remove(pid);
        this.#forgetPassing();
      },
      onLost: (reason: string) => supervisor.lost(reason),
      onLog: (entry: Parameters<typeof passRuntimeLog>[0]) => passRuntimeLog(entry, kind, log),
    };
    const runtime = new Runtime(storeOptions(input), events, paths);
    const supervisor = new Supervisor({
      of: kind,
      patient: runtime,
      probe: (timeoutMs) => this.#probe(timeoutMs),
      policy: healthPolicy(kind),
      log,
      onGivenUp,
      now: () => performance.now(),
    });
    this.#running = { runtime, supervisor };
    try {
      await runtime.start();
      const { ready } = await supervisor.ready(ALIVE);
      if (!ready) throw new HostError(`The ${kind} process started, but does not answer.`);
    } catch (error) {
      await this.stop(0).catch(() => undefined);
      if (error instanceof HostError) throw error;
      throw new HostError(`The ${kind} process could not be started: ${reasonOf(error)}`);
    }
    supervisor.start();
  }

  /** Lets calls in flight finish for up to `drainMs`. May be called again. */
  async stop(drainMs: number): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    await running.supervisor.stop();
    await running.runtime.stop(drainMs);
  }

  /** In the tick in which the process has ended, or before it starts: while it runs, these files are its own. */
  #forgetPassing(): void {
    const { kind, storage } = this.#parts.input;
    rmSync(passingStorage(storage, kind), { recursive: true, force: true });
  }

  async #probe(timeoutMs: number): Promise<number | undefined> {
    const { kind, sockets } = this.#parts.input;
    const answer = await askSocket({
      socketPath: sockets.alive[kind],
      method: "GET",
      path: "/alive",
      headers: { host: kind, connection: "close" },
      agent: false,
      timeoutMs,
    });
    return answer?.status;
  }
}
