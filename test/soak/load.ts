/** Everything that happens to the host meanwhile: visitors of four kinds, deployments, and one who does harm. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { openWebSocket, RawWebSocket } from "../e2e/support/raw-web-socket.ts";
import type { SoakHost } from "./soak-host.ts";
import type { Tally } from "./tally.ts";

const PLAIN_EVERY_MS = 50;
const CHANGING_EVERY_MS = 50;
const STREAM_EVERY_MS = 500;
const WEB_SOCKETS = 20;
const MESSAGES_PER_WEB_SOCKET = 20;
const MESSAGE_EVERY_MS = 1_000;
const CHANGE_EVERY_MS = 5_000;
const ATTACK_EVERY_MS = 60_000;
const ATTACK_CLIENTS = 5;
/** Until the harmful version is stopped; after that it is rolled back anyway. */
const ATTACK_MS_MAX = 20_000;
/** What the harm has left is over by then: processes replaced, their connections cut. */
const ATTACK_ECHO_MS = 10_000;
const ANSWER_MS_MAX = 60_000;
/** IANA's code for "Service Restart". */
const SERVICE_RESTART = 1012;
const CHUNKS = 64;
const CHUNK_BYTES = 1_024;

const says = (text: string) => `export default { fetch: () => new Response("${text}") };`;
const LOOPS = "export default { fetch() { for (;;) {} } };";
const ECHOES = `export default { fetch() {
  const { 0: client, 1: server } = new WebSocketPair();
  server.addEventListener("message", ({ data }) => server.send("echo of " + data));
  server.accept();
  return new Response(null, { status: 101, webSocket: client });
} };`;
const STREAMS = `export default { fetch() {
  const { readable, writable } = new TransformStream();
  const send = async () => {
    const writer = writable.getWriter();
    for (let n = 0; n < ${CHUNKS}; n++) {
      await writer.write(new Uint8Array(${CHUNK_BYTES}));
      await scheduler.wait(5);
    }
    await writer.close();
  };
  void send();
  return new Response(readable);
} };`;

export class Load {
  readonly #host: SoakHost;
  readonly #tally: Tally;
  readonly #attacks: boolean;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #runs: Promise<void>[] = [];
  #going = true;
  /** Of the Worker that changes: what every later request has to be served by, at least. */
  #acknowledged = 0;
  /** Of the Worker that does harm now and then: the version that does none. */
  #good = "";
  /** The version before its newest one. */
  #before = "";
  changes = 0;
  attacks = 0;

  /** `attacks`: whether there are any. */
  constructor(host: SoakHost, tally: Tally, attacks: boolean) {
    this.#attacks = attacks;
    this.#host = host;
    this.#tally = tally;
  }

  async start(): Promise<void> {
    await this.#host.put("plain", says("plain"));
    await this.#host.put("changing", says("version 0"));
    await this.#host.put("streams", STREAMS);
    await this.#host.put("sockets", ECHOES);
    await this.#host.put("bad", says("good"));
    this.#good = await this.#host.newestVersion("bad");
    this.#acknowledged = 1;
    this.#runs.push(
      this.#steadily(PLAIN_EVERY_MS, () => this.#plain()),
      this.#steadily(CHANGING_EVERY_MS, () => this.#readChanging()),
      this.#steadily(STREAM_EVERY_MS, () => this.#stream()),
      this.#again(CHANGE_EVERY_MS, () => this.#change()),
      ...(this.#attacks ? [this.#again(ATTACK_EVERY_MS, () => this.#attack())] : []),
      ...Array.from({ length: WEB_SOCKETS }, () => this.#again(0, () => this.#webSocket())),
    );
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#runs);
    this.#agent.destroy();
  }

  /** One after the other begins on time, however long they take. */
  async #steadily(everyMs: number, what: () => Promise<void>): Promise<void> {
    const underWay = new Set<Promise<void>>();
    let next = performance.now();
    while (this.#going) {
      const one: Promise<void> = what().finally(() => underWay.delete(one));
      underWay.add(one);
      next += everyMs;
      await sleep(Math.max(0, next - performance.now()));
    }
    await Promise.all(underWay);
  }

  async #again(pauseMs: number, what: () => Promise<void>): Promise<void> {
    while (this.#going) {
      await this.#pause(pauseMs);
      if (!this.#going) return;
      try {
        await what();
      } catch (error) {
        this.#tally.failure(String(error));
        await this.#pause(MESSAGE_EVERY_MS);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (this.#going && performance.now() < end) {
      await sleep(Math.max(1, Math.min(100, end - performance.now())));
    }
  }

  async #plain(): Promise<void> {
    const answer = await this.#get("plain");
    if (answer !== null && answer.body !== "plain") {
      this.#tally.violation(`plain answered ${answer.body.slice(0, 80)}`);
    }
  }

  async #readChanging(): Promise<void> {
    const least = this.#acknowledged;
    const answer = await this.#get("changing");
    if (answer === null) return;
    if (!(answer.sequence >= least)) {
      this.#tally.violation(`changing: deployment ${answer.sequence} after ${least}`);
    }
  }

  async #stream(): Promise<void> {
    const answer = await this.#get("streams", true);
    if (answer !== null && answer.body.length !== CHUNKS * CHUNK_BYTES) {
      this.#tally.failure(`a stream ended after ${answer.body.length} bytes`, true);
    }
  }

  async #webSocket(): Promise<void> {
    const socket = await openWebSocket(this.#host.port, "sockets.localhost");
    if (!(socket instanceof RawWebSocket)) {
      this.#tally.failure(`a WebSocket was answered with ${socket}`, true);
      return this.#pause(MESSAGE_EVERY_MS);
    }
    let isOver = false;
    void socket.closed.then(() => (isOver = true));
    for (let n = 0; n < MESSAGES_PER_WEB_SOCKET && this.#going; n++) {
      socket.send(`message ${n}`);
      await this.#pause(MESSAGE_EVERY_MS);
      if (!this.#going) break;
      if (isOver) return this.#closed(socket);
      const end = performance.now() + ANSWER_MS_MAX;
      const hasCome = () => socket.received.includes(`echo of message ${n}`);
      while (!hasCome() && !isOver && performance.now() < end) await sleep(50);
      if (isOver) return this.#closed(socket);
      if (!hasCome()) return this.#tally.failure(`no echo of message ${n}`);
    }
    socket.cut();
    await socket.closed;
  }

  #closed({ closeCode }: RawWebSocket): void {
    if (closeCode === SERVICE_RESTART) this.#tally.closedForRestart++;
    else this.#tally.failure(`a WebSocket was closed with ${closeCode ?? "no word"}`, true);
  }

  /** Two times forward to a new version, then back to the one before. */
  async #change(): Promise<void> {
    const host = this.#host;
    const isRollback = this.changes % 3 === 2;
    const serving = await host.newestVersion("changing");
    const version = isRollback
      ? this.#before
      : await host.uploadVersion("changing", says(`version ${this.changes + 1}`));
    this.#before = serving;
    await host.deploy("changing", version);
    this.#acknowledged++;
    this.changes++;
  }

  async #attack(): Promise<void> {
    const host = this.#host;
    this.#tally.attack(true);
    this.attacks++;
    await host.deploy("bad", await host.uploadVersion("bad", `${LOOPS} // ${this.attacks}`));
    const end = performance.now() + ATTACK_MS_MAX;
    let isOver = false;
    const attackers = Array.from({ length: ATTACK_CLIENTS }, async () => {
      while (!isOver) {
        await this.#ask("bad").catch(() => null);
        await sleep(100);
      }
    });
    while (performance.now() < end && this.#going && (await host.stoppedVersions("bad")) === 0) {
      await sleep(200);
    }
    await host.deploy("bad", this.#good);
    isOver = true;
    await Promise.all(attackers);
    await this.#pause(ATTACK_ECHO_MS);
    this.#tally.attack(false);
  }

  /** Null if it failed, which is told. */
  async #get(worker: string, lasting = false): Promise<Answer | null> {
    const startedAt = performance.now();
    try {
      const answer = await this.#ask(worker);
      if (answer.status === 200) {
        if (!lasting) this.#tally.answer(performance.now() - startedAt);
        return answer;
      }
      this.#tally.failure(`${worker} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    } catch (error) {
      this.#tally.failure(`${worker}: ${String(error)}`, lasting);
    }
    return null;
  }

  #ask(worker: string): Promise<Answer> {
    return new Promise((done, fail) => {
      const asking = request(
        {
          agent: this.#agent,
          host: "127.0.0.1",
          port: this.#host.port,
          setHost: false,
          headers: { host: `${worker}.localhost` },
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        },
        (response) => {
          let body = "";
          response.setEncoding("latin1");
          response.on("data", (chunk: string) => (body += chunk));
          response.once("error", fail);
          response.once("end", () =>
            done({
              status: response.statusCode ?? 0,
              sequence: Number(response.headers["x-switchback-sequence"]),
              body,
            }),
          );
        },
      );
      asking.once("error", fail);
      asking.end();
    });
  }
}

interface Answer {
  readonly status: number;
  readonly sequence: number;
  readonly body: string;
}
