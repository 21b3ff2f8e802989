/** One self-hosted Switchback as an operator runs it: the host's own process over a data directory of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Cloudflare from "cloudflare";
import { isRunning, processesBelow, type HostProcess, type ProcessKind } from "./host-processes.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { visit, type Visit, type VisitOptions } from "./visit.ts";

const MAIN = fileURLToPath(new URL("../../../src/host/main.ts", import.meta.url));
export const ROOT_TOKEN = "sbk_e2e_root_token_of_the_tests_only";
export const ACCOUNT_ID = "e2e0e2e0e2e0e2e0e2e0e2e0e2e0e2e0";

/** Cloudflare's envelope. `result` is whatever the call gives. */
export interface Envelope {
  readonly success: boolean;
  readonly errors: readonly { code: number; message: string; meta?: unknown }[];
  readonly messages: readonly unknown[];
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers whose shape is what they test
  readonly result: any;
}

export interface ApiAnswer extends Envelope {
  readonly status: number;
  readonly headers: Headers;
}

export interface HostStart {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class TestHost {
  readonly directory = temporaryDirectory();
  #port = 0;
  #child: ChildProcess | undefined;
  #output = "";
  #exited: Promise<unknown> = Promise.resolve();
  readonly #main: string;

  /** `main`: the entry of another release. */
  constructor(main = MAIN) {
    this.#main = main;
  }

  /** The first start takes a free port; later ones the same port and data. */
  async start({ flags = [], env = {} }: HostStart = {}): Promise<void> {
    this.#output = "";
    const child = spawn(
      process.execPath,
      [this.#main, "--port", String(this.#port), "--data", this.directory, ...flags],
      {
        env: {
          PATH: process.env["PATH"],
          SWITCHBACK_ROOT_TOKEN: ROOT_TOKEN,
          SWITCHBACK_ACCOUNT_ID: ACCOUNT_ID,
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#child = child;
    this.#exited = new Promise((done) => child.once("close", done));
    child.stdout.on("data", (chunk) => (this.#output += chunk));
    child.stderr.on("data", (chunk) => (this.#output += chunk));
    const ready = await this.logged(/switchback ready url=http:\/\/localhost:(\d+)/);
    this.#port = Number(ready[1]);
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Everything that the host has printed since its last start. */
  get log(): string {
    return this.#output;
  }

  /** The match, as soon as the host has printed it. Fails if the host ends before. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const child = this.#child;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match) return match;
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`the host ended without ${pattern}:\n${this.#output}`);
      }
      await new Promise<void>((done) => {
        child.stdout?.once("data", () => done());
        child.once("close", () => done());
      });
    }
  }

  /** As an operator does it: SIGTERM, and the host's own goodbye. */
  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#exited;
  }

  /** Ends every process of the host at once, with no chance to finish anything. */
  async killEverything(): Promise<void> {
    const all = this.processes();
    // The launcher is the first, so nobody starts anything again.
    for (const { pid } of all) killNow(pid);
    await this.#exited;
    await untilEnded(all);
  }

  /** All that run now, or those of one kind: launcher, supervisor, its guard, control process, gateways. */
  processes(kind?: ProcessKind): HostProcess[] {
    const child = this.#child;
    const runs = child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
    const all = runs ? processesBelow(child.pid) : [];
    return kind === undefined ? all : all.filter((process) => process.kind === kind);
  }

  /** Ends the gateway of that name, or the first of that kind, and waits until it has ended. */
  async killGateway(which: string = "pool"): Promise<HostProcess> {
    return this.#kill(({ name, kind }) => name === which || kind === which, which);
  }

  /** Ends the supervisor and waits until it has ended; the launcher has to start it again. */
  async killSupervisor(): Promise<HostProcess> {
    return this.#kill(({ kind }) => kind === "supervisor", "supervisor");
  }

  async #kill(isMeant: (process: HostProcess) => boolean, what: string): Promise<HostProcess> {
    const victim = this.processes().find(isMeant);
    if (!victim) throw new Error(`the host has no ${what}: ${JSON.stringify(this.processes())}`);
    killNow(victim.pid);
    await untilEnded([victim]);
    return victim;
  }

  /** Ends the control process only, whose process id it gives; the host has to bring it back. */
  killRuntime(): number {
    const pid = this.runtimePid();
    process.kill(pid, "SIGKILL");
    return pid;
  }

  /** Process id of the control process, as the host has told it last. */
  runtimePid(): number {
    const all = [
      ...this.#output.matchAll(/(?:ready url.* runtime|runtime back (?!of=).* pid)=(\d+)/g),
    ];
    return Number(all.at(-1)?.[1]);
  }

  async dispose(): Promise<void> {
    await this.killEverything();
    if (process.env["SWITCHBACK_E2E_LOG"]) process.stderr.write(this.#output);
  }

  /** A visitor's request to `host`, e.g. `shop.localhost`. */
  visit(host: string, options: VisitOptions | string = {}): Promise<Visit> {
    return visit(this.#port, host, typeof options === "string" ? { path: options } : options);
  }

  /** A request to the API; `path` below `/client/v4`, with `A` for the account's own part. */
  async api(path: string, init: RequestInit = {}): Promise<ApiAnswer> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${ROOT_TOKEN}`);
    const response = await fetch(`http://127.0.0.1:${this.#port}/client/v4${expand(path)}`, {
      ...init,
      headers,
    });
    const text = await response.text();
    let envelope: Envelope;
    try {
      envelope = JSON.parse(text) as Envelope;
    } catch {
      throw new Error(`${init.method ?? "GET"} ${path} answered ${response.status} with ${text}`);
    }
    return { ...envelope, status: response.status, headers: response.headers };
  }

  /** {@link api} with a JSON body. */
  send(method: string, path: string, body: unknown): Promise<ApiAnswer> {
    return this.api(path, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  sdk(options: { readonly token?: string; readonly maxRetries?: number } = {}): Cloudflare {
    return new Cloudflare({
      apiToken: options.token ?? ROOT_TOKEN,
      baseURL: `http://127.0.0.1:${this.#port}/client/v4`,
      maxRetries: options.maxRetries ?? 0,
    });
  }

  /** Rows of the history database, for what no client is told. Of a stopped host. */
  ledger(query: string, ...values: string[]): Record<string, unknown>[] {
    const file = this.#files().find((path) => /[/\\]d1[/\\].*[\da-f]{64}\.sqlite$/.test(path));
    if (file === undefined) throw new Error("the data directory has no database");
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(query).all(...values);
    } finally {
      database.close();
    }
  }

  /** The files of the data directory that hold `text` as it is. */
  filesWith(text: string): string[] {
    return this.#files().filter((file) => readFileSync(file).includes(text));
  }

  #files(): string[] {
    return readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }
}

function expand(path: string): string {
  return path.replace(/^\/?A(?=\/|$)/, `/accounts/${ACCOUNT_ID}`);
}

/** It may have ended by itself meanwhile. */
function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has.
  }
}

async function untilEnded(processes: readonly HostProcess[]): Promise<void> {
  while (processes.some(({ pid }) => isRunning(pid))) await sleep(10);
}
