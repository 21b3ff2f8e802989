/**
 * Brings the database to this build's schema before anything is served. Each file is applied whole or
 * not at all, and recorded where wrangler records it, so that both can work on one database.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HostError, reasonOf } from "./host-error.ts";

export interface Migration {
  /** File name, e.g. `0000_init.sql`. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** The part of D1 that is needed here; the runtime's own D1 binding has it. */
export interface MigrationDatabase<S = unknown> {
  prepare(sql: string): S & { all<T>(): Promise<{ results: T[] }>; bind(...values: unknown[]): S };
  batch(statements: S[]): Promise<unknown>;
}

/** wrangler's table, to the letter. */
const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

export function readMigrations(directory: string): Migration[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .map((name) => ({
      name,
      statements: readFileSync(join(directory, name), "utf8")
        .split("--> statement-breakpoint")
        .filter((statement) => statement.trim() !== ""),
    }));
}

/** Applies what is missing and gives its names. Refuses a database that a newer build has migrated. */
export async function applyMigrations<S>(
  database: MigrationDatabase<S>,
  migrations: readonly Migration[],
): Promise<string[]> {
  await database.batch([database.prepare(TABLE)]);
  const { results } = await database
    .prepare("SELECT name FROM d1_migrations ORDER BY id")
    .all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new HostError(
      `The data directory was last used by a newer Switchback: this one does not know its migration ${unknown}. ` +
        "Start the newer one, or restore a backup from before the upgrade.",
    );
  }
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, statements } of missing) {
    const record = database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    try {
      await database.batch([...statements.map((sql) => database.prepare(sql)), record]);
    } catch (error) {
      throw new HostError(
        `Migration ${name} failed and has changed nothing: ${reasonOf(error)}. Start the version of Switchback that ran last.`,
      );
    }
  }
  return missing.map(({ name }) => name);
}
