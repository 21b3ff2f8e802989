/** A dump makes the same database again. */
import { beforeAll, describe, expect, it } from "vitest";
import { dumpOf, importSql, newId, rows, run, store, streamOf } from "./d1-fixture.ts";

/** The main module is loaded by the first call. */
beforeAll(() => run(newId(), "SELECT 1"), 60_000);

describe("a dump", () => {
  const SCHEMA = [
    "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, n REAL, b BLOB, t TEXT, g AS (n * 2))",
    'CREATE TABLE "odd ""name" ("a b", c REFERENCES p (id))',
    "CREATE INDEX i ON p (n)",
    "CREATE VIEW v AS SELECT t FROM p",
    'CREATE TRIGGER r AFTER DELETE ON p BEGIN DELETE FROM "odd ""name"; SELECT 1; END',
    "CREATE TABLE w (k TEXT PRIMARY KEY, x) WITHOUT ROWID",
  ];
  const FILL = [
    "INSERT INTO p (n, b, t) VALUES (1.0, x'00ff', 'it''s\n;\r\n'), (9e999, zeroblob(0), 'nul' || char(0) || 'x'), (0.1, NULL, '')",
    "INSERT INTO p (id, n) VALUES (9007199254740993, -2)",
    "DELETE FROM p WHERE id > 9007199254740000",
    "INSERT INTO p (t) VALUES (9223372036854775807)",
    'INSERT INTO "odd ""name" VALUES (9007199254740993, 1)',
    "INSERT INTO w VALUES ('a', 1.0), ('b', 1)",
  ];
  /** Everything that is in it, exactly. */
  const contents = async (id: string) =>
    Promise.all(
      [
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY type, name",
        "SELECT quote(id), quote(n), quote(b), hex(t), typeof(t) FROM p ORDER BY id",
        'SELECT quote("a b"), typeof("a b"), c FROM "odd ""name"',
        "SELECT k, quote(x), typeof(x) FROM w",
        "SELECT name, quote(seq) FROM sqlite_sequence",
      ].map((sql) => rows(id, sql)),
    );

  it("makes the same database again", async () => {
    const [from, to] = [newId(), newId()];
    expect(await run(from, ...SCHEMA, ...FILL)).toMatchObject({ ok: true });
    const sql = await dumpOf(from);
    expect(await importSql(to, "i1", streamOf(sql, 100))).toMatchObject({
      status: "complete",
    });
    const normal = (text: string) => text.replaceAll("IF NOT EXISTS ", "");
    const copy = (await contents(to)).map((list) =>
      list.map((row) => row.map((cell) => (typeof cell === "string" ? normal(cell) : cell))),
    );
    expect(copy).toEqual(await contents(from));
  });

  it("has tables as wide as they may be", async () => {
    const id = newId();
    const columns = Array.from({ length: 100 }, (_, i) => `a_rather_long_name_of_column_${i}`);
    await run(
      id,
      `CREATE TABLE wide (${columns.join(", ")})`,
      "INSERT INTO wide (a_rather_long_name_of_column_99) VALUES (1)",
    );
    expect(await dumpOf(id)).toContain(`${"NULL,".repeat(99)}1);`);
  });

  it("has the schema or the rows alone, or some tables, when asked", async () => {
    const id = newId();
    await run(
      id,
      "CREATE TABLE a (x)",
      "CREATE TABLE b (y)",
      "CREATE INDEX bi ON b (y)",
      "INSERT INTO a VALUES (1)",
      "INSERT INTO b VALUES (2)",
    );
    const head = "PRAGMA defer_foreign_keys=TRUE;\n";
    expect(await dumpOf(id, { noData: true })).toBe(
      `${head}CREATE TABLE a (x);\nCREATE TABLE b (y);\nCREATE INDEX bi ON b (y);\n`,
    );
    expect(await dumpOf(id, { noSchema: true })).toBe(
      `${head}INSERT INTO "a" ("x") VALUES(1);\nINSERT INTO "b" ("y") VALUES(2);\n`,
    );
    expect(await dumpOf(id, { tables: ["b"] })).toBe(
      `${head}CREATE TABLE b (y);\nINSERT INTO "b" ("y") VALUES(2);\nCREATE INDEX bi ON b (y);\n`,
    );
  });

  it("has the database for itself while it is read, and lets it go when its reader does", async () => {
    const id = newId();
    await run(
      id,
      "CREATE TABLE t (a)",
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT hex(randomblob(200)) FROM n",
    );
    const dump = await store.dump(id, { noSchema: false, noData: false, tables: [] });
    if (!dump.ok) throw new Error(dump.error);
    const reader = dump.sql.getReader();
    await reader.read();
    expect(await store.isDumping(id)).toBe(true);
    expect(await run(id, "SELECT 1")).toEqual({
      ok: false,
      error: "Currently processing a long-running export.",
    });
    await reader.cancel();
    await expect.poll(() => store.isDumping(id)).toBe(false);
    expect(await run(id, "SELECT 1")).toMatchObject({ ok: true });
  });

  it("of a virtual table is refused", async () => {
    const id = newId();
    await run(id, "CREATE VIRTUAL TABLE f USING fts5 (a)");
    expect(await store.dump(id, { noSchema: false, noData: false, tables: [] })).toMatchObject({
      ok: false,
      error: expect.stringContaining("Virtual Tables"),
    });
  });
});
