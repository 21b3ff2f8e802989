/**
 * Stops another process for the few milliseconds of one synchronous step. It goes on again whatever becomes
 * of this process: a shell that waits on a pipe from here continues it, at the latest after a fixed time.
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

/** Continues process $1 after $2 seconds, or at the end of input, whichever comes first. */
const GUARD = `(sleep "$2"; kill -CONT "$1") >/dev/null 2>&1 & timer=$!
echo ready
read -r line
kill -CONT "$1"
kill "$timer"`;

export interface Paused<T> {
  readonly value: T;
  /** From the signal to stop until the signal to go on, in milliseconds. */
  readonly pausedMs: number;
}

/**
 * What `step` gives while the process stands still, from its first to its last instruction; undefined if it did
 * not stop in time, ended, or went on too early, so that the step proves nothing. Passes on what `step` throws.
 */
export async function whilePaused<T>(pid: number, step: () => T): Promise<Paused<T> | undefined> {
  const guard = spawn(
    "/bin/sh",
    ["-c", GUARD, "sh", String(pid), String(SNAPSHOT_PAUSE_MS_MAX / 1_000)],
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
    return pauseNow(pid, step);
  } finally {
    guard.stdin.end();
    await ended;
  }
}

function pauseNow<T>(pid: number, step: () => T): Paused<T> | undefined {
  const startedAt = performance.now();
  const passedMs = () => performance.now() - startedAt;
  try {
    if (!signal(pid, "SIGSTOP")) return undefined;
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (!isStopped(pid)) {
      if (passedMs() > STOPPING_MS_MAX) return undefined;
      Atomics.wait(never, 0, 0, LOOK_MS);
    }
    const value = step();
    // Only the guard continues it besides this function, and only when its time is over.
    return isStopped(pid) ? { value, pausedMs: passedMs() } : undefined;
  } finally {
    signal(pid, "SIGCONT");
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
