import type { Loose, Scene } from "./check.ts";

/** A table of the check's own, with three rows. */
export async function table({ DB, own }: Scene): Promise<string> {
  const name = `t_${own.replaceAll("-", "_")}`;
  await DB.prepare(`DROP TABLE IF EXISTS ${name}`).run();
  await DB.prepare(
    `CREATE TABLE ${name} (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, data BLOB)`,
  ).run();
  await DB.prepare(
    `INSERT INTO ${name} (name, size) VALUES ('one', 1.5), ('two', 2), ('three', NULL)`,
  ).run();
  return name;
}

export const rows = async (DB: Loose, name: string) =>
  (await DB.prepare(`SELECT id, name, size FROM ${name} ORDER BY id`).all()).results;
