/**
 * One machine with Switchback as a service: the launcher's process, started again whenever it ends, as systemd would,
 * and everything that runs below it, by kind.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processesBelow, type HostProcess } from "../../e2e/support/host-processes.ts";

export const ROOT_TOKEN = "sbk_chaos_root_token_of_the_tests";
export const ACCOUNT_ID = "c4a05c4a05c4a05c4a05c4a05c4a05c4";

/** As in the systemd unit, but shorter. */
const RESTART_MS = 100;
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;

export interface MachineOptions {
  readonly flags?: readonly string[];
  /** For Node itself, e.g. what plants a bug. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Machine {
  readonly directory = mkdtempSync(join(tmpdir(), "switchback-chaos-host-"));
  readonly #options: MachineOptions;
  #port = 0;
  #launcher: ChildProcess | undefined;
  #ended: Promise<number | string> = Promise.resolve("never started");
  #stopping = false;
  #starts = 0;
  #log = "";

  static async start(options: MachineOptions = {}): Promise<Machine> {
    const machine = new Machine(options);
    machine.#start();
    const deadline = performance.now() + READY_MS_MAX;
    for (;;) {
      const ready = /switchback ready url=http:\/\/localhost:(\d+)/.exec(machine.#log);
      if (ready) {
        machine.#port = Number(ready[1]);
        return machine;
      }
      if (performance.now() > deadline) {
        await machine.dispose();
        throw new Error(`the host did not become ready:\n${machine.#log}`);
      }
      await sleep(20);
    }
  }

  private constructor(options: MachineOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  /** Everything that has been printed so far. */
  get log(): string {
    return this.#log;
  }

  /** How often the launcher has been started. */
  get starts(): number {
    return this.#starts;
  }

  get launcherPid(): number | undefined {
    return this.#launcher?.pid;
  }

  /** All that run now below the launcher; who has lost its parent is about to end. */
  processes(): HostProcess[] {
    const launcher = this.#launcher?.pid;
    return launcher === undefined ? [] : processesBelow(launcher);
  }

  /** False if it had ended before. */
  signal(pid: number, signal: NodeJS.Signals): boolean {
    try {
      process.kill(pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  /** As `systemctl stop`; gives how the launcher ended. */
  async stop(): Promise<number | string> {
    this.#stopping = true;
    this.#launcher?.kill("SIGTERM");
    const late = sleep(STOP_MS_MAX, "did not stop", { ref: false });
    return Promise.race([this.#ended, late]);
  }

  async dispose(): Promise<void> {
    this.#stopping = true;
    for (const { pid } of this.processes()) this.signal(pid, "SIGKILL");
    await this.#ended;
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #start(): void {
    const { flags = [], nodeFlags = [], env = {} } = this.#options;
    const args = ["--port", String(this.#port), "--data", this.directory, ...flags];
    this.#starts++;
    const child = spawn(process.execPath, [...nodeFlags, MAIN, ...args], {
      env: {
        PATH: process.env["PATH"],
        SWITCHBACK_ROOT_TOKEN: ROOT_TOKEN,
        SWITCHBACK_ACCOUNT_ID: ACCOUNT_ID,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#launcher = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    }
    this.#ended = new Promise((done) => {
      child.once("exit", (code, signal) => {
        done(code ?? signal ?? "unknown");
        if (!this.#stopping) void sleep(RESTART_MS).then(() => this.#stopping || this.#start());
      });
    });
  }
}

const MAIN = fileURLToPath(new URL("../../../src/host/main.ts", import.meta.url));
