/** Where one supervisor's sockets and configurations are: a directory of its own, for nobody else to enter. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket's path may have 107 bytes on Linux and 103 elsewhere; the names in the directory need up to 20. */
const DIRECTORY_BYTES_MAX = 83;
/** Its name is the supervisor's process id and six characters of chance. */
const NAME_BYTES_MAX = "4194304-XXXXXX".length;

/** Files in it that all gateways read. */
export const RUN_FILES = { script: "switchback.js", certificates: "certificates.capnp" };

export interface RunDirectory {
  readonly path: string;
  remove(): void;
}

/** In the data directory if sockets can be named there, else in the system's directory for temporary files. */
export function makeRunDirectory(dataDirectory: string): RunDirectory {
  const parent = join(dataDirectory, "run");
  const fits = Buffer.byteLength(parent) + 1 + NAME_BYTES_MAX <= DIRECTORY_BYTES_MAX;
  if (fits) mkdirSync(parent, { recursive: true, mode: 0o700 });
  const prefix = fits ? "" : sharedPrefix(dataDirectory);
  // mkdtemp makes it accessible to this user alone.
  const path = mkdtempSync(join(fits ? parent : tmpdir(), `${prefix}${process.pid}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What killed hosts of this data directory have left; one that drains beside its successor keeps its own. */
export function removeOldRunDirectories(dataDirectory: string): void {
  removeOld(join(dataDirectory, "run"), "");
  removeOld(tmpdir(), sharedPrefix(dataDirectory));
}

/** In a directory that other hosts use too: this one's own begin like this. */
function sharedPrefix(dataDirectory: string): string {
  const path = realpathSync(dataDirectory);
  return `switchback-${createHash("sha256").update(path).digest("hex").slice(0, 12)}-`;
}

function removeOld(parent: string, prefix: string): void {
  let names: string[];
  try {
    names = readdirSync(parent).filter((name) => name.startsWith(prefix));
  } catch {
    return;
  }
  for (const name of names) {
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    // Our own id in an old name is an earlier process's: ours is not made yet.
    if (pid !== process.pid && isAlive(pid)) continue;
    const path = join(parent, name);
    try {
      // Anybody may put anything into a shared directory.
      if (lstatSync(path).uid !== process.geteuid?.()) continue;
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Rubbish that stays is no reason not to start.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 1 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
