/** Writes a snapshot out as files of their own, while its origin goes on being written to. */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { blobIdsOf } from "./blob-ids.ts";
import { HostError } from "./host-error.ts";
import { stampOf, type IdleFile, type Snapshot, type SnapshotDatabase } from "./snapshot.ts";

/** Pages of a database that are copied in one step. */
const STEP_PAGES = 4_096;
/** Bytes of a file that are copied in one step. */
const STEP_BYTES = 1 << 20;

/** What is not there any more as the snapshot has it. Only a newer snapshot can be whole then. */
export interface Outdated {
  readonly path: string;
  readonly why: "blob_missing" | "database_written";
}

/** Copies the snapshot of `storage` into the folder `target`. */
export async function copySnapshot(
  snapshot: Snapshot,
  storage: string,
  target: string,
): Promise<Outdated | undefined> {
  for (const { path, bytes } of snapshot.files) writeFileSync(place(target, path), bytes);
  const folders = blobFolders(storage);
  const foldersOf = ({ path }: SnapshotDatabase) =>
    folders.filter((folder) => kindOf(folder) === kindOf(path));
  // First what names blobs, since those may go.
  const inOrder = snapshot.databases.toSorted(
    (a, b) => Number(foldersOf(b).length > 0) - Number(foldersOf(a).length > 0),
  );
  for (const database of inOrder) {
    const { path } = database;
    const copy = place(target, path);
    if (!(await copyDatabase(database, copy))) return { path, why: "database_written" };
    for (const blob of readCopy(copy, join(storage, path), foldersOf(database).length > 0)) {
      const folder = foldersOf(database).find((each) => existsSync(join(storage, each, blob)));
      if (folder === undefined || !copyBlob(storage, target, `${folder}/${blob}`)) {
        return { path: `${path}: ${blob}`, why: "blob_missing" };
      }
    }
  }
  return undefined;
}

/** False if it has been written to since the snapshot, and was not open then. */
async function copyDatabase(database: SnapshotDatabase, copy: string): Promise<boolean> {
  if ("connection" in database) {
    // Inside the transaction that the snapshot has begun, so it sees nothing that came later.
    await backup(database.connection, copy, { rate: STEP_PAGES });
    return true;
  }
  for (const file of database.idle) {
    if (!copyIdle(file, copy + file.suffix)) return false;
  }
  if (database.idle.length > 1) {
    // The copy becomes one file.
    const merged = new DatabaseSync(copy);
    merged.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    merged.close();
    for (const beside of ["-wal", "-shm"]) rmSync(copy + beside, { force: true });
  }
  return true;
}

function copyIdle({ descriptor, stamp }: IdleFile, copy: string): boolean {
  const chunk = new Uint8Array(STEP_BYTES);
  const target = openSync(copy, "w", 0o600);
  try {
    for (let at = 0, read = 0; (read = readSync(descriptor, chunk, 0, STEP_BYTES, at)) > 0;) {
      writeSync(target, chunk, 0, read);
      at += read;
    }
  } finally {
    closeSync(target);
  }
  return stampOf(descriptor) === stamp;
}

/**
 * Checks a copy, since damage would else be found out when the backup is needed. Gives the ids of the stored
 * objects' bytes that it names: each is a file that is written once, before it is named, and removed when nothing
 * names it any more. So it can be copied after the instant.
 */
function readCopy(copy: string, origin: string, namesBlobs: boolean): string[] {
  // Immutable: no files of SQLite's own are made beside it.
  const location = pathToFileURL(copy);
  location.searchParams.set("immutable", "1");
  const database = new DatabaseSync(location, { readOnly: true });
  try {
    const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (found !== "ok") throw damaged(origin, String(found));
    return namesBlobs ? (blobIdsOf(database) ?? []) : [];
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw damaged(origin, error instanceof Error ? error.message : String(error));
  } finally {
    database.close();
  }
}

function damaged(origin: string, how: string): HostError {
  return new HostError(
    `The database ${origin} is damaged (${how}). Nothing was backed up; keep an earlier backup.`,
  );
}

/** Its first folder, or the first two where other processes than the control process have their storage. */
const kindOf = (path: string): string => /^(?:(?:data|sql)\/)?[^/]*/.exec(path)?.[0] ?? "";

/** `<kind of storage>/<name>/blobs`, all of them, and those of other processes a folder deeper. */
function blobFolders(storage: string): string[] {
  const below = (folder: string) =>
    readdirSync(join(storage, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => (folder === "" ? name : `${folder}/${name}`));
  return [
    ...below(""),
    ...["data", "sql"].filter((each) => existsSync(join(storage, each))).flatMap(below),
  ]
    .flatMap(below)
    .map((folder) => `${folder}/blobs`)
    .filter((folder) => existsSync(join(storage, folder)));
}

/** False if it is gone. */
function copyBlob(storage: string, target: string, path: string): boolean {
  const from = join(storage, path);
  const to = place(target, path);
  try {
    // At once, and for nothing: another name of the same bytes, which nobody changes.
    linkSync(from, to);
  } catch (linkError) {
    if (isGone(linkError)) return false;
    try {
      copyFileSync(from, to);
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }
  return true;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function place(target: string, path: string): string {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  return file;
}
