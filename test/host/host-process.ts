/** Runs the host as people do, as a process of its own, over the fixture Worker. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const MAIN = fileURLToPath(new URL("fixture-main.ts", import.meta.url));
const started: HostProcess[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const host of started.splice(0)) await host.kill("SIGKILL");
  for (const path of directories.splice(0)) {
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
});

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "switchback-host-"));
  directories.push(path);
  return path;
}

export class HostProcess {
  stdout = "";
  stderr = "";
  readonly exited: Promise<number | string>;
  readonly child: ChildProcess;

  /** A process that was started in a way of its own, or flags for `main`. */
  constructor(
    command: ChildProcess | readonly string[],
    env: Record<string, string> = {},
    main = MAIN,
  ) {
    this.child = isList(command)
      ? spawn(process.execPath, [main, ...command], {
          env: { PATH: process.env["PATH"], ...env },
          stdio: ["ignore", "pipe", "pipe"],
        })
      : command;
    this.child.stdout?.on("data", (chunk) => (this.stdout += chunk));
    this.child.stderr?.on("data", (chunk) => (this.stderr += chunk));
    this.exited = new Promise((done) => {
      this.child.once("close", (code, signal) => done(code ?? signal ?? "unknown"));
    });
    started.push(this);
  }

  /** The match, as soon as standard output has it. Fails if the process ends before. */
  async seen(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      const ended = await Promise.race([
        this.exited,
        new Promise<undefined>((done) => this.child.stdout?.once("data", () => done(undefined))),
      ]);
      const late = pattern.exec(this.stdout);
      if (late) return late;
      if (ended !== undefined) {
        throw new Error(`ended (${ended}) without ${pattern}: ${this.stdout}${this.stderr}`);
      }
    }
  }

  /** The URL, once the host is ready. */
  async url(): Promise<string> {
    return (await this.seen(/switchback ready url=(\S+)/))[1] ?? "";
  }

  /** Process id of the runtime named by the last event. */
  runtimePid(): number {
    const all = [
      ...this.stdout.matchAll(/(?:ready url.* runtime|runtime back (?!of=).* pid)=(\d+)/g),
    ];
    return Number(all.at(-1)?.[1]);
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.exited;
  }
}

function isList(command: ChildProcess | readonly string[]): command is readonly string[] {
  return Array.isArray(command);
}

/** Starts a host on a free port and a directory, and waits until it serves. */
export async function startedHost(
  directory: string,
  { flags = [], env = {} }: { flags?: readonly string[]; env?: Record<string, string> } = {},
): Promise<{ host: HostProcess; url: string }> {
  const host = new HostProcess(["--port", "0", "--data", directory, ...flags], env);
  return { host, url: await host.url() };
}

export async function read(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

/** Waits for the end of a process that is not a child of this one. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}
