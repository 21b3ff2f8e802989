/** Kills and pauses processes at random, waits until everything is back by itself, and keeps the times. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HostProcess, ProcessKind } from "../../e2e/support/host-processes.ts";
import type { Machine } from "./machine.ts";

/** How often each kind is chosen: what holds little is killed most. */
const WEIGHTS: Record<ProcessKind, number> = {
  pool: 8,
  quarantine: 2,
  control: 5,
  data: 3,
  sql: 1,
  objects: 1,
  trial: 2,
  supervisor: 3,
  launcher: 2,
  guard: 2,
};
const KINDS = Object.keys(WEIGHTS) as ProcessKind[];
/** One of each has to be there again. A dead guard is not replaced while its supervisor lives. */
const SINGLE: readonly ProcessKind[] = [
  "launcher",
  "supervisor",
  "control",
  "data",
  "sql",
  "trial",
];
/** Of all volleys: those of two processes soon after one another. */
const DOUBLE = 0.2;
/** Of all blows: those that only put a process to sleep. */
const PAUSE = 0.12;
const PAUSE_MS_MAX = 4_500;
/** The guard is a shell that only waits: asleep or not is no difference. */
const PAUSABLE: ReadonlySet<ProcessKind> = new Set([
  "pool",
  "quarantine",
  "control",
  "trial",
  "supervisor",
  "launcher",
]);
const LOOK_MS = 15;
/** Far above what any restart takes; who is not back by then will not come back by itself. */
const BACK_MS_MAX = 60_000;

export interface Blows {
  kills: number;
  pauses: number;
  /** After a kill of this process alone: until the API and each Worker answered what began then, in milliseconds. */
  readonly servedMs: number[];
  /** Until there were as many processes of each kind as before, in milliseconds. */
  readonly wholeMs: number[];
}

export interface KillerParts {
  readonly machine: Machine;
  readonly random: () => number;
  /** Whether the API and every Worker answer a request that begins now. */
  readonly serves: () => Promise<boolean>;
  /** Gateways that visitors' requests are given to, as the host itself says. */
  readonly gateways: () => Promise<number>;
  /** Ends the killing early. */
  readonly isOver: () => boolean;
}

export class Killer {
  readonly byKind = new Map<ProcessKind, Blows>(
    KINDS.map((kind) => [kind, { kills: 0, pauses: 0, servedMs: [], wholeMs: [] }]),
  );
  /** What did not come back. */
  readonly stuck: string[] = [];
  readonly #parts: KillerParts;
  /** Every process that was ever seen. */
  readonly seen = new Map<number, ProcessKind>();

  constructor(parts: KillerParts) {
    this.#parts = parts;
  }

  get kills(): number {
    return [...this.byKind.values()].reduce((sum, { kills }) => sum + kills, 0);
  }

  async run(kills: number): Promise<void> {
    const gateways = await this.#parts.gateways();
    while (this.kills < kills && this.stuck.length === 0 && !this.#parts.isOver()) {
      const first = await this.#blow();
      const second = this.#parts.random() < DOUBLE;
      if (second) {
        await sleep(this.#parts.random() * 1_500);
        await this.#blow();
      }
      await this.#recovered(gateways, second ? null : first);
      await sleep(this.#parts.random() * 500);
    }
  }

  /** What was killed; null if it was only put to sleep for a while, or had just ended. */
  async #blow(): Promise<{ kind: ProcessKind; at: number } | null> {
    const { machine, random } = this.#parts;
    const victim = this.#pick(this.#processes());
    if (victim === undefined) return null;
    const { pid, kind } = victim;
    const blows = this.#blows(kind);
    if (PAUSABLE.has(kind) && random() < PAUSE) {
      if (!machine.signal(pid, "SIGSTOP")) return null;
      blows.pauses++;
      await sleep(200 + random() * PAUSE_MS_MAX);
      machine.signal(pid, "SIGCONT");
      return null;
    }
    const at = performance.now();
    if (!machine.signal(pid, "SIGKILL")) return null;
    blows.kills++;
    return { kind, at };
  }

  async #recovered(
    gateways: number,
    after: { kind: ProcessKind; at: number } | null,
  ): Promise<void> {
    const deadline = performance.now() + BACK_MS_MAX;
    const what = after?.kind ?? "several";
    const isLate = () => performance.now() > deadline;
    while (!(await this.#parts.serves())) {
      if (isLate()) return void this.stuck.push(`no service after ${what}`);
      await sleep(LOOK_MS);
    }
    const servedAt = performance.now();
    while (!(await this.#isWhole(gateways))) {
      if (isLate()) return void this.stuck.push(`not whole after ${what}`);
      await sleep(LOOK_MS);
    }
    if (after === null) return;
    const { servedMs, wholeMs } = this.#blows(after.kind);
    servedMs.push(servedAt - after.at);
    wholeMs.push(performance.now() - after.at);
  }

  async #isWhole(gateways: number): Promise<boolean> {
    const kinds = new Set(this.#processes().map(({ kind }) => kind));
    return SINGLE.every((kind) => kinds.has(kind)) && (await this.#parts.gateways()) >= gateways;
  }

  #processes(): HostProcess[] {
    const all = this.#parts.machine.processes();
    for (const { pid, kind } of all) this.seen.set(pid, kind);
    return all;
  }

  #pick(all: readonly HostProcess[]): HostProcess | undefined {
    const kinds = KINDS.filter((kind) => all.some((one) => one.kind === kind));
    const sum = kinds.reduce((total, kind) => total + WEIGHTS[kind], 0);
    let left = this.#parts.random() * sum;
    const chosen = kinds.find((kind) => (left -= WEIGHTS[kind]) < 0);
    const ofKind = all.filter(({ kind }) => kind === chosen);
    return ofKind[Math.floor(this.#parts.random() * ofKind.length)];
  }

  #blows(kind: ProcessKind): Blows {
    const blows = this.byKind.get(kind);
    if (blows === undefined) throw new Error(`no such kind: ${kind}`);
    return blows;
  }
}
