/**
 * The real supervisor process over a host that is nothing but sockets and the data directory's lock.
 * The file `behaviour` in the data directory says what the next one does wrong.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDataDirectory, type DataDirectory } from "../../../src/host/data-directory.ts";
import { HostError } from "../../../src/host/host-error.ts";
import {
  runSupervisor,
  type StartParts,
  type SupervisedHost,
} from "../../../src/host/run-supervisor.ts";
import type { Settings } from "../../../src/host/settings.ts";

/** How long `/slow` takes, in milliseconds. */
const SLOW_MS = 400;

function behaviourIn(directory: string): string {
  try {
    return readFileSync(join(directory, "behaviour"), "utf8");
  } catch {
    return "";
  }
}

/** Answers one request a connection; `/pid` with this process, `/api` with the process of the control plane. */
class FixtureHost implements SupervisedHost {
  readonly url: string;
  readonly accountId = "fixture";
  readonly dataDirectory: string;
  readonly newRootToken = undefined;
  readonly controlApi: string;
  readonly #parts: StartParts;
  readonly #behaviour: string;
  readonly #front: Server;
  #directory: DataDirectory | undefined;
  #control: Server | undefined;
  /** Where API requests go; none while the control plane is away. */
  #target = Promise.withResolvers<string>();
  /** API requests in flight. */
  readonly #asking = new Set<Promise<string>>();

  constructor(settings: Settings, parts: StartParts, behaviour: string) {
    this.url = `http://127.0.0.1:${parts.listener.port}`;
    this.dataDirectory = settings.dataDirectory;
    this.controlApi = join(settings.dataDirectory, `control-${process.pid}.sock`);
    this.#parts = parts;
    this.#behaviour = behaviour;
    this.#front = createServer((socket) => this.#serve(socket));
  }

  async open(): Promise<void> {
    await this.resumeControl();
    await new Promise<void>((done) => this.#front.listen({ fd: this.#parts.listener.fd }, done));
  }

  pid(): number {
    return process.pid;
  }

  async yieldControl(): Promise<void> {
    if (this.#behaviour === "keeps") throw new Error("fixture keeps it");
    if (this.#behaviour === "dies at yield") process.kill(process.pid, "SIGKILL");
    this.#target = Promise.withResolvers();
    await Promise.all(this.#asking);
    await new Promise((done) => this.#control?.close(done) ?? done(undefined));
    this.#directory?.release();
    this.#control = undefined;
    this.#directory = undefined;
  }

  async resumeControl(): Promise<void> {
    if (this.#control) return;
    this.#directory = openDataDirectory(this.dataDirectory, this.#parts.hostPid);
    const control = createServer((socket) => socket.end(`${process.pid}`));
    this.#control = control;
    await new Promise<void>((done) => control.listen(this.controlApi, done));
    this.#target.resolve(this.controlApi);
  }

  async restartGateways(): Promise<void> {}

  async retire(controlApi: string): Promise<void> {
    this.#target.resolve(controlApi);
    await new Promise((done) => this.#front.close(done));
  }

  async stop(): Promise<void> {
    await new Promise((done) => this.#front.close(done));
    this.#control?.close();
    this.#directory?.release();
  }

  #serve(socket: Socket): void {
    socket.on("error", () => undefined);
    socket.once("data", (head) => void this.#answer(socket, head.toString("latin1")));
  }

  async #ask(socketPath: string): Promise<string> {
    const asking = ask(socketPath);
    this.#asking.add(asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(asking);
    }
  }

  async #answer(socket: Socket, head: string): Promise<void> {
    const path = head.split(" ", 2)[1];
    if (path === "/slow") await sleep(SLOW_MS);
    const body = path === "/api" ? await this.#ask(await this.#target.promise) : `${process.pid}`;
    socket.end(
      `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
}

function ask(socketPath: string): Promise<string> {
  return new Promise((done) => {
    let text = "";
    const socket = connect(socketPath);
    socket.on("error", (error) => done(`${error}`));
    socket.on("data", (chunk) => (text += chunk));
    socket.on("end", () => done(text));
  });
}

await runSupervisor(process.argv.slice(2), process.env, {
  check: (settings) => {
    if (behaviourIn(settings.dataDirectory) === "refuses to prepare") {
      throw new HostError("The fixture refuses to prepare.");
    }
  },
  start: async (settings, parts) => {
    const behaviour = behaviourIn(settings.dataDirectory);
    if (behaviour === "refuses") throw new HostError("The fixture refuses.");
    if (behaviour === "crashes") process.kill(process.pid, "SIGKILL");
    const host = new FixtureHost(settings, parts, behaviour);
    if (behaviour === "hangs") {
      openDataDirectory(settings.dataDirectory, parts.hostPid);
      writeFileSync(join(settings.dataDirectory, "hanging"), `${process.pid}`);
      await new Promise(() => undefined);
    }
    await host.open();
    if (behaviour === "crashes when ready") {
      setImmediate(() => setImmediate(() => process.kill(process.pid, "SIGKILL")));
    }
    return host;
  },
});
