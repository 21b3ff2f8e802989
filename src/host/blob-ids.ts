import type { DatabaseSync } from "node:sqlite";

/** The ids of the stored objects' bytes that a database of Miniflare's names; null where it has no place for any. */
export function blobIdsOf(database: DatabaseSync): string[] | null {
  const tables = database
    .prepare(
      "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name GLOB '_mf_*' AND c.name = 'blob_id'",
    )
    .all();
  if (tables.length === 0) return null;
  return tables
    .flatMap(({ name }) =>
      database.prepare(`SELECT blob_id FROM "${String(name)}" WHERE blob_id IS NOT NULL`).all(),
    )
    .map(({ blob_id }) => String(blob_id));
}
