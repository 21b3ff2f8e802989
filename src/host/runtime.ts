/**
 * One workerd process with everything it needs, by way of Miniflare: start, kill, stop. Miniflare starts
 * workerd again on the same ports when it dies; whether and when it serves again is the supervisor's to see.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from "miniflare";
import type { RuntimeLogEntry } from "./runtime-log.ts";

type Options = Parameters<typeof convertV4MiniflareOptions>[0];

export interface RuntimeEvents {
  onSpawn(pid: number): void;
  onExit(pid: number): void;
  /** workerd has ended though nobody stopped this runtime. */
  onLost(reason: string): void;
  onLog(entry: RuntimeLogEntry): void;
}

/** Miniflare does not tell its child process. Node does, in the async context of whoever caused the start. */
const starting = new AsyncLocalStorage<Runtime>();
subscribe("child_process", (message) => {
  starting.getStore()?.adopt((message as { process: ChildProcess }).process);
});

export class Runtime {
  #miniflare: Miniflare | undefined;
  #process: ChildProcess | undefined;
  #stopping = false;
  readonly #options: MiniflareOptions;
  readonly #events: RuntimeEvents;

  readonly #sockets: readonly string[];

  /** `sockets`: paths of the Unix sockets that the options name. */
  constructor(options: Options, events: RuntimeEvents, sockets: readonly string[] = []) {
    this.#events = events;
    this.#sockets = sockets;
    this.#options = convertV4MiniflareOptions({
      ...options,
      handleStructuredLogs: (entry: RuntimeLogEntry) => events.onLog(entry),
    });
  }

  /** Rejects if workerd cannot be started. */
  async start(): Promise<void> {
    await starting.run(this, async () => {
      this.#miniflare = new Miniflare(this.#options);
      await this.#miniflare.ready;
    });
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The D1 binding of that name. */
  async database(binding: string) {
    if (!this.#miniflare) throw new Error("The runtime has not been started.");
    return this.#miniflare.getD1Database(binding);
  }

  /** Ends a process that no longer answers; a busy one does not see any signal but this. */
  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  /** A new try, for when Miniflare's own has failed. Rejects if that fails too. */
  async restart(): Promise<void> {
    await starting.run(this, async () => this.#miniflare?.setOptions(this.#options));
  }

  /** Accepts nothing new, lets requests in flight finish for up to `drainMs`, then ends everything. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    let disposed: Promise<void> | undefined;
    // Once: Miniflare fails on a second call.
    const dispose = () => (disposed ??= this.#miniflare?.dispose());
    const running = this.#process;
    if (running && drainMs > 0) {
      await new Promise<void>((done) => {
        running.once("exit", () => {
          // In this very tick, or Miniflare takes the exit for a crash and starts workerd again.
          void dispose();
          done();
        });
        running.kill("SIGTERM");
        void sleep(drainMs, undefined, { ref: false }).then(done);
      });
    }
    await dispose();
  }

  /** Takes over a child process that was started on this runtime's behalf. */
  adopt(child: ChildProcess): void {
    this.#process = child;
    child.once("spawn", () => child.pid !== undefined && this.#events.onSpawn(child.pid));
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined) this.#events.onExit(child.pid);
      if (this.#process !== child) return;
      this.#process = undefined;
      // Before Miniflare starts the next one, in this very tick: a socket's path cannot be bound twice.
      for (const path of this.#sockets) rmSync(path, { force: true });
      if (!this.#stopping) this.#events.onLost(signal ?? `exit code ${code}`);
    });
  }
}
