/** Data directories without a host, for tests of backups. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import { temporaryDirectory } from "./host-process.ts";

const WRITER = fileURLToPath(new URL("snapshot-writer.ts", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

export const INSTALLATION = `${JSON.stringify({ format: 1, account_id: "acc1", secrets_key: "k1:AAAA" })}\n`;
export const BLOB = "0123456789abcdef";

/** A stopped host's directory: two databases, one blob that is named and one that is not, and what is not kept. */
export function dataDirectory(): string {
  const directory = temporaryDirectory();
  const put = (path: string, text: string) => {
    mkdirSync(join(directory, path, ".."), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  put("installation.json", INSTALLATION);
  put("storage/d1/x/.keep", "");
  put(`storage/r2/bucket/blobs/${BLOB}`, "module code");
  put("storage/r2/bucket/blobs/not-named", "left over");
  put("storage/r2/objects/a.facets", "facet list");
  put("storage/tmp/half", "half");
  put("storage/cache/page", "cached");
  const history = new DatabaseSync(join(directory, "storage/d1/x/history.sqlite"));
  history.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)");
  history.close();
  const objects = new DatabaseSync(join(directory, "storage/r2/objects/a.sqlite"));
  objects.exec(
    `PRAGMA journal_mode = WAL; CREATE TABLE _mf_objects (key TEXT, blob_id TEXT); INSERT INTO _mf_objects VALUES ('m', '${BLOB}'), ('parts', NULL)`,
  );
  objects.close();
  return directory;
}

/** A directory that a process of its own writes to without a pause. */
export async function writtenDirectory(): Promise<{ directory: string; writer: ChildProcess }> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "installation.json"), INSTALLATION);
  const writer = child(WRITER, directory);
  if (writer.stdout) await once(writer.stdout, "data");
  return { directory, writer };
}

/** A script as a process of its own, which does not outlive the test. */
export function child(script: string, ...args: string[]): ChildProcess {
  const started = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(started);
  return started;
}

/** The text of every file below a folder, by path; databases as what is in their tables. */
export function contentsOf(folder: string): Record<string, unknown> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/-(?:wal|shm)$/.test(file));
  return Object.fromEntries(
    files
      .toSorted()
      .map((file) => [
        file.slice(folder.length + 1),
        file.endsWith(".sqlite") ? rowsOf(file) : readFileSync(file, "utf8"),
      ]),
  );
}

export function rowsOf(file: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .flatMap(({ name }) => database.prepare(`SELECT * FROM "${String(name)}"`).all())
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}
