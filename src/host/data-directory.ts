/**
 * The one directory in which a host keeps everything. It is made private to the user (one that exists keeps its mode),
 * and held by one host at a time: two runtimes over the same storage would each believe themselves alone.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HostError, reasonOf } from "./host-error.ts";

export interface DataDirectory {
  readonly path: string;
  /** Databases, objects and bytes; written by the runtime alone. */
  readonly storage: string;
  /** Process id of the runtime, for a successor of a host that was killed. */
  readonly runtimePidFile: string;
  /** The last host here was killed; what it ran may be about to end. */
  readonly unclean: boolean;
  release(): void;
}

/**
 * `hostPid` is the process that an operator would signal. Throws a HostError that names the directory if
 * it cannot be written or another host holds it.
 */
export function openDataDirectory(directory: string, hostPid = process.pid): DataDirectory {
  const path = resolve(directory);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = lockDirectory(path);
    const hostPidFile = join(path, "host.pid");
    const unclean = existsSync(hostPidFile);
    writeFileSync(hostPidFile, `${hostPid}\n`, { mode: 0o600 });
    return {
      path,
      storage: join(path, "storage"),
      runtimePidFile: join(path, "runtime.pid"),
      unclean,
      release: () => {
        if (!lock.isOpen) return;
        rmSync(hostPidFile, { force: true });
        lock.close();
      },
    };
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(
      `The data directory ${path} cannot be written (${reasonOf(error)}). Make room on its disk, mend its permissions, or choose another with --data.`,
    );
  }
}

/**
 * An exclusive SQLite lock: the operating system drops it with the process, however that dies, so it
 * is never stale, and it also holds between containers that share a volume, where process ids mean nothing.
 */
function lockDirectory(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, "lock"));
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version = 1; COMMIT");
    return lock;
  } catch (error) {
    lock.close();
    const SQLITE_BUSY = 5;
    if (!(error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY))
      throw error;
    throw new HostError(
      `The data directory ${path} is in use by another Switchback${holderOf(path)}. Stop that one, or choose another with --data.`,
    );
  }
}

function holderOf(path: string): string {
  try {
    return ` (process ${readFileSync(join(path, "host.pid"), "utf8").trim()})`;
  } catch {
    return "";
  }
}
