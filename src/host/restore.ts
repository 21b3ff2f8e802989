/**
 * A backup becomes a data directory: unpacked beside, checked as a whole, then put in place. A restore that is
 * cut short leaves no directory that a host would take for a whole one.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { unpackBackup, type Manifest } from "./backup-archive.ts";
import { openDataDirectory } from "./data-directory.ts";
import { HostError } from "./host-error.ts";

/** Inside the directory, since that may be a volume of its own. */
const UNPACKED = "restoring";
/** What an empty data directory may hold: the lock, which is taken first, and what file systems put there. */
const NO_DATA = new Set(["lock", "lock-journal", "host.pid", "lost+found"]);

export interface RestoreRequest {
  /** Empty, or not there yet. */
  readonly dataDirectory: string;
  /** The backup. */
  readonly from: string;
}

/** Gives what the backup says of itself. Throws a HostError if it is refused; the directory is as before then. */
export async function restore(request: RestoreRequest): Promise<Manifest> {
  const path = resolve(request.dataDirectory);
  const from = resolve(request.from);
  if (!existsSync(from)) throw new HostError(`There is no backup ${from}.`);
  const wasThere = existsSync(path);
  if (wasThere) refuseData(path);
  const directory = openDataDirectory(path);
  const unpacked = join(path, UNPACKED);
  let whole = false;
  const cleanUp = () => {
    rmSync(unpacked, { recursive: true, force: true });
    directory.release();
    if (whole) return;
    for (const name of ["lock", "lock-journal"]) rmSync(join(path, name), { force: true });
    if (!wasThere) rmdirSync(path);
  };
  process.once("exit", cleanUp);
  try {
    // Once more, now that no host can begin here.
    refuseData(path);
    mkdirSync(unpacked, { mode: 0o700 });
    const manifest = await unpackBackup(from, unpacked);
    // In this order: a host refuses a storage without installation.json.
    if (existsSync(join(unpacked, "storage"))) {
      renameSync(join(unpacked, "storage"), directory.storage);
    }
    renameSync(join(unpacked, "installation.json"), join(path, "installation.json"));
    whole = true;
    return manifest;
  } finally {
    process.off("exit", cleanUp);
    cleanUp();
  }
}

function refuseData(path: string): void {
  const found = readdirSync(path).find((name) => !NO_DATA.has(name));
  if (found === undefined) return;
  throw new HostError(
    found === UNPACKED
      ? `${join(path, UNPACKED)} is left from a restore that was cut short. Remove it and try again.`
      : `${path} is not empty (it holds ${found}). Restore into an empty directory.`,
  );
}
