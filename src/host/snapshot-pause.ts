/**
 * Stops other processes for the few milliseconds of one synchronous step. They go on again whatever becomes
 * of this process: a shell that waits on a pipe from here continues them, at the latest after a fixed time.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isStopped } from "./snapshot-owner.ts";

/** The longest pause, in milliseconds: shorter than what makes a health probe fail. */
export const SNAPSHOT_PAUSE_MS_MAX = 500;
/** How long a process may take to stop, in milliseconds: a thread that waits for the disk stops after that. */
const STOPPING_MS_MAX = 200;
/** Between two looks at a process that is about to stop, in milliseconds. */
const LOOK_MS = 0.2;

/** Continues the processes after $1, after that many seconds or at the end of input, whichever comes first. */
const GUARD = `ms=$1
shift
(sleep "$ms"; kill -CONT "$@") >/dev/null 2>&1 & timer=$!
echo ready
read -r line
kill -CONT "$@"
kill "$timer"`;

export interface Paused<T> {
  readonly value: T;
  /** From the signal to stop until the signal to go on, in milliseconds. */
  readonly pausedMs: number;
}

/**
 * What `step` gives while the processes stand still, from its first to its last instruction; undefined if one did
 * not stop in time, ended, or went on too early, so that the step proves nothing. Passes on what `step` throws.
 */
export async function whilePaused<T>(
  pids: readonly number[],
  step: () => T,
): Promise<Paused<T> | undefined> {
  const guard = spawn(
    "/bin/sh",
    ["-c", GUARD, "sh", String(SNAPSHOT_PAUSE_MS_MAX / 1_000), ...pids.map(String)],
    {
      // Not Ctrl-C's business: it has to outlive this process.
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  const ended = once(guard, "exit");
  guard.stdin.once("error", () => undefined);
  try {
    await once(guard.stdout, "data");
    return pauseNow(pids, step);
  } finally {
    guard.stdin.end();
    await ended;
  }
}

function pauseNow<T>(pids: readonly number[], step: () => T): Paused<T> | undefined {
  const startedAt = performance.now();
  const passedMs = () => performance.now() - startedAt;
  try {
    if (!pids.every((pid) => signal(pid, "SIGSTOP"))) return undefined;
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (!pids.every(isStopped)) {
      if (passedMs() > STOPPING_MS_MAX) return undefined;
      Atomics.wait(never, 0, 0, LOOK_MS);
    }
    const value = step();
    // Only the guard continues them besides this function, and only when its time is over.
    return pids.every(isStopped) ? { value, pausedMs: passedMs() } : undefined;
  } finally {
    for (const pid of pids) signal(pid, "SIGCONT");
  }
}

function signal(pid: number, name: "SIGSTOP" | "SIGCONT"): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    // Ended.
    return false;
  }
}
