/**
 * One process for each Worker whose Durable Objects are in use: their code can block or crash it, and nobody else
 * minds. Gateways know a fixed number of sockets, the slots; which Worker has which is decided here, when it is asked.
 * A Worker's storage is open in one process at most: a new one starts when the old one has ended.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GATEWAY_RESTART_MS_MAX } from "../../domain/limits.ts";
import {
  OBJECT_PROCESS_BLOCK_CPU_MS_MAX,
  OBJECT_PROCESS_IDLE_MS,
  OBJECT_PROCESS_LOOK_MS,
  OBJECT_PROCESS_SILENT_MS_MAX,
  OBJECT_PROCESS_START_MS_MAX,
  OBJECT_PROCESS_STOP_MS_MAX,
  OBJECT_SLOT_TRUSTED_MS,
} from "../../domain/limits-data.ts";
import { comesUp } from "../comes-up.ts";
import { GatewayProcess, type GatewayProcessParts } from "../gateway-process.ts";
import { reasonOf } from "../host-error.ts";
import type { Log } from "../log.ts";
import { processUsage, type ProcessUsage } from "../process-usage.ts";
import { pendingAlarm } from "./pending-alarm.ts";

export interface ObjectProcessesParts {
  /** Paths of the slots' sockets. */
  readonly sockets: readonly string[];
  /** Directory of all Workers' objects. */
  readonly storage: string;
  readonly processParts: (
    name: string,
    worker: { readonly workerId: string; readonly storage: string },
  ) => Pick<GatewayProcessParts, "runDirectory" | "config" | "onLog" | "onSuppressed">;
  readonly onSpawn: (pid: number) => void;
  readonly onExit: (pid: number) => void;
  readonly log: Log;
  /** Resident memory at which a process is ended, in bytes; its objects start again where they are used. */
  readonly memoryBytesMax: number;
  /** CPU time before an answer, in milliseconds; for tests. */
  readonly blockCpuMsMax?: number;
}

/** What has a slot: a Worker, from the first question for it until its process has ended. */
interface Resident {
  readonly workerId: string;
  readonly slot: number;
  /** Null while there is none, before the start and after a loss. */
  process: GatewayProcess | null;
  /** Resolves when the process answers; false if it could not be started in time. */
  up: Promise<boolean>;
  /** It is being ended; whoever wants the Worker waits for that first. */
  ending: Promise<void> | null;
  idleMs: number;
  /** When its slot was last told; who was told may call for a moment. */
  askedAt: number;
  /** A look that it has left unanswered, since when, and what CPU time it had taken by then; null: none. */
  silent: { readonly since: number; readonly cpuMs: number } | null;
  /** Losses in a row. */
  losses: number;
  startedAt: number;
}

/** How long a process has to run, in milliseconds, for its next loss to count as the first. */
const STABLE_MS = 60_000;
const RESTART_MS_MIN = 100;
/** Of the memory at which a process is ended in order, how much one that does not answer may have: no more than a gateway. */
const SILENT_MEMORY_SHARE = 1.5;
/** Timers cannot be set for longer, in milliseconds. */
const TIMER_MS_MAX = 2_147_483_647;
const WORKER_ID = /^[0-9a-f]{32}$/;

export class ObjectProcesses {
  readonly #parts: ObjectProcessesParts;
  readonly #residents = new Map<string, Resident>();
  readonly #alarms = new Map<string, NodeJS.Timeout>();
  #names = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: ObjectProcessesParts) {
    this.#parts = parts;
  }

  get alive(): readonly GatewayProcess[] {
    return [...this.#residents.values()].flatMap(({ process }) => process ?? []);
  }

  /** Begins to serve: Workers whose objects have alarms are started when these are due. */
  start(): void {
    this.#closed = false;
    mkdirSync(this.#parts.storage, { recursive: true });
    for (const workerId of readdirSync(this.#parts.storage)) {
      if (WORKER_ID.test(workerId)) this.#awaitAlarm(workerId);
    }
    this.#timer = setInterval(() => this.#look(), OBJECT_PROCESS_LOOK_MS);
  }

  /**
   * The slot at which a Worker's objects answer; starts their process if there is none. Null: no slot is free, or it
   * could not be started in time.
   */
  async slotOf(workerId: string): Promise<number | null> {
    if (!WORKER_ID.test(workerId)) return null;
    const deadline = performance.now() + OBJECT_PROCESS_START_MS_MAX;
    while (!this.#closed && performance.now() < deadline) {
      const resident = this.#residents.get(workerId);
      if (resident?.ending) await resident.ending;
      else if (resident) {
        resident.askedAt = performance.now();
        return (await resident.up) ? resident.slot : null;
      } else if (!(await this.#admit(workerId))) return null;
    }
    return null;
  }

  /** Ends all, in order; nothing starts until {@link start}. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const timer of this.#alarms.values()) clearTimeout(timer);
    this.#alarms.clear();
    await Promise.all([...this.#residents.values()].map((resident) => this.#end(resident)));
  }

  /** False if there is no room. */
  async #admit(workerId: string): Promise<boolean> {
    const taken = new Set([...this.#residents.values()].map(({ slot }) => slot));
    const slot = this.#parts.sockets.findIndex((_, at) => !taken.has(at));
    if (slot < 0) {
      const [idlest] = [...this.#residents.values()]
        .filter((each) => each.ending === null && unusedMs(each) > OBJECT_SLOT_TRUSTED_MS)
        .toSorted((a, b) => unusedMs(b) - unusedMs(a));
      if (idlest === undefined) {
        this.#parts.log.event("error", "no room for durable objects", { worker: workerId });
        return false;
      }
      await this.#end(idlest);
      return true;
    }
    clearTimeout(this.#alarms.get(workerId));
    this.#alarms.delete(workerId);
    const resident: Resident = {
      workerId,
      slot,
      process: null,
      up: Promise.resolve(false),
      ending: null,
      idleMs: 0,
      askedAt: performance.now(),
      silent: null,
      losses: 0,
      startedAt: 0,
    };
    this.#residents.set(workerId, resident);
    resident.up = this.#bringUp(resident);
    return true;
  }

  async #bringUp(resident: Resident): Promise<boolean> {
    const deadline = performance.now() + OBJECT_PROCESS_START_MS_MAX;
    let pauseMs = RESTART_MS_MIN * 2 ** Math.min(resident.losses, 8);
    if (resident.losses > 0) await sleep(Math.min(pauseMs, GATEWAY_RESTART_MS_MAX));
    while (!this.#closed && resident.ending === null && performance.now() < deadline) {
      const process = this.#spawn(resident);
      if (process !== null && (await comesUp(process, deadline, OBJECT_PROCESS_START_MS_MAX))) {
        resident.process = process;
        resident.startedAt = performance.now();
        resident.silent = null;
        process.isUp = true;
        void process.ended.then((reason) => this.#lost(resident, process, reason));
        return true;
      }
      process?.kill();
      await process?.ended;
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, GATEWAY_RESTART_MS_MAX);
    }
    // Whoever asks next begins anew.
    if (resident.ending === null) this.#residents.delete(resident.workerId);
    return false;
  }

  #spawn({ workerId, slot }: Resident): GatewayProcess | null {
    const { processParts, sockets, onSpawn, onExit, log } = this.#parts;
    const name = `o${(this.#names += 1)}`;
    try {
      const storage = join(this.#parts.storage, workerId);
      mkdirSync(storage, { recursive: true, mode: 0o700 });
      return new GatewayProcess({
        ...processParts(name, { workerId, storage }),
        name,
        kind: "objects",
        socketPath: sockets[slot] ?? "",
        onSpawn,
        onExit,
      });
    } catch (error) {
      log.event("error", "objects did not start", { worker: workerId, reason: reasonOf(error) });
      return null;
    }
  }

  /** It has ended by itself, or was killed: one that has alarms or WebSockets to serve starts again without being asked. */
  #lost(resident: Resident, process: GatewayProcess, reason: string): void {
    if (resident.process !== process || resident.ending !== null || this.#closed) return;
    const { workerId } = resident;
    this.#parts.log.event("error", "objects lost", { worker: workerId, reason });
    const isStable = performance.now() - resident.startedAt > STABLE_MS;
    resident.losses = isStable ? 1 : resident.losses + 1;
    resident.process = null;
    resident.up = this.#bringUp(resident);
  }

  async #end(resident: Resident): Promise<void> {
    resident.ending ??= (async () => {
      await resident.up;
      await resident.process?.stop(OBJECT_PROCESS_STOP_MS_MAX);
      this.#residents.delete(resident.workerId);
      if (!this.#closed) this.#awaitAlarm(resident.workerId);
    })();
    await resident.ending;
  }

  #awaitAlarm(workerId: string): void {
    const storage = join(this.#parts.storage, workerId);
    const due = pendingAlarm(storage);
    if (due === null || !existsSync(storage)) return;
    const ms = due === "unknown" ? 0 : Math.max(0, due - Date.now());
    const timer = setTimeout(
      () => {
        this.#alarms.delete(workerId);
        if (ms > TIMER_MS_MAX) this.#awaitAlarm(workerId);
        else void this.slotOf(workerId);
      },
      Math.min(ms, TIMER_MS_MAX),
    );
    timer.unref();
    this.#alarms.set(workerId, timer);
  }

  #look(): void {
    for (const resident of this.#residents.values()) void this.#lookAt(resident);
  }

  async #lookAt(resident: Resident): Promise<void> {
    const { process } = resident;
    if (process?.pid === undefined || resident.ending !== null) return;
    const now = performance.now();
    const { log, memoryBytesMax } = this.#parts;
    const worker = resident.workerId;
    if (resident.silent !== null) {
      if (!this.#isBlocked(resident.silent, now, process)) return;
      log.event("error", "objects blocked", {
        worker,
        pid: process.pid,
        rss: usageOf(process).rssBytes,
      });
      process.kill();
      // Its loss, which is noticed first, begins another start.
      resident.up = process.ended.then(() => resident.up);
      return;
    }
    resident.silent = { since: now, cpuMs: usageOf(process).cpuMs };
    const answer = await process.ask("GET", "/objects", OBJECT_PROCESS_SILENT_MS_MAX * 2);
    if (answer?.status !== 200 || resident.process !== process) return;
    resident.silent = null;
    const report = JSON.parse(answer.text) as { idleMs: number; webSockets: boolean };
    resident.idleMs = report.webSockets ? 0 : report.idleMs;
    const { rssBytes } = usageOf(process);
    if (rssBytes > memoryBytesMax) {
      log.event("warn", "objects replaced", { worker, rss: rssBytes });
      await this.#end(resident);
    } else if (unusedMs(resident) > OBJECT_PROCESS_IDLE_MS) await this.#end(resident);
  }
  #isBlocked(
    { since, cpuMs }: NonNullable<Resident["silent"]>,
    now: number,
    process: GatewayProcess,
  ): boolean {
    const { memoryBytesMax, blockCpuMsMax = OBJECT_PROCESS_BLOCK_CPU_MS_MAX } = this.#parts;
    const usage = usageOf(process);
    return (
      usage.cpuMs - cpuMs > blockCpuMsMax ||
      now - since > OBJECT_PROCESS_SILENT_MS_MAX ||
      // It fills the machine's memory meanwhile.
      usage.rssBytes > memoryBytesMax * SILENT_MEMORY_SHARE
    );
  }
}

/** How long nobody has called, nor asked where to. */
const unusedMs = ({ idleMs, askedAt }: Resident): number =>
  Math.min(idleMs, performance.now() - askedAt);

const usageOf = ({ pid }: GatewayProcess): ProcessUsage =>
  (pid === undefined ? null : processUsage(pid)) ?? { cpuMs: 0, rssBytes: 0 };
