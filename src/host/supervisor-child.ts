/** The launcher's view of one supervisor: what it said, what it is told, how it ended. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Launch, Listener, ToLauncher, ToSupervisor } from "./handover.ts";
import { launchEnvironment } from "./handover.ts";
import type { Environment } from "./settings.ts";

/** How a process ended: by itself with a code, or by a signal. Neither: it could not be started. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisorCommand {
  /** The supervisor's entry; read from disk at each start, so that a new one may lie there. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly listener: Listener;
}

type Message<T extends ToLauncher["type"]> = Extract<ToLauncher, { type: T }>;

export class SupervisorChild {
  /** Resolves at the end of the process. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #end: End | undefined;
  #controlApi: string | undefined;
  #refusal: string | undefined;
  readonly #changed = new Set<() => void>();
  readonly #heard: ToLauncher[] = [];

  constructor(command: SupervisorCommand, launch: Launch) {
    const { file, argv, env, listener } = command;
    this.#child = spawn(process.execPath, [...process.execArgv, file, ...argv], {
      env: { ...env, ...launchEnvironment(launch, listener.port) },
      stdio: ["inherit", "inherit", "inherit", listener.fd, "ipc"],
      // Its own process group: Ctrl-C in a terminal is for the launcher, or it would cut requests in flight off.
      detached: true,
    });
    this.#child.on("message", (message) => this.#hear(message as ToLauncher));
    this.ended = new Promise((done) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#end ??= { code, signal };
        this.#tell();
        done(this.#end);
      };
      this.#child.once("exit", end);
      this.#child.once("error", () => this.#child.pid === undefined && end(null, null));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Where its control process answers, once it has been ready. */
  get controlApi(): string | undefined {
    return this.#controlApi;
  }

  get end(): End | undefined {
    return this.#end;
  }

  send(message: ToSupervisor): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The next message of that type. Rejects if the process ends or refuses before, or after `msMax`. */
  async answer<T extends ToLauncher["type"]>(types: readonly T[], msMax: number) {
    const deadline = performance.now() + msMax;
    for (;;) {
      const found = this.#heard.findIndex(({ type }) =>
        (types as readonly string[]).includes(type),
      );
      if (found >= 0) return this.#heard.splice(found, 1)[0] as Message<T>;
      if (this.#end) throw new Error(this.#refusal ?? `it ended (${describeEnd(this.#end)})`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`it was not ${types[0]} within ${msMax / 1_000} s`);
      await this.#change(left);
    }
  }

  #hear(message: ToLauncher): void {
    if (message.type === "refused") this.#refusal = message.reason;
    if (message.type === "ready") this.#controlApi = message.controlApi;
    this.#heard.push(message);
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#changed) wake();
  }

  #change(msMax: number): Promise<void> {
    return new Promise((done) => {
      const wake = () => {
        clearTimeout(timer);
        this.#changed.delete(wake);
        done();
      };
      const timer = setTimeout(wake, msMax);
      this.#changed.add(wake);
    });
  }
}

/** `SIGKILL` or `exit code 1`. */
export function describeEnd({ code, signal }: End): string {
  return signal ?? (code === null ? "it could not be started" : `exit code ${code}`);
}
