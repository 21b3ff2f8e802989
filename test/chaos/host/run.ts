/** One run: a real host under mixed load, its processes killed at random; then what it promised is checked. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessKind } from "../../e2e/support/host-processes.ts";
import { seeded } from "../random.ts";
import { Killer, type Blows } from "./killer.ts";
import { Load } from "./load.ts";
import { Machine, type MachineOptions } from "./machine.ts";

export interface HostChaosOptions extends MachineOptions {
  readonly kills: number;
  readonly seed: number;
  /** The run ends as soon as a visitor is served what is known to be over, without a verdict on the rest. */
  readonly untilServedOld?: boolean;
}

export interface HostChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly byKind: ReadonlyMap<ProcessKind, Blows>;
  readonly kills: number;
  /** Reads that were held against the deployments. */
  readonly reads: number;
  readonly visits: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** Times that a deployment had no answer and was asked for again. */
  readonly unanswered: number;
  readonly refused: readonly string[];
  readonly uploads: number;
  /** A sentence each. Empty: linearizable, and the history is whole. */
  readonly violations: readonly string[];
  readonly servedOld: number;
  /** Requests that neither were answered nor failed. */
  readonly hangs: readonly string[];
  /** What did not come back by itself. */
  readonly stuck: readonly string[];
  /** Processes that outlived the host's orderly end. */
  readonly leftOver: readonly string[];
  readonly exit: number | string;
  readonly log: string;
}

/** How long what the host ran may outlive it. */
const END_MS_MAX = 5_000;

export async function runHostChaos(options: HostChaosOptions): Promise<HostChaosReport> {
  const machine = await Machine.start(options);
  try {
    return await run(machine, options);
  } catch (error) {
    process.stderr.write(machine.log.split("\n").slice(-40).join("\n"));
    throw error;
  } finally {
    await machine.dispose();
  }
}

async function run(machine: Machine, options: HostChaosOptions): Promise<HostChaosReport> {
  const { kills, seed, untilServedOld = false } = options;
  const random = seeded(seed);
  const load = new Load(machine, random);
  const startedAt = performance.now();
  const servedOld = () =>
    [...load.registers.values()].reduce((sum, register) => sum + register.servedOld(), 0);
  await load.prepare();
  const killer = new Killer({
    machine,
    random,
    serves: async () =>
      (await load.servesAll()) &&
      (await load.api.once("GET", "/alpha/deployments"))?.status === 200,
    gateways: () => load.gateways(),
    isOver: () => untilServedOld && servedOld() > 0,
  });
  load.start();
  await killer.run(kills);
  await load.end();
  if (!untilServedOld) await load.settle();
  const exit = untilServedOld ? "not stopped" : await machine.stop();
  const leftOver = untilServedOld ? [] : await stillThere(killer);
  const registers = [...load.registers.values()];
  const changes = registers.map((register) => register.changes);
  return {
    seed,
    seconds: (performance.now() - startedAt) / 1_000,
    byKind: killer.byKind,
    kills: killer.kills,
    reads: registers.reduce((sum, register) => sum + register.reads, 0),
    visits: load.visits,
    acknowledged: changes.reduce((sum, some) => sum + some.acknowledgedMs.length, 0),
    unanswered: changes.reduce((sum, some) => sum + some.unanswered, 0),
    refused: changes.flatMap((some) => some.refusals),
    uploads: load.uploads,
    violations: untilServedOld ? [] : registers.flatMap((register) => register.violations()),
    servedOld: servedOld(),
    hangs: [...load.hangs, ...load.api.hangs],
    stuck: killer.stuck,
    leftOver,
    exit,
    log: machine.log,
  };
}

/** A killed host's guard may need a moment more. */
async function stillThere({ seen }: Killer): Promise<string[]> {
  const deadline = performance.now() + END_MS_MAX;
  for (;;) {
    const left = [...seen].filter(([pid]) => isRunning(pid)).map(([pid, kind]) => `${kind} ${pid}`);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(100);
  }
}
