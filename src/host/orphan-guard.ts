/**
 * The runtime outlives a host that is killed (SIGKILL, out of memory): it would go on serving with
 * nobody to probe it, and keep port and storage from the next host. A shell that waits on a pipe from
 * the host sees the host die, however it dies, and kills the runtime.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** Reads process ids, one a line, an empty line for "none now"; at the end of input kills the last. */
const GUARD = `while read -r line; do pid=$line; done; if [ -n "$pid" ]; then kill -9 "$pid"; rm -f "$1"; fi`;

export interface OrphanGuard {
  /** From now on the host's death takes this process with it; undefined: none. */
  readonly watch: (pid: number | undefined) => void;
  /** Nothing is left to guard. */
  readonly release: () => void;
}

export function startOrphanGuard(runtimePidFile: string): OrphanGuard {
  // Its own process group: Ctrl-C in a terminal is for the host, which stops in order.
  const guard = spawn("/bin/sh", ["-c", GUARD, "sh", runtimePidFile], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.once("error", () => undefined);
  guard.stdin.once("error", () => undefined);
  guard.unref();
  const watch = (pid: number | undefined): void => {
    guard.stdin.write(`${pid ?? ""}\n`);
    if (pid === undefined) rmSync(runtimePidFile, { force: true });
    else writeFileSync(runtimePidFile, `${pid}\n`, { mode: 0o600 });
  };
  return {
    watch,
    release: () => {
      watch(undefined);
      guard.stdin.end();
    },
  };
}

/** Ends the runtime of a killed host, should its guard have died with it. Gives its process id if there was one. */
export function killOrphan(runtimePidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(runtimePidFile, "utf8"));
    // The id may long belong to something else.
    if (!(pid > 1) || !commandOf(pid).includes("workerd")) return undefined;
    process.kill(pid, "SIGKILL");
    return pid;
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  if (process.platform === "linux") return readFileSync(`/proc/${pid}/comm`, "utf8");
  return execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" });
}
