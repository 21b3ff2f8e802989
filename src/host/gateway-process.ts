/** One gateway: a workerd process with sockets of its own. Started once; a successor is another one, with another name. */
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import { setPriority } from "node:os";
import { join } from "node:path";
import { askSocket, type SocketAnswer } from "./ask-socket.ts";
import { gatewayConfig, type GatewayConfigInput } from "./gateway-config.ts";
import { OutputLines } from "./output-lines.ts";
import type { RuntimeLogEntry } from "./runtime-log.ts";

const require = createRequire(import.meta.url);
/** Path of the program. */
const WORKERD = (require("workerd") as { readonly default: string }).default;

export type GatewayKind = "pool" | "quarantine" | "trial" | "objects";

export interface GatewayProcessParts {
  /** No other gateway of this host ever had it. */
  readonly name: string;
  readonly kind: GatewayKind;
  /** Directory of sockets and configurations. */
  readonly runDirectory: string;
  readonly config: Omit<GatewayConfigInput, "socketPath" | "internalSocketPath">;
  /** The internal socket, where others know it by a fixed path. */
  readonly internalSocketPath?: string;
  /** The same of the other one. */
  readonly socketPath?: string;
  readonly onSpawn: (pid: number) => void;
  readonly onExit: (pid: number, reason: string) => void;
  readonly onLog: (entry: RuntimeLogEntry) => void;
  /** So many lines of its output were more than the log may take. */
  readonly onSuppressed: (lines: number) => void;
}

export class GatewayProcess {
  readonly name: string;
  readonly kind: GatewayKind;
  /** Whether it asks before it runs a version. */
  readonly announces: boolean;
  readonly socketPath: string;
  readonly internalSocketPath: string;
  /** Has answered, and is not draining. */
  isUp = false;
  /** Milliseconds, of the clock of `performance`. */
  readonly startedAt = performance.now();
  readonly #files: readonly string[];
  /** One connection for each path: no question waits behind another. */
  readonly #agents = new Map<string, Agent>();
  readonly #process: ChildProcess;
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<string>;

  /** Throws the system's error if its configuration cannot be written or it cannot be started. */
  constructor(parts: GatewayProcessParts) {
    const { name, runDirectory } = parts;
    this.name = name;
    this.kind = parts.kind;
    this.announces = parts.config.supervisorSocketPath !== undefined;
    this.socketPath = parts.socketPath ?? join(runDirectory, `${name}.sock`);
    this.internalSocketPath = parts.internalSocketPath ?? join(runDirectory, `${name}-in.sock`);
    const configFile = join(runDirectory, `${name}.capnp`);
    this.#files = [this.socketPath, this.internalSocketPath, configFile];
    // A socket that an earlier process left behind cannot be bound again.
    for (const path of [this.socketPath, this.internalSocketPath]) rmSync(path, { force: true });
    const { socketPath, internalSocketPath } = this;
    const config = gatewayConfig({ ...parts.config, socketPath, internalSocketPath });
    try {
      writeFileSync(configFile, config, { mode: 0o600 });
    } catch (error) {
      rmSync(configFile, { force: true });
      throw error;
    }
    const child = spawn(WORKERD, ["serve", "--experimental", configFile], {
      cwd: runDirectory,
      // Nothing of the host's environment: what deployed code could find there would be a leak.
      env: {},
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    this.ended = new Promise((done) => {
      const end = (reason: string) => {
        for (const agent of this.#agents.values()) agent.destroy();
        for (const file of this.#files) rmSync(file, { force: true });
        if (child.pid !== undefined) parts.onExit(child.pid, reason);
        done(reason);
      };
      child.once("error", (error) => end(error.message));
      child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    });
    if (child.pid !== undefined) {
      lowerPriority(child.pid);
      parts.onSpawn(child.pid);
    }
    const lines = new OutputLines({
      onLine: (line) => parts.onLog(logEntryOf(line)),
      onSuppressed: parts.onSuppressed,
      now: () => performance.now(),
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", lines.stream());
    child.once("close", () => lines.end());
  }

  get pid(): number | undefined {
    return this.#process.exitCode === null && this.#process.signalCode === null
      ? this.#process.pid
      : undefined;
  }

  /** Ends a process that no longer answers; a busy one does not see any signal but this. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Accepts nothing new, lets requests in flight finish for up to `drainMs`, then ends. */
  async stop(drainMs: number): Promise<void> {
    this.#process.kill("SIGTERM");
    const kill = setTimeout(() => this.kill(), drainMs);
    await this.ended;
    clearTimeout(kill);
  }

  #agentOf(path: string): Agent {
    const known = this.#agents.get(path);
    if (known !== undefined) return known;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agents.set(path, agent);
    return agent;
  }

  /** Asks its internal socket; undefined if there was no whole answer in time. Never throws. */
  ask(
    method: "GET" | "POST",
    path: string,
    timeoutMs: number,
    body?: unknown,
  ): Promise<SocketAnswer | undefined> {
    return askSocket({
      socketPath: this.internalSocketPath,
      method,
      path,
      headers: { host: "gateway" },
      agent: this.#agentOf(path),
      timeoutMs,
      body,
    });
  }
}

/** Niceness of gateways: where the CPU is short, the front and the control process get three times as much each. */
const GATEWAY_NICENESS = 5;

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, GATEWAY_NICENESS);
  } catch {
    // It has ended already, or this system does not let us.
  }
}

/** workerd's structured lines; what is not one is text of its own or of deployed code. */
function logEntryOf(line: string): RuntimeLogEntry {
  try {
    const entry = JSON.parse(line) as Partial<RuntimeLogEntry>;
    if (typeof entry.message === "string") {
      const { timestamp = 0, level = "info", message } = entry;
      return { timestamp, level: String(level), message };
    }
  } catch {
    // Not JSON.
  }
  return { timestamp: 0, level: "info", message: line };
}
