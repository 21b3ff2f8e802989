/**
 * A database as SQL text that makes it again, in the order in which SQLite's own shell and D1 write it: tables with
 * their rows, then indexes, triggers and views.
 */
import type { D1DumpOptions } from "../../domain/d1.ts";

/** A row of texts. */
type Texts<Column extends string> = Record<Column, string>;
type Table = Texts<"name" | "sql">;

const TABLES = `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL
  AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name = 'sqlite_sequence', rowid`;
type Rest = Texts<"name" | "table" | "sql">;
const THE_REST = `SELECT name, tbl_name AS "table", sql FROM sqlite_schema
  WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY type, rowid`;

/** Why a database cannot be dumped; null when it can. */
export function undumpable(sql: SqlStorage): string | null {
  const virtual = sql.exec<Table>(TABLES).toArray().find(isVirtual);
  return virtual === undefined
    ? null
    : `D1 Export error: cannot export databases with Virtual Tables (fts5): ${virtual.name}`;
}

/** Line after line. Nobody may write meanwhile. */
export function* dumpSql(sql: SqlStorage, options: D1DumpOptions): Generator<string> {
  const wanted = new Set(options.tables);
  const isWanted = (name: string) => wanted.size === 0 || wanted.has(name);
  yield "PRAGMA defer_foreign_keys=TRUE;\n";
  for (const table of sql.exec<Table>(TABLES).toArray()) {
    if (!isWanted(table.name)) continue;
    const schema = schemaOf(table);
    if (schema === null) continue;
    if (!options.noSchema) yield `${schema}\n`;
    if (!options.noData) yield* rowsOf(sql, table.name);
  }
  if (options.noSchema) return;
  for (const { name, table, sql: text } of sql.exec<Rest>(THE_REST).toArray()) {
    if (isWanted(name) || isWanted(table)) yield `${text};\n`;
  }
}

const isVirtual = ({ sql }: Table): boolean => /^CREATE\s+VIRTUAL\s+TABLE/i.test(sql);

/** What makes a table; null for one that SQLite makes by itself. */
function schemaOf({ name, sql }: Table): string | null {
  if (name === "sqlite_sequence") return "DELETE FROM sqlite_sequence;";
  if (/^sqlite_stat./.test(name)) return null;
  const quoted = /^CREATE TABLE (['"].*)$/s.exec(sql)?.[1];
  return quoted === undefined ? `${sql};` : `CREATE TABLE IF NOT EXISTS ${quoted};`;
}

/** SQLite writes the values itself: so no number loses digits, and a whole REAL stays one. */
function* rowsOf(sql: SqlStorage, table: string): Generator<string> {
  const columns = sql
    .exec<Texts<"name">>(`PRAGMA table_info(${quotedName(table)})`)
    .toArray()
    .map(({ name }) => quotedName(name));
  // Not one long expression: SQLite bounds its depth.
  const values = columns.map(literalOf).join(", ");
  const begin = `INSERT INTO ${quotedName(table)} (${columns.join(",")}) VALUES(`;
  for (const row of sql.exec(`SELECT ${values} FROM ${quotedName(table)}`).raw()) {
    yield `${begin}${(row as string[]).join(",")});\n`;
  }
}

/** `quote()` ends a text at its first NUL. */
const literalOf = (column: string): string =>
  `CASE WHEN typeof(${column}) = 'text' AND instr(${column}, char(0)) > 0
    THEN 'CAST(X''' || hex(${column}) || ''' AS TEXT)' ELSE quote(${column}) END`;

const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
