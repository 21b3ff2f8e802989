/** Visitors over kept and new connections, deployments and uploads, on several Workers at once. */
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "./api.ts";
import { ask, Hang } from "./http-ask.ts";
import type { Machine } from "./machine.ts";
import { Register } from "./registers.ts";

const WORKERS = ["alpha", "beta", "gamma"] as const;
const VISITORS_ON_KEPT_CONNECTIONS = 6;
const VISITORS_ON_NEW_CONNECTIONS = 2;
/** A visitor's request is held for 10 s at most, twice; a process that sleeps adds its sleep. */
const VISIT_MS_MAX = 45_000;

export class Load {
  readonly api: Api;
  readonly registers = new Map<string, Register>(WORKERS.map((name) => [name, new Register(name)]));
  readonly hangs: string[] = [];
  /** Visitors' requests by what became of them. */
  readonly visits: Record<string, number> = {};
  uploads = 0;
  readonly #machine: Machine;
  readonly #random: () => number;
  readonly #versions = new Map<string, string[]>();
  readonly #tags = new Map<string, string>();
  #keys = 0;
  #tagsMade = 0;
  #over = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(machine: Machine, random: () => number) {
    this.#machine = machine;
    this.#random = random;
    this.api = new Api(() => machine.port);
  }

  /** Workers with three versions each; the first deployments are part of the history. */
  async prepare(): Promise<void> {
    await Promise.all(
      WORKERS.map(async (worker) => {
        await this.api.createWorker(worker, this.#newTag());
        const [first] = await this.api.history(worker);
        if (first === undefined) throw new Error(`${worker} has not been deployed`);
        this.#register(worker).changes.begin(first.message, first.seq).acknowledged(first.seq);
        for (let n = 0; n < 3; n++) await this.#upload(worker);
        await this.#deploy(worker);
      }),
    );
  }

  start(): void {
    const visitor = (name: string, kept: boolean) => this.#visit(name, kept);
    this.#running = Promise.all([
      ...Array.from({ length: VISITORS_ON_KEPT_CONNECTIONS }, (_, n) => visitor(`kept ${n}`, true)),
      ...Array.from({ length: VISITORS_ON_NEW_CONNECTIONS }, (_, n) => visitor(`new ${n}`, false)),
      ...[...WORKERS, "alpha"].map((worker) => this.#keepDeploying(worker)),
      this.#keepUploading(),
    ]);
  }

  /** Lets everything end that has begun. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** After the end: one more deployment each, which has to be what visitors see, then the whole history. */
  async settle(): Promise<void> {
    for (const worker of WORKERS) {
      await this.#deploy(worker);
      for (const host of hostsOf(worker)) await this.#visitOnce("settled", worker, host, false);
      this.#register(worker).ledger(
        (await this.api.history(worker)).map((row) => ({ ...row, status: "active" })),
      );
    }
    this.api.close();
  }

  /** Whether each Worker answers a request that begins now. */
  async servesAll(): Promise<boolean> {
    const looks = WORKERS.map((worker) =>
      ask(this.#machine.port, {
        path: "/",
        host: `${worker}.localhost`,
        agent: false,
        msMax: VISIT_MS_MAX,
      }).catch(() => null),
    );
    return (await Promise.all(looks)).every((answer) => answer?.status === 200);
  }

  /** That are up, as the host says; 0 if it says nothing. */
  async gateways(): Promise<number> {
    const asked = {
      path: "/readyz",
      host: "localhost",
      agent: false,
      msMax: VISIT_MS_MAX,
    } as const;
    const answer = await ask(this.#machine.port, asked).catch(() => null);
    return answer?.status === 200 ? Number(JSON.parse(answer.text).gateways) : 0;
  }

  async #visit(name: string, kept: boolean): Promise<void> {
    const agent = kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : (false as const);
    while (!this.#over) {
      const worker = this.#pick(WORKERS);
      await this.#visitOnce(name, worker, this.#pick(hostsOf(worker)), agent);
      await sleep(kept ? 2 : 10);
    }
    if (agent) agent.destroy();
  }

  async #visitOnce(reader: string, worker: string, host: string, agent: Agent | false) {
    const bytes = this.#random() < 0.2 ? Math.floor(this.#random() * 50_000) : 0;
    const body = bytes === 0 ? {} : { method: "POST", body: "x".repeat(bytes) };
    try {
      const asked = { path: "/", host, agent, msMax: VISIT_MS_MAX, ...body };
      const { status, headers, text, startedAt, endedAt } = await ask(this.#machine.port, asked);
      const stale = headers["x-switchback-stale"] !== undefined;
      const error = String(headers["x-switchback-error"] ?? "");
      this.#count(stale ? "last known" : `${status} ${error}`.trim());
      if (status !== 200 || stale) return;
      const register = this.#register(worker);
      const versionId = String(headers["x-switchback-version"]);
      const seq = Number(headers["x-switchback-sequence"]);
      register.read({ startedAt, endedAt, reader, seq }, versionId);
      const said = JSON.parse(text) as { tag: string; bytes: number };
      const tag = this.#tags.get(versionId);
      if (tag !== undefined && said.tag !== tag) register.wrong(`${versionId} said ${said.tag}`);
      if (said.bytes !== bytes) register.wrong(`of ${bytes} bytes sent, ${said.bytes} arrived`);
    } catch (error) {
      this.#count(error instanceof Hang ? "hang" : "no answer");
      if (error instanceof Hang) this.hangs.push(error.message);
      await sleep(10);
    }
  }

  async #keepDeploying(worker: string): Promise<void> {
    while (!this.#over) {
      await this.#deploy(worker);
      await sleep(this.#random() * 300);
    }
  }

  async #deploy(worker: string): Promise<void> {
    const key = `k${(this.#keys += 1)}`;
    const version = this.#pick(this.#versions.get(worker) ?? []);
    const pending = this.#register(worker).changes.begin(key, null);
    await this.api.deploy(worker, version, key, pending);
  }

  async #keepUploading(): Promise<void> {
    while (!this.#over) {
      await sleep(500 + this.#random() * 1_500);
      if (this.#over) return;
      await this.#upload(this.#pick(WORKERS));
      this.uploads++;
    }
  }

  async #upload(worker: string): Promise<void> {
    const tag = this.#newTag();
    const id = await this.api.upload(worker, tag);
    this.#tags.set(id, tag);
    this.#versions.set(worker, [...(this.#versions.get(worker) ?? []), id].slice(-5));
  }

  #newTag = () => `t${(this.#tagsMade += 1)}`;

  #count(what: string): void {
    this.visits[what] = (this.visits[what] ?? 0) + 1;
  }

  #register(worker: string): Register {
    const register = this.registers.get(worker);
    if (register === undefined) throw new Error(`there is no Worker ${worker}`);
    return register;
  }

  #pick<T>(all: readonly T[]): T {
    const one = all[Math.floor(this.#random() * all.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }
}

/** A Worker's own host and two of its route, which other gateways may serve. */
const hostsOf = (worker: string) => [
  `${worker}.localhost`,
  `a.${worker}.example`,
  `b.${worker}.example`,
];
