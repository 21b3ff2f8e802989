/**
 * One run: readers at every gateway, deployers, a host that moves, and something that goes wrong; then the
 * question whether the history of each register is one that a single register could have shown.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PlantedBug } from "./bundle.ts";
import { makeChaos, type Chaos, type Done } from "./chaos.ts";
import { Cluster, type Gateway, type LeaseConfiguration } from "./cluster.ts";
import type { LedgerRow } from "./changes.ts";
import { History, type Verdict } from "./history.ts";
import { seeded } from "./random.ts";
import { ALPHA, BETA, MOVING_HOST, type ReadAnswer } from "./workers/names.ts";

export interface RunOptions {
  readonly chaos: Chaos;
  readonly seconds: number;
  readonly seed: number;
  readonly lease: LeaseConfiguration;
  /** The run ends as soon as it is seen. */
  readonly bug?: PlantedBug;
}

export interface Report extends Verdict, Done {
  readonly chaos: Chaos;
  readonly seed: number;
  readonly seconds: number;
  /** By `<lock>/<fault point>`. */
  readonly aborts: Readonly<Record<string, number>>;
  /** With a planted bug: requests that were served by what was known to be over. */
  readonly servedOld: number;
}

type Answered<T> = { readonly ok: true; readonly value: T } | Refused;
interface Refused {
  readonly ok: false;
  readonly error: { readonly kind: string };
}
type DeployAnswer = Answered<{ readonly deployment: { readonly seq: number } }>;
type MoveAnswer = Answered<unknown>;

const READERS_PER_GATEWAY = 3;
const DEPLOYERS = 2;
/** Longer than the longest drive of a change (25 s), so that an answer is never given up before its driver has. */
const CHANGE_TIMEOUT_MS = 30_000;
const READ_TIMEOUT_MS = 15_000;
const DEPLOY_TRIES_MAX = 200;
/** After the last fault: how long every lock gets to finish, and the ledger to hear of it. */
const SETTLE_MS = 20_000;
const HOSTS = ["alpha.localhost", "beta.localhost", MOVING_HOST] as const;

export async function run(options: RunOptions): Promise<Report> {
  const cluster = await Cluster.start(options.lease, options.bug ?? null);
  try {
    return await new Harness(cluster, options).run();
  } finally {
    await cluster.dispose();
  }
}

class Harness {
  readonly #cluster: Cluster;
  readonly #options: RunOptions;
  readonly #history = new History();
  readonly #done: Done = { kills: 0, pauses: 0, deaths: 0 };
  readonly #random: () => number;
  #versions: Record<string, string[]> = {};
  #over = false;
  #changes = 0;
  #keys = 0;

  constructor(cluster: Cluster, options: RunOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  async run(): Promise<Report> {
    const { chaos, seconds, bug } = this.#options;
    this.#versions = await this.#cluster.control.post("setup", {}, CHANGE_TIMEOUT_MS);
    for (const worker of [ALPHA, BETA]) await this.#deploy(worker);
    await this.#move();
    const startedAt = performance.now();
    const clients = [
      ...this.#cluster.gateways.flatMap((gateway) =>
        Array.from({ length: READERS_PER_GATEWAY }, () => this.#reader(gateway)),
      ),
      ...Array.from({ length: DEPLOYERS }, () => this.#deployer(ALPHA)),
      this.#deployer(BETA),
      this.#mover(),
    ];
    const isOver = () => this.#over;
    const trouble = makeChaos(chaos, {
      cluster: this.#cluster,
      random: this.#random,
      done: this.#done,
      leaseMs: this.#options.lease.leaseMs,
      isOver,
    });
    await this.#wait(startedAt + seconds * 1_000);
    this.#over = true;
    await trouble;
    await Promise.all(clients);
    const took = (performance.now() - startedAt) / 1_000;
    if (bug !== undefined) return this.#report(took, this.#history.servedOld().length);
    await this.#settle();
    return this.#report(took, 0);
  }

  #report(seconds: number, servedOld: number): Report {
    const { chaos, seed } = this.#options;
    const aborts = Object.fromEntries(this.#cluster.aborts);
    return { chaos, seed, seconds, ...this.#history.verdict(), ...this.#done, aborts, servedOld };
  }

  async #wait(until: number): Promise<void> {
    while (performance.now() < until) {
      await sleep(250);
      if (this.#options.bug !== undefined && this.#history.servedOld().length > 0) return;
    }
  }

  async #reader({ client, name }: Gateway): Promise<void> {
    for (let turn = 0; !this.#over; turn++) {
      const host = HOSTS[turn % HOSTS.length] ?? MOVING_HOST;
      const startedAt = performance.now();
      try {
        const answer = await client.send("GET", "/", host, null, READ_TIMEOUT_MS);
        const endedAt = performance.now();
        if (answer.status === 200) {
          const said = JSON.parse(answer.text) as ReadAnswer;
          this.#history.read({ startedAt, endedAt, reader: name, host, said });
        } else {
          this.#history.refusedRead(answer.status);
        }
      } catch {
        this.#history.lostRead();
        await sleep(20);
      }
      // Now and then a pause, so that leases run out and the next request has to ask.
      if (Math.random() < 0.02) await sleep(Math.random() * 2 * this.#options.lease.leaseMs);
    }
  }

  async #deployer(worker: string): Promise<void> {
    while (!this.#over) {
      await this.#deploy(worker);
      await sleep(this.#random() * 300);
    }
  }

  /** One deployment with one key, asked for again until there is an answer. */
  async #deploy(worker: string): Promise<void> {
    const key = `k${(this.#keys += 1)}`;
    const versions = this.#versions[worker] ?? [];
    const version = versions[Math.floor(this.#random() * versions.length)];
    const write = this.#history.deploying(worker, key);
    for (let tries = 1; tries <= DEPLOY_TRIES_MAX; tries++) {
      try {
        const answer = await this.#cluster.control.post<DeployAnswer>(
          "deploy",
          { worker, version, key },
          CHANGE_TIMEOUT_MS,
        );
        if (answer.ok) return write.acknowledged(answer.value.deployment.seq);
        if (answer.error.kind !== "outcome_unknown") return write.refused(answer.error.kind);
      } catch {
        // Killed on the way.
      }
      write.unanswered();
      await sleep(50);
    }
  }

  async #mover(): Promise<void> {
    while (!this.#over) {
      await this.#move();
      await sleep(this.#random() * 300);
    }
  }

  async #move(): Promise<void> {
    const change = (this.#changes += 1);
    const write = this.#history.moving(change);
    try {
      const answer = await this.#cluster.control.post<MoveAnswer>(
        "route",
        { change },
        CHANGE_TIMEOUT_MS,
      );
      if (answer.ok) write.acknowledged(change);
      else if (answer.error.kind === "outcome_unknown") write.unanswered();
      else write.refused(answer.error.kind);
    } catch {
      write.unanswered();
      await sleep(50);
    }
  }

  /** Nothing goes wrong any more: one more change of each register, then the ledger has heard of everything. */
  async #settle(): Promise<void> {
    await this.#cluster.clearFaults();
    const deadline = performance.now() + SETTLE_MS;
    await Promise.all([this.#deploy(ALPHA), this.#deploy(BETA), this.#move()]);
    for (const worker of [ALPHA, BETA]) {
      let rows: LedgerRow[] = [];
      do {
        await sleep(100);
        rows = await this.#cluster.control.post<LedgerRow[]>(
          "ledger",
          { worker },
          CHANGE_TIMEOUT_MS,
        );
      } while (performance.now() < deadline && rows.some((row) => row.status === "committing"));
      this.#history.ledger(worker, rows);
    }
  }
}
