/** Which processes have a data directory's storage open. A process id in a file may long belong to something else. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";

/**
 * The ids of the processes that serve from this data directory's storage, of those in `runtime.pid`, one a line;
 * none if none is to be seen from here.
 */
export function storageOwners(directory: string): readonly number[] {
  try {
    const storage = realpathSync(join(directory, "storage")) + sep;
    return readFileSync(join(directory, "runtime.pid"), "utf8")
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 1 && owns(pid, storage));
  } catch {
    return [];
  }
}

/** Whether no thread of the process runs, so that nothing is written. A signal to stop takes effect a little later. */
export function isStopped(pid: number): boolean {
  try {
    if (process.platform !== "linux") return psField(pid, "stat").startsWith("T");
    const tasks = `/proc/${pid}/task`;
    return readdirSync(tasks).every((thread) => {
      const status = readFileSync(join(tasks, thread, "stat"), "utf8");
      // After the name, which is in brackets and may hold anything.
      return status.charAt(status.lastIndexOf(")") + 2) === "T";
    });
  } catch {
    return false;
  }
}

/** The files that a process has open; undefined where that cannot be seen at once. Throws if it has ended. */
export function openFilesOf(pid: number): ReadonlySet<string> | undefined {
  if (process.platform !== "linux") return undefined;
  const descriptors = `/proc/${pid}/fd`;
  return new Set(readdirSync(descriptors).flatMap((name) => target(join(descriptors, name))));
}

function owns(pid: number, storage: string): boolean {
  try {
    return [...(openFilesOf(pid) ?? listedFilesOf(pid))].some((file) => file.startsWith(storage));
  } catch {
    // Ended, or another user's.
    return false;
  }
}

/** Takes too long for a time when everything waits. */
function listedFilesOf(pid: number): string[] {
  const listing = execFileSync("lsof", ["-n", "-P", "-p", String(pid), "-F", "n"], {
    encoding: "utf8",
  });
  return listing.split("\n").map((line) => line.slice(1));
}

function target(link: string): string[] {
  try {
    return [readlinkSync(link)];
  } catch {
    // Closed since it was listed.
    return [];
  }
}

function psField(pid: number, field: string): string {
  return execFileSync("ps", ["-o", `${field}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
}
