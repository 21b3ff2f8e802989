/** What goes wrong during a run, besides deployments and reads: one way at a time, or all at once. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { ACCOUNT_ID, ALPHA, BETA, NO_FAULTS, type NetworkFaults } from "./workers/names.ts";

export type Chaos = "calm" | "net" | "abort" | "kill" | "pause" | "all";
export const CHAOS: readonly Chaos[] = ["calm", "net", "abort", "kill", "pause", "all"];

/** A pause outlives every lease of the configurations that are run. */
const PAUSE_MS = 3_000;
export const LOCKS = [ALPHA, ACCOUNT_ID, BETA] as const;
export const FAULT_POINTS = ["T1", "S2", "S3", "T4", "S5"] as const;

export interface Done {
  kills: number;
  pauses: number;
  /** Objects that were aborted at no step in particular. */
  deaths: number;
}

export interface Run {
  readonly cluster: Cluster;
  readonly random: () => number;
  readonly done: Done;
  /** A lock that was restarted changes nothing for a few leases: what ends it too often only shows that it waits. */
  readonly leaseMs: number;
  readonly isOver: () => boolean;
}

const ways: Record<Exclude<Chaos, "calm" | "all">, (run: Run) => Promise<void>> = {
  net: async (run) => {
    for (let turn = 0; !run.isOver(); turn++) {
      const { gateways } = run.cluster;
      const gateway = gateways[Math.floor(run.random() * gateways.length)];
      if (gateway !== undefined) await run.cluster.setFaults(gateway, someFaults(run.random));
      await sleep(100 + run.random() * 300);
    }
  },
  /** Each step of each lock in its turn; the next is armed when the one before has been reached. */
  abort: async (run) => {
    await Promise.all([
      ...LOCKS.map((lock) => abortAtEachStep(run, lock)),
      (async () => {
        while (!run.isOver()) {
          await sleep((4 + run.random() * 6) * run.leaseMs);
          const lock = LOCKS[Math.floor(run.random() * LOCKS.length)];
          await run.cluster.control
            .post("die", { lock, point: null }, 2_000)
            .catch(() => undefined);
          run.done.deaths++;
        }
      })(),
    ]);
  },
  kill: async (run) => {
    for (let turn = 0; !run.isOver(); turn++) {
      await sleep((1 + run.random() * 6) * run.leaseMs);
      if (run.isOver()) return;
      await run.cluster.kill(turn % 3 === 2 ? "far" : "near");
      run.done.kills++;
    }
  },
  pause: async (run) => {
    for (let turn = 0; !run.isOver(); turn++) {
      await sleep(300 + run.random() * 1_000);
      await run.cluster.pause(turn % 3 === 2 ? "near" : "far", PAUSE_MS);
      run.done.pauses++;
    }
  },
};

/** Ends soon after the run is over. */
export async function makeChaos(chaos: Chaos, run: Run): Promise<void> {
  if (chaos === "calm") return;
  const chosen = chaos === "all" ? Object.values(ways) : [ways[chaos]];
  await Promise.all(chosen.map((way) => way(run)));
  await run.cluster.clearFaults();
}

function someFaults(random: () => number): NetworkFaults {
  const kind = random();
  if (kind < 0.25) return { ...NO_FAULTS, cut: true };
  if (kind < 0.75) return { cut: false, delayMs: 400 * random(), requestLoss: 0.1, replyLoss: 0.1 };
  return NO_FAULTS;
}

async function abortAtEachStep({ cluster, isOver }: Run, lock: string): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    const point = FAULT_POINTS[turn % FAULT_POINTS.length] ?? "T1";
    const reached = () => cluster.aborts.get(`${lock}/${point}`) ?? 0;
    const before = reached();
    let armedAt = -Infinity;
    while (!isOver() && reached() === before) {
      // Armed anew now and then: a process that was killed has forgotten.
      if (performance.now() - armedAt > 3_000) {
        await cluster.control.post("die", { lock, point }, 2_000).catch(() => undefined);
        armedAt = performance.now();
      }
      await sleep(20);
    }
  }
}
