/**
 * One file with everything durable of a data directory, all of one instant, whether a host runs there or not.
 * The file appears whole or not at all.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packBackup, type Manifest } from "./backup-archive.ts";
import { HostError } from "./host-error.ts";
import { copySnapshot, type Outdated } from "./snapshot-copy.ts";
import { takeSnapshot, type NoSnapshot } from "./snapshot-take.ts";

/** Tries to get one whole snapshot: the runtime may be restarting, or blobs be deleted, just now. */
const TRIES_MAX = 50;
/** Between two tries, in milliseconds. */
const AGAIN_MS = 200;

export interface BackupRequest {
  readonly dataDirectory: string;
  /** The file to make. */
  readonly out: string;
  /** Replace `out` if it is there. */
  readonly force: boolean;
  /** Version of this Switchback. */
  readonly version: string;
}

export interface BackupReport {
  readonly file: string;
  readonly manifest: Manifest;
  /** How long the runtime stood still, in milliseconds; null if none ran. */
  readonly pausedMs: number | null;
}

/** Throws a HostError if the operator can mend it; leaves nothing behind then. */
export async function backUp(request: BackupRequest): Promise<BackupReport> {
  const directory = resolve(request.dataDirectory);
  const out = resolve(request.out);
  if (!existsSync(join(directory, "installation.json"))) {
    throw new HostError(
      `${directory} is not the data directory of a Switchback: it has no installation.json. Name the right one with --data.`,
    );
  }
  if (existsSync(out) && !request.force) throw isThere(out);
  const staging = mkdtempSync(`${out}.partial-`);
  const remove = () => rmSync(staging, { recursive: true, force: true });
  // Also if a signal ends this process: what is in there opens every secret.
  process.once("exit", remove);
  try {
    const folder = join(staging, "data");
    const { created, accountId, pausedMs } = await copyWhole(directory, folder);
    const packed = join(staging, "packed");
    const about = { switchback: request.version, created, account_id: accountId };
    const manifest = await packBackup(folder, about, packed);
    publish(packed, out, request.force);
    return { file: out, manifest, pausedMs };
  } finally {
    process.off("exit", remove);
    remove();
  }
}

interface Copied {
  readonly created: string;
  readonly accountId: string;
  readonly pausedMs: number | null;
}

/** Copies into `folder` what a data directory keeps. */
async function copyWhole(directory: string, folder: string): Promise<Copied> {
  const storage = join(directory, "storage");
  for (let left = TRIES_MAX - 1; ; left--) {
    const taken = await takeSnapshot(directory);
    if (typeof taken === "string") {
      if (left === 0) throw notTaken(directory, taken);
      await sleep(AGAIN_MS);
      continue;
    }
    try {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(folder, "storage"), { recursive: true });
      const outdated = await copySnapshot(taken.snapshot, storage, join(folder, "storage"));
      if (outdated === undefined) {
        const { installation, at, pausedMs } = taken;
        writeFileSync(join(folder, "installation.json"), installation);
        return { created: at.toISOString(), accountId: accountIdOf(installation), pausedMs };
      }
      if (left === 0) throw notCopied(outdated);
    } finally {
      taken.close();
    }
  }
}

function notTaken(directory: string, reason: NoSnapshot): HostError {
  return new HostError(
    reason === "owner_not_seen"
      ? `A host runs in ${directory}, but its runtime is not to be seen from here. Run the backup as the same user, and in the same container.`
      : `The runtime in ${directory} could not be held still for a snapshot. Try again when the machine is less busy, or stop the host.`,
  );
}

function notCopied({ path, why }: Outdated): HostError {
  return new HostError(
    why === "blob_missing"
      ? // Missing at every try, it was not deleted just now.
        `The storage is damaged: the bytes that ${path} names are missing. Nothing was backed up; keep an earlier backup.`
      : `${path} was written to at each of ${TRIES_MAX} tries to copy it. Try again when the machine is less busy.`,
  );
}

function accountIdOf(installation: Buffer): string {
  try {
    const { account_id } = JSON.parse(installation.toString("utf8")) as { account_id?: unknown };
    if (typeof account_id === "string") return account_id;
  } catch {
    // Said below.
  }
  throw new HostError(
    "installation.json is damaged. Nothing was backed up; keep an earlier backup.",
  );
}

/** In one step, and never over a file that nobody allowed to replace. */
function publish(packed: string, out: string, force: boolean): void {
  if (force) return renameSync(packed, out);
  try {
    linkSync(packed, out);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") throw isThere(out);
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    // A file system without links.
    renameSync(packed, out);
  }
}

function isThere(out: string): HostError {
  return new HostError(
    `${out} is already there. Choose another --out, or replace it with --force.`,
  );
}
