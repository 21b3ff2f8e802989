/**
 * The control process: API, locks, history. Watched by its own supervisor; can be given away to another host over
 * the same data directory and taken back.
 */
import { rmSync } from "node:fs";
import { askSocket, type SocketAnswer } from "./ask-socket.ts";
import { HostError } from "./host-error.ts";
import type { Installation } from "./installation.ts";
import type { Log } from "./log.ts";
import type { OrphanGuard } from "./orphan-guard.ts";
import { passRuntimeLog } from "./runtime-log.ts";
import { controlOptions, type ControlInput, type ControlSockets } from "./runtime-options.ts";
import { Runtime } from "./runtime.ts";
import { Supervisor, type HealthPolicy } from "./supervisor.ts";

export interface ControlProcessParts {
  readonly input: ControlInput;
  readonly controlHost: string;
  readonly guard: OrphanGuard;
  readonly health: HealthPolicy;
  readonly log: Log;
  /** It answers, or does not. */
  readonly onChange: (up: boolean) => void;
  readonly onGivenUp: () => void;
}

/** What is known of it: it is down or on its way up, or what its last health probe got. */
export type ControlState = "ok" | "down" | "does not answer" | "database does not answer";

/** Age of a health probe without an answer, in milliseconds, from which the control process counts as silent. */
const SILENT_MS = 1_000;

export class ControlProcess {
  readonly #parts: ControlProcessParts;
  #running: { runtime: Runtime; supervisor: Supervisor } | undefined;
  #starts = 0;
  #isUp = false;
  /** What the last health probe got; undefined: no answer in time. */
  #lastStatus: number | undefined;
  /** When the probe that is out was sent. */
  #probedAt: number | undefined;
  /** As it will be from the next start on. */
  installation: Installation;

  constructor(parts: ControlProcessParts) {
    this.#parts = parts;
    this.installation = parts.input.installation;
  }

  get pid(): number | undefined {
    return this.#running?.runtime.pid;
  }

  /** How often its process has been started. */
  get starts(): number {
    return this.#starts;
  }

  /** Whether it answers, as far as is known. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get state(): ControlState {
    if (!this.#isUp) return "down";
    const outMs = this.#probedAt === undefined ? 0 : performance.now() - this.#probedAt;
    if (this.#lastStatus === undefined || outMs > SILENT_MS) return "does not answer";
    return this.#lastStatus === 200 ? "ok" : "database does not answer";
  }

  get sockets(): ControlSockets {
    return this.#parts.input.sockets;
  }

  /** Resolves when a health probe has got 200. Rejects with a HostError, and leaves nothing running. */
  async start(): Promise<void> {
    const { input, guard, health, log, onGivenUp } = this.#parts;
    const { api, internal } = input.sockets;
    for (const path of [api, internal]) rmSync(path, { force: true });
    const events = {
      onSpawn: (pid: number) => {
        this.#starts++;
        guard.add(pid);
      },
      onExit: (pid: number) => guard.remove(pid),
      onLost: (reason: string) => {
        this.#changed(false);
        supervisor.lost(reason);
      },
      onLog: (entry: Parameters<typeof passRuntimeLog>[0]) => passRuntimeLog(entry, "control", log),
    };
    const runtime = new Runtime(
      controlOptions({ ...input, installation: this.installation }),
      events,
      [api, internal],
    );
    const supervisor = new Supervisor({
      patient: runtime,
      probe: (timeoutMs) => this.#probe(timeoutMs),
      policy: health,
      log,
      onBack: () => this.#changed(true),
      onGivenUp,
      now: () => performance.now(),
    });
    this.#running = { runtime, supervisor };
    try {
      await runtime.start();
      const { ready, status } = await supervisor.ready(200);
      if (!ready) {
        const answer = status === undefined ? "no answer in time" : `status ${status}`;
        throw new HostError(`The control process started, but its health probe got ${answer}.`);
      }
    } catch (error) {
      // What could not be started may fail to be stopped, for the same reason.
      await this.stop(0).catch(() => undefined);
      if (error instanceof HostError) throw error;
      // The message, not the code: it has what the process printed.
      const reason = error instanceof Error ? error.message : String(error);
      throw new HostError(`The control process could not be started: ${reason}`);
    }
    supervisor.start();
    this.#changed(true);
  }

  /** Lets requests in flight finish for up to `drainMs`. May be called again. */
  async stop(drainMs: number): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    this.#changed(false);
    await running.supervisor.stop();
    await running.runtime.stop(drainMs);
  }

  #changed(isUp: boolean): void {
    this.#isUp = isUp;
    this.#parts.onChange(isUp);
  }

  /** The status of `/healthz`, or nothing if there was no whole answer in time. Never throws. */
  async #probe(timeoutMs: number): Promise<number | undefined> {
    this.#probedAt = performance.now();
    const answer = await this.ask("api", { method: "GET", path: "/healthz", timeoutMs });
    this.#probedAt = undefined;
    this.#lastStatus = answer?.status;
    return this.#lastStatus;
  }

  /** Undefined if there was no whole answer in time. Never throws. */
  ask(
    socket: "api" | "internal",
    question: {
      readonly method: string;
      readonly path: string;
      readonly timeoutMs: number;
      readonly body?: unknown;
    },
  ): Promise<SocketAnswer | undefined> {
    return askSocket({
      ...question,
      socketPath: this.#parts.input.sockets[socket],
      // The Host header decides between API and gateway; a new connection tells whether any is accepted.
      headers: { host: this.#parts.controlHost, connection: "close" },
      agent: false,
    });
  }
}
