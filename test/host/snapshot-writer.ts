/**
 * Stands in for a runtime: writes without a pause, always first to one database, then to another, then makes a
 * third. At any one instant the first is at most one ahead of the others.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const directory = process.argv[2] ?? "";
const folder = join(directory, "storage", "do", "writer");
/** A further database comes with each so many rows, up to so many rows. */
const BORN_EVERY = 20;
const BORN_MAX = 2_000;

mkdirSync(folder, { recursive: true });
const open = (name: string) => {
  const database = new DatabaseSync(join(folder, `${name}.sqlite`));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (n INTEGER)");
  return database;
};
const [first, second] = [open("first"), open("second")];
writeFileSync(join(directory, "runtime.pid"), `${process.pid}\n`);
for (let n = 1; ; n++) {
  first.exec(`INSERT INTO t VALUES (${n})`);
  second.exec(`INSERT INTO t VALUES (${n})`);
  if (n <= BORN_MAX && n % BORN_EVERY === 0) {
    const born = open(`born-${n}`);
    born.exec(`INSERT INTO t VALUES (${n})`);
    born.close();
  }
  if (n === 10) process.stdout.write("writing\n");
}
