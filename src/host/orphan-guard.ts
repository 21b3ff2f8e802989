/**
 * workerd processes outlive a host that is killed (SIGKILL, out of memory): they would go on serving with nobody
 * to probe them, and keep the storage from the next host. A shell that waits on a pipe from the host sees the
 * host die, however it dies, and kills them.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ORPHAN_MS_MAX } from "../domain/limits.ts";

/** Reads `+pid` and `-pid`, one a line; at the end of input kills those that were added and not taken away. */
const GUARD = `pids=""
while read -r op pid; do
  rest=""
  for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done
  pids=$rest
  [ "$op" = "+" ] && pids="$pids $pid"
done
[ -z "$pids" ] || kill -9 $pids`;

export interface OrphanGuard {
  /** From now on the host's death takes this process with it. */
  readonly add: (pid: number) => void;
  readonly remove: (pid: number) => void;
  /** The file is another host's from now on; the processes stay guarded. */
  readonly leaveFile: () => void;
  /** The file is this host's again. */
  readonly takeFile: () => void;
  /** Nothing is left to guard. */
  readonly release: () => void;
}

/** `pidFile`: the ids of those guarded, one a line, for a successor whose predecessor's guard died too. */
export function startOrphanGuard(pidFile: string): OrphanGuard {
  // Its own process group: Ctrl-C in a terminal is for the host, which stops in order.
  const guard = spawn("/bin/sh", ["-c", GUARD], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.once("error", () => undefined);
  guard.stdin.once("error", () => undefined);
  guard.unref();
  const pids = new Set<number>();
  let hasFile = true;
  const store = () => {
    if (!hasFile) return;
    if (pids.size === 0) rmSync(pidFile, { force: true });
    else storePids(pidFile, pids);
  };
  return {
    add: (pid) => {
      pids.add(pid);
      guard.stdin.write(`+ ${pid}\n`);
      store();
    },
    remove: (pid) => {
      if (!pids.delete(pid)) return;
      guard.stdin.write(`- ${pid}\n`);
      store();
    },
    leaveFile: () => {
      rmSync(pidFile, { force: true });
      hasFile = false;
    },
    takeFile: () => {
      hasFile = true;
      store();
    },
    release: () => {
      for (const pid of pids) guard.stdin.write(`- ${pid}\n`);
      pids.clear();
      store();
      guard.stdin.end();
    },
  };
}

/** On a full disk the file stays as it was: the guard itself needs none, and what serves is not to end for it. */
function storePids(file: string, pids: Iterable<number>): void {
  const next = `${file}.new`;
  try {
    writeFileSync(next, [...pids, ""].join("\n"), { mode: 0o600 });
    renameSync(next, file);
  } catch {
    rmSync(next, { force: true });
  }
}

/**
 * Ends what a killed host left running, should its guard have died with it, and waits until it has ended. Gives the
 * process ids that there were.
 */
export async function killOrphans(pidFile: string): Promise<number[]> {
  let text: string;
  try {
    text = readFileSync(pidFile, "utf8");
  } catch {
    return [];
  }
  const killed = text.split("\n").map(Number).filter(killWorkerd);
  const deadline = performance.now() + ORPHAN_MS_MAX;
  while (killed.some(isWorkerd) && performance.now() < deadline) await sleep(LOOK_MS);
  return killed;
}

/** Between two looks at a process that is ending, in milliseconds. */
const LOOK_MS = 10;

/** Whether it was there. */
function killWorkerd(pid: number): boolean {
  try {
    if (!isWorkerd(pid)) return false;
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** The id may long belong to something else. One that has ended and waits for its parent to look is not there. */
function isWorkerd(pid: number): boolean {
  try {
    return pid > 1 && commandOf(pid).includes("workerd");
  } catch {
    return false;
  }
}

/** Empty for a process that has ended: where nobody waits for orphans, as in a container, it stays listed. */
function commandOf(pid: number): string {
  if (process.platform === "linux") {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const end = stat.lastIndexOf(")");
    return stat[end + 2] === "Z" ? "" : stat.slice(0, end);
  }
  const line = execFileSync("ps", ["-o", "stat=,comm=", "-p", String(pid)], { encoding: "utf8" });
  return line.startsWith("Z") ? "" : line;
}
