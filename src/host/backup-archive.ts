/**
 * The one file that a backup is: a gzipped tar, so that an operator can look into it with what every machine
 * has. First in it is a manifest; what is not exactly what the manifest says is refused as a whole.
 */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { create, extract } from "tar";
import { HostError, reasonOf } from "./host-error.ts";

export interface Manifest {
  /** Raised when an older Switchback could not restore what a newer one wrote. */
  readonly format: number;
  /** Version of the Switchback that wrote it. */
  readonly switchback: string;
  /** The instant of the snapshot, ISO 8601. */
  readonly created: string;
  readonly account_id: string;
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  /** Relative to the data directory, with slashes. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

const FORMAT = 1;
const MANIFEST = "manifest.json";
/** Nothing but these is ever written into a data directory. */
const KEPT = /^(?:installation\.json|storage\/.+)$/;

/** Packs a folder, all of it, into `file`, which must not exist; flushed to the disk. */
export async function packBackup(
  folder: string,
  about: Omit<Manifest, "format" | "files">,
  file: string,
): Promise<Manifest> {
  const files: ManifestFile[] = [];
  for (const path of filesIn(folder)) files.push(await describe(folder, path, false));
  const manifest: Manifest = { format: FORMAT, ...about, files };
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  await create({ cwd: folder, file, gzip: true, portable: true, strict: true, mode: 0o600 }, [
    MANIFEST,
    ...files.map(({ path }) => path),
  ]);
  await flush(file);
  return manifest;
}

/**
 * Unpacks into an empty folder and checks every file; they are on the disk then. Throws a HostError for anything
 * but a whole backup that this Switchback understands; the folder is the caller's to remove then.
 */
export async function unpackBackup(file: string, folder: string): Promise<Manifest> {
  const strange: string[] = [];
  try {
    await extract({
      file,
      cwd: folder,
      strict: true,
      fmode: 0o600,
      dmode: 0o700,
      umask: 0o077,
      preserveOwner: false,
      filter: (path, entry) => {
        const wanted =
          (path === MANIFEST || isKept(path)) && "type" in entry && entry.type === "File";
        if (!wanted) strange.push(path);
        return wanted;
      },
    });
  } catch (error) {
    throw damaged(file, reasonOf(error));
  }
  const manifest = readManifest(file, join(folder, MANIFEST));
  if (strange[0] !== undefined) throw damaged(file, `it holds ${JSON.stringify(strange[0])}`);
  const found = new Set(filesIn(folder).filter((path) => path !== MANIFEST));
  for (const wanted of manifest.files) {
    if (!found.delete(wanted.path)) throw damaged(file, `${wanted.path} is missing`);
    const { size, sha256 } = await describe(folder, wanted.path, true);
    if (size !== wanted.size || sha256 !== wanted.sha256) {
      throw damaged(file, `${wanted.path} is not what was backed up`);
    }
  }
  const [extra] = found;
  if (extra !== undefined)
    throw damaged(file, `it holds ${extra}, which its manifest does not know`);
  return manifest;
}

function readManifest(file: string, path: string): Manifest {
  let value: Partial<Manifest> | null;
  try {
    value = JSON.parse(readFileSync(path, "utf8")) as Partial<Manifest> | null;
  } catch {
    throw damaged(file, "it has no manifest");
  }
  if (typeof value?.format === "number" && value.format > FORMAT) {
    throw new HostError(
      `${file} was made by a newer Switchback (format ${value.format}; this one knows ${FORMAT}). Restore it with that one.`,
    );
  }
  const { format, switchback, created, account_id, files } = value ?? {};
  if (
    format !== FORMAT ||
    typeof switchback !== "string" ||
    typeof created !== "string" ||
    typeof account_id !== "string" ||
    !Array.isArray(files) ||
    !files.every(isManifestFile) ||
    !files.some(({ path: name }) => name === "installation.json")
  ) {
    throw damaged(file, "its manifest is not one");
  }
  return { format, switchback, created, account_id, files };
}

function isManifestFile(value: unknown): value is ManifestFile {
  if (typeof value !== "object" || value === null) return false;
  const { path, size, sha256 } = value as Partial<ManifestFile>;
  return (
    typeof path === "string" &&
    isKept(path) &&
    typeof size === "number" &&
    typeof sha256 === "string"
  );
}

/** A name that cannot lead anywhere else. */
function isKept(path: string): boolean {
  return KEPT.test(path) && path.split("/").every((part) => part !== "" && !/^\.\.?$/.test(part));
}

function damaged(file: string, how: string): HostError {
  return new HostError(
    `${file} is no whole backup of Switchback: ${how}. Nothing was restored. Take another copy of the backup, or an earlier one.`,
  );
}

async function describe(folder: string, path: string, flushed: boolean): Promise<ManifestFile> {
  const file = join(folder, path);
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  if (flushed) await flush(file);
  return { path, size, sha256: hash.digest("hex") };
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
