/**
 * Bytes that no object has: Miniflare leaves them when an upload breaks off or is refused at its end, and never looks at
 * them again. To be removed while no process has the storage open, since one names its blobs after it has written them.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { blobIdsOf } from "./blob-ids.ts";

/**
 * Removes them from a storage of R2 buckets, and says how many bytes they had. Removes nothing where any database cannot
 * be read, or has no place for blobs: then it is not known what is named.
 */
export function removeOrphanBlobs(r2: string): number {
  try {
    const folders = existsSync(r2) ? readdirSync(r2) : [];
    const databases = folders.flatMap((folder) =>
      readdirSync(join(r2, folder))
        .filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")
        .map((name) => join(r2, folder, name)),
    );
    const named = new Set<string>();
    for (const file of databases) for (const id of namedIn(file)) named.add(id);
    // Blobs without any database are a storage that is not understood.
    if (databases.length === 0) return 0;
    let bytes = 0;
    for (const folder of folders) {
      const blobs = join(r2, folder, "blobs");
      for (const name of existsSync(blobs) ? readdirSync(blobs) : []) {
        if (named.has(name)) continue;
        bytes += statSync(join(blobs, name)).size;
        rmSync(join(blobs, name));
      }
    }
    return bytes;
  } catch {
    return 0;
  }
}

function namedIn(file: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const ids = blobIdsOf(database);
    if (ids === null) throw new Error(`${file} names no blobs`);
    return ids;
  } finally {
    database.close();
  }
}
