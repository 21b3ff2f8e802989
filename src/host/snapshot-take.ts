/** Takes a snapshot of a data directory, whether a host runs there or not. */
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { holdLock, isBusy } from "./backup-lock.ts";
import { HostError } from "./host-error.ts";
import { openFilesOf, storageOwners } from "./snapshot-owner.ts";
import { whilePaused } from "./snapshot-pause.ts";
import { NotSettled, SnapshotSource, type Snapshot } from "./snapshot.ts";

/** How long to wait for another backup's snapshot, in milliseconds: each takes a fraction of that. */
const TURN_MS_MAX = 10_000;

export interface TakenSnapshot {
  readonly snapshot: Snapshot;
  /** installation.json. */
  readonly installation: Buffer;
  readonly at: Date;
  /** How long the runtime stood still, in milliseconds; null if none ran. */
  readonly pausedMs: number | null;
  /** Until then the state is kept, and with it everything that is written meanwhile, in the databases' logs. */
  close(): void;
}

/** Why there is no snapshot now; the next try may get one. */
export type NoSnapshot = "owner_not_seen" | "not_still";

/** Throws a HostError if no other try would do better. */
export async function takeSnapshot(directory: string): Promise<TakenSnapshot | NoSnapshot> {
  // One at a time: who is done lets the runtime go on.
  const turn = await holdLock(join(directory, "backup.lock"), TURN_MS_MAX);
  if (turn === undefined) {
    throw new HostError(`Another backup of ${directory} does not come to its end. Try again.`);
  }
  const source = new SnapshotSource(realpathSync(join(directory, "storage")));
  try {
    const taken = await takeStill(directory, source);
    if (typeof taken === "string") source.close();
    return taken;
  } catch (error) {
    source.close();
    throw error;
  } finally {
    turn.release();
  }
}

async function takeStill(
  directory: string,
  source: SnapshotSource,
): Promise<TakenSnapshot | NoSnapshot> {
  // No host starts while this is held. If one runs, it holds it, and its processes are what has to stand still.
  const hostLock = await holdLock(join(directory, "lock"), 0);
  try {
    // A runtime may have outlived its host.
    const owners = storageOwners(directory);
    if (owners.length === 0) {
      if (hostLock === undefined) return "owner_not_seen";
      const taken = takeIfSettled(directory, source, new Set());
      return taken === undefined ? "not_still" : { ...taken, pausedMs: null };
    }
    source.prepare(filesInUse(owners) ?? new Set());
    const paused = await whilePaused(owners, () => {
      const taken = takeIfSettled(directory, source, filesInUse(owners));
      // One that was started meanwhile has written what the others know nothing of.
      return storageOwners(directory).join() === owners.join() ? taken : undefined;
    });
    if (paused?.value === undefined) return "not_still";
    return { ...paused.value, pausedMs: paused.pausedMs };
  } finally {
    hostLock?.release();
  }
}

/** None of a process that has ended meanwhile, which whoever stopped it notices. */
function filesInUse(pids: readonly number[]): ReadonlySet<string> | undefined {
  const all = new Set<string>();
  for (const pid of pids) {
    try {
      const files = openFilesOf(pid);
      if (files === undefined) return undefined;
      for (const file of files) all.add(file);
    } catch {
      // Ended.
    }
  }
  return all;
}

function takeIfSettled(
  directory: string,
  source: SnapshotSource,
  inUse: ReadonlySet<string> | undefined,
): Omit<TakenSnapshot, "pausedMs"> | undefined {
  try {
    return {
      snapshot: source.take(inUse),
      installation: readFileSync(join(directory, "installation.json")),
      at: new Date(),
      close: () => source.close(),
    };
  } catch (error) {
    if (isBusy(error) || error instanceof NotSettled) return undefined;
    if (isOutOfDescriptors(error)) {
      throw new HostError(
        `${directory} has more databases than this process may open at once, three files each. Raise the limit ("ulimit -n") and try again.`,
      );
    }
    throw error;
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const SQLITE_CANTOPEN = 14;
  if ("errcode" in error) return error.errcode === SQLITE_CANTOPEN;
  return "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}
