/**
 * A storage folder at one instant, without stopping its host. All its databases are SQLite in WAL mode: a read
 * transaction that is begun keeps its state however much is written afterwards. So the runtime stands still only
 * while one is begun in every database that it uses, and the copying comes after it.
 *
 * The runtime knows nothing of other readers and does not wait for their locks. So nothing is opened here that
 * would need a lock which it might want: an idle database is copied as the file that it is.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { join, sep } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Folders of a process's storage that hold nothing durable. */
const NOT_KEPT = new Set(["tmp", "cache"]);
/** Where other processes than the control process have theirs. */
const OTHERS = new Set(["data", "sql"]);
/** A file that was written to more recently, in milliseconds, may be written to again within one tick of its clock. */
const SETTLED_MS = 1_000;
/** In a database's first bytes: read and write version, 2 for WAL. */
const VERSIONS_AT = 18;
const WAL_VERSION = 2;

/** A database, by its path below the storage folder. */
export type SnapshotDatabase =
  /** In use: inside a read transaction that was begun at the instant. */
  | { readonly path: string; readonly connection: DatabaseSync }
  /** Idle: as files, which may be copied as long as they are unchanged. */
  | { readonly path: string; readonly idle: readonly IdleFile[] };

/** The database itself, or a log or journal that a killed runtime left beside it. */
export interface IdleFile {
  /** What its name has after the database's: "", "-wal" or "-journal". */
  readonly suffix: string;
  readonly descriptor: number;
  /** Changes with each write. */
  readonly stamp: string;
}

export interface Snapshot {
  readonly databases: readonly SnapshotDatabase[];
  /** Files that are no databases, e.g. an object's list of its facets: few and small. Paths below the storage folder. */
  readonly files: readonly { readonly path: string; readonly bytes: Buffer }[];
}

/** A database was caught while it was being made; a moment later it can be read. */
export class NotSettled extends Error {}

/** Everything that is opened for one snapshot. */
export class SnapshotSource {
  readonly #storage: string;
  readonly #connections = new Map<string, { inode: bigint; connection: DatabaseSync }>();
  readonly #descriptors: number[] = [];

  constructor(storage: string) {
    this.#storage = storage;
  }

  /** Opens what is in use, while everything goes on: the first reading of a database takes longest. */
  prepare(inUse: ReadonlySet<string>): void {
    const top = this.#storage + sep;
    for (const file of inUse) {
      if (!file.startsWith(top) || !file.endsWith(".sqlite")) continue;
      const path = file.slice(top.length);
      try {
        const connection = this.#connect(path);
        begin(connection);
        connection.exec("ROLLBACK");
      } catch {
        // Gone, or not to be read yet: the one moment that counts is the snapshot's.
        this.#drop(path);
      }
    }
  }

  /**
   * The snapshot. Whoever calls it sees to it that nothing is written meanwhile. `inUse` has the files that the
   * runtime has open; undefined: that cannot be known here. Throws NotSettled, or SQLite's "busy", if a writer
   * was stopped in the middle of something that readers have to wait for.
   */
  take(inUse: ReadonlySet<string> | undefined): Snapshot {
    const listed = listStorage(this.#storage);
    const logs = new Set(listed.logs);
    const databases = listed.databases.map((path): SnapshotDatabase => {
      const isOpen = inUse?.has(join(this.#storage, path)) ?? logs.has(`${path}-wal`);
      if (!isOpen) {
        const suffixes = ["", ...["-wal", "-journal"].filter((each) => logs.has(path + each))];
        const idle = suffixes.map((suffix) => this.#idle(path, suffix));
        if (idle.every(({ settled }) => settled)) return { path, idle };
      }
      const connection = this.#connect(path);
      begin(connection);
      return { path, connection };
    });
    const files = listed.files.map((path) => ({
      path,
      bytes: readFileSync(join(this.#storage, path)),
    }));
    return { databases, files };
  }

  close(): void {
    for (const path of this.#connections.keys()) this.#drop(path);
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  #idle(path: string, suffix: string): IdleFile & { readonly settled: boolean } {
    const descriptor = openSync(join(this.#storage, path + suffix), "r");
    this.#descriptors.push(descriptor);
    const settled = Date.now() - fstatSync(descriptor).mtimeMs > SETTLED_MS;
    return { suffix, descriptor, stamp: stampOf(descriptor), settled };
  }

  /** The open connection if it is still to the same file: one of that name may have been made anew. */
  #connect(path: string): DatabaseSync {
    const file = join(this.#storage, path);
    const inode = inodeOfWal(file);
    const known = this.#connections.get(path);
    if (known?.inode === inode) return known.connection;
    this.#drop(path);
    // Busy is an answer here: the process that it would wait for is the one that stands still.
    const connection = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    this.#connections.set(path, { inode, connection });
    return connection;
  }

  #drop(path: string): void {
    this.#connections.get(path)?.connection.close();
    this.#connections.delete(path);
  }
}

/** Tells one state of a file from any later one. */
export function stampOf(descriptor: number): string {
  const { ino, size, mtimeNs, ctimeNs } = fstatSync(descriptor, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join();
}

/** A transaction gets its state with its first read, not with BEGIN. */
function begin(connection: DatabaseSync): void {
  connection.exec("BEGIN");
  connection.prepare("PRAGMA schema_version").get();
}

/** Refuses a database that is not in WAL mode yet: a reader would stand in the way of its getting there. */
function inodeOfWal(file: string): bigint {
  const descriptor = openSync(file, "r");
  try {
    const versions = new Uint8Array(2);
    const read = readSync(descriptor, versions, 0, 2, VERSIONS_AT);
    if (read < 2 || versions.some((version) => version !== WAL_VERSION)) throw new NotSettled(file);
    return fstatSync(descriptor, { bigint: true }).ino;
  } finally {
    closeSync(descriptor);
  }
}

interface Listed {
  readonly databases: readonly string[];
  /** Write-ahead logs and journals with something in them. */
  readonly logs: readonly string[];
  readonly files: readonly string[];
}

function listStorage(storage: string): Listed {
  const databases: string[] = [];
  const logs: string[] = [];
  const files: string[] = [];
  const walk = (folder: string, isTop: boolean) => {
    for (const entry of readdirSync(join(storage, folder), { withFileTypes: true })) {
      const { name } = entry;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (entry.isDirectory()) {
        if (!(isTop && NOT_KEPT.has(name)) && name !== "blobs")
          walk(path, isTop && OTHERS.has(name));
      } else if (name.endsWith(".sqlite")) databases.push(path);
      else if (/\.sqlite-(?:wal|journal)$/.test(name)) {
        if (statSync(join(storage, path)).size > 0) logs.push(path);
      } else if (!name.endsWith(".sqlite-shm")) files.push(path);
    }
  };
  walk("", true);
  return { databases: databases.toSorted(), logs, files: files.toSorted() };
}
