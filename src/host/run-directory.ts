/** Where one supervisor's sockets and configurations are: a directory of its own, for nobody else to enter. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket's path may have 107 bytes on Linux and 103 elsewhere; the names in the directory need up to 20. */
const DIRECTORY_BYTES_MAX = 83;
/** Its name is the supervisor's process id and six characters of chance. */
const NAME_BYTES_MAX = "4194304-XXXXXX".length;

export interface RunDirectory {
  readonly path: string;
  remove(): void;
}

/** In the data directory if sockets can be named there, else in the system's directory for temporary files. */
export function makeRunDirectory(dataDirectory: string): RunDirectory {
  const parent = join(dataDirectory, "run");
  const fits = Buffer.byteLength(parent) + 1 + NAME_BYTES_MAX <= DIRECTORY_BYTES_MAX;
  if (fits) mkdirSync(parent, { recursive: true, mode: 0o700 });
  // mkdtemp makes it accessible to this user alone.
  const path = mkdtempSync(
    join(fits ? parent : tmpdir(), `${fits ? "" : "switchback-"}${process.pid}-`),
  );
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What killed hosts have left in the data directory; one that drains beside its successor keeps its own. */
export function removeOldRunDirectories(dataDirectory: string): void {
  const parent = join(dataDirectory, "run");
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = Number.parseInt(name, 10);
    // Our own id in an old name is an earlier process's: ours is not made yet.
    if (pid === process.pid || !isAlive(pid))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    // In a container each supervisor may have the same process id: this one has none yet.
    return pid > 1 && pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false;
  }
}
