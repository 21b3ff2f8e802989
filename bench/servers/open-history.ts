/** The database of a host that is stopped. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export function openHistory(storage: string): DatabaseSync {
  const files = readdirSync(storage, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(storage, file));
    const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'deployments'").get();
    if (found) return database;
    database.close();
  }
  throw new Error(`No database in ${storage} holds deployments.`);
}
