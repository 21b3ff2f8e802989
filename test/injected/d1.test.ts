/** The D1 binding of loaded code, held against the runtime's own: the same calls give the same answers and errors. */
import { env, exports } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { beforeAll, describe, expect, it } from "vitest";
import { D1_PARAMETERS_MAX, D1_SQL_BYTES_MAX } from "../../src/domain/limits-d1.ts";
import { d1Database } from "../../src/injected/d1.ts";

interface Exports {
  readonly D1Binding: (options: { props: { databaseId: string } }) => Fetcher;
}

const bound = (databaseId: string = crypto.randomUUID()): D1Database => {
  const stub = (exports as unknown as Exports).D1Binding({ props: { databaseId } });
  return d1Database({ name: "DB", type: "d1", stub }) as D1Database;
};

type Call = (db: D1Database) => unknown;

/** What a client sees of an answer; what depends on time and place is left out. */
async function seen(call: Call, db: D1Database): Promise<unknown> {
  try {
    return shown(await call(db));
  } catch (error) {
    const { name, message, cause } = error as Error;
    return { name, message, cause: cause instanceof Error ? cause.message : cause };
  }
}
const NOISE = new Set(["duration", "timings", "size_after", "served_by"]);
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, item]) => [
    key,
    NOISE.has(key) ? typeof item : shown(item),
  ]);
}
const any = <T>(value: unknown) => value as T;
const values = (count: number) =>
  `SELECT ${Array.from({ length: count }, () => "?").join("+")} AS s`;
const ones = (count: number) => Array.from({ length: count }, () => 1);

const CALLS: readonly (readonly [name: string, call: Call])[] = [
  [
    "exec of two lines",
    (db) =>
      db.exec(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)\nCREATE TABLE p (id INTEGER PRIMARY KEY) ",
      ),
  ],
  ["exec with comments and blank lines", (db) => db.exec("\nSELECT 1;\n\n  -- nothing\nSELECT 2;")],
  ["exec of a statement over two lines", (db) => db.exec("SELECT\n1")],
  [
    "exec of two statements in a line",
    (db) => db.exec("INSERT INTO t (v) VALUES (1); INSERT INTO t (v) VALUES (2)"),
  ],
  ["exec of what fails", (db) => db.exec("SELECT 1;\nSELECT * FROM nowhere;")],
  ["exec of nothing", (db) => db.exec("")],
  ["run", (db) => db.prepare("INSERT INTO t (v) VALUES (?)").bind("x").run()],
  [
    "run with rows",
    (db) => db.prepare("INSERT INTO t (v) VALUES (?1) RETURNING id, v AS w").bind("y").run(),
  ],
  ["all", (db) => db.prepare("SELECT * FROM t ORDER BY id").all()],
  ["all of none", (db) => db.prepare("SELECT * FROM t WHERE id = 99").all()],
  ["all with a name twice", (db) => db.prepare("SELECT 1 AS a, 2 AS a").all()],
  ["raw with a name twice", (db) => db.prepare("SELECT 1 AS a, 2 AS a").raw({ columnNames: true })],
  ["raw", (db) => db.prepare("SELECT id, v FROM t").raw()],
  [
    "raw of none, with names",
    (db) => db.prepare("SELECT id, v FROM t WHERE 0").raw({ columnNames: true }),
  ],
  ["first", (db) => db.prepare("SELECT * FROM t ORDER BY id").first()],
  ["first of a column", (db) => db.prepare("SELECT * FROM t ORDER BY id").first("v")],
  ["first of a column that there is not", (db) => db.prepare("SELECT 1 AS a").first("b")],
  ["first of a column that is null", (db) => db.prepare("SELECT NULL AS a").first("a")],
  ["first of none", (db) => db.prepare("SELECT 1 WHERE 0").first("b")],
  [
    "every type of value",
    (db) =>
      db
        .prepare(
          "SELECT ?1 AS a, ?2 AS b, ?3 AS c, ?4 AS d, ?5 AS e, typeof(?1), typeof(?3), typeof(?5)",
        )
        .bind(1, 1.5, "ü", true, null)
        .all(),
  ],
  [
    "bytes, as a buffer, a view and a list",
    (db) =>
      db
        .prepare("SELECT ?1 AS a, ?2 AS b, ?3 AS c, typeof(?3) AS t, hex(?2) AS h")
        .bind(new Uint8Array([1, 255]).buffer, new Uint8Array([0, 9]).subarray(1), [7, 8])
        .all(),
  ],
  [
    "no bytes",
    (db) => db.prepare("SELECT ?1 AS a, typeof(?1) AS t").bind(new ArrayBuffer(0)).first(),
  ],
  [
    "numbers that JSON does not have",
    (db) =>
      db
        .prepare("SELECT ?1 AS a, ?2 AS b, 9e999 AS c, 9007199254740993 AS d")
        .bind(NaN, Infinity)
        .first(),
  ],
  ["undefined", (db) => db.prepare("SELECT ?").bind(undefined)],
  ["an object", (db) => db.prepare("SELECT ?").bind({ a: 1 })],
  ["a bigint", (db) => db.prepare("SELECT ?").bind(1n)],
  ["a symbolless function", (db) => db.prepare("SELECT ?").bind(any(Math.max))],
  ["a list of what is no byte", (db) => db.prepare("SELECT ?").bind([256])],
  ["too few values", (db) => db.prepare("SELECT ?, ?").bind(1).run()],
  ["too many values", (db) => db.prepare("SELECT ?").bind(1, 2).run()],
  [
    "as many values as there may be",
    (db) =>
      db
        .prepare(values(D1_PARAMETERS_MAX))
        .bind(...ones(D1_PARAMETERS_MAX))
        .first("s"),
  ],
  [
    "a statement as long as it may be",
    (db) => db.prepare(`SELECT 1 AS a /*${"x".repeat(D1_SQL_BYTES_MAX - 18)}*/`).first(),
  ],
  ["a longer one", (db) => db.prepare(`SELECT 1 AS a /*${"x".repeat(D1_SQL_BYTES_MAX)}*/`).first()],
  ["a syntax error", (db) => db.prepare("SELEC 1").run()],
  ["no such table", (db) => db.prepare("SELECT * FROM nowhere").all()],
  ["no statement", (db) => db.prepare("").all()],
  ["two statements", (db) => db.prepare("SELECT 1 AS a; SELECT 2 AS b;").all()],
  [
    "two statements and a comment",
    (db) => db.prepare("SELECT 1 AS a; SELECT 2 AS b; -- done").all(),
  ],
  ["a constraint", (db) => db.prepare("INSERT INTO t (id) VALUES (1)").run()],
  [
    "batch",
    (db) =>
      db.batch([
        db.prepare("INSERT INTO t (v) VALUES ('b')"),
        db.prepare("SELECT count(*) AS n, last_insert_rowid() AS r, changes() AS c FROM t"),
      ]),
  ],
  [
    "batch that fails",
    (db) => db.batch([db.prepare("DELETE FROM t"), db.prepare("SELECT * FROM nowhere")]),
  ],
  ["and has changed nothing", (db) => db.prepare("SELECT count(*) AS n FROM t").first("n")],
  ["batch of none", (db) => db.batch([])],
  ["a transaction by SQL", (db) => db.prepare("BEGIN TRANSACTION").run()],
  ["a savepoint", (db) => db.prepare("SAVEPOINT a").run()],
  ["another file", (db) => db.prepare("ATTACH 'x' AS y").run()],
  [
    "pragmas that D1 has",
    (db) =>
      db.batch(
        [
          "table_info(t)",
          "foreign_key_list(t)",
          "index_list(t)",
          "foreign_keys",
          "defer_foreign_keys = on",
          "foreign_key_check",
        ].map((name) => db.prepare(`PRAGMA ${name}`)),
      ),
  ],
  ["a pragma that D1 has not", (db) => db.prepare("PRAGMA journal_mode").all()],
  ["the storage's own table", (db) => db.prepare("SELECT * FROM _cf_KV").all()],
  [
    "foreign keys",
    (db) => db.exec("CREATE TABLE c (p REFERENCES p (id));\nINSERT INTO c VALUES (5);"),
  ],
  [
    "functions of SQLite",
    (db) =>
      db
        .prepare(
          "SELECT json_extract('{\"a\":[1]}', '$.a[0]') AS j, sqlite_version() IS NOT NULL AS v",
        )
        .all(),
  ],
  [
    "full text",
    (db) => db.exec("CREATE VIRTUAL TABLE f USING fts5(a);\nINSERT INTO f VALUES ('one two');"),
  ],
  ["full text, found", (db) => db.prepare("SELECT a FROM f WHERE f MATCH 'two'").all()],
  [
    "names of its classes",
    (db) => [
      db.constructor.name,
      db.prepare("SELECT 1").constructor.name,
      db.withSession().constructor.name,
      typeof db.batch,
    ],
  ],
  [
    "a statement's own fields",
    (db) => {
      const { statement, params } = any<{ statement: string; params: unknown }>(
        db.prepare("SELECT ?").bind(new Uint8Array([1]), true),
      );
      return { statement, params };
    },
  ],
  [
    "a session before it asks",
    (db) => [
      db.withSession("first-primary").getBookmark(),
      db.withSession().getBookmark(),
      db.withSession(" 00-1 ").getBookmark(),
    ],
  ],
  [
    "a session that has asked",
    async (db) => {
      const session = db.withSession("first-primary");
      const rows = await session.prepare("SELECT 1 AS a").all();
      return [rows.results, typeof session.getBookmark()];
    },
  ],
  [
    "a session's batch",
    async (db) => {
      const session = db.withSession();
      const rows = await session.batch([session.prepare("SELECT 1 AS a")]);
      return [rows[0]?.results, typeof session.getBookmark()];
    },
  ],
];

/** The main module is loaded by the first call. */
beforeAll(() => bound().exec("SELECT 1"), 60_000);

describe("the same as the runtime's own binding", () => {
  const ours = bound();
  it.each(CALLS)("%s", async (_, call) => {
    const expected = await seen(call, env.DB);
    expect(await seen(call, ours)).toEqual(expected);
  });
});

describe("D1's drivers", () => {
  const users = sqliteTable("users", {
    id: integer("id").primaryKey({ autoIncrement: true }),
    name: text("name").notNull(),
    isAdmin: integer("is_admin", { mode: "boolean" }).notNull(),
  });

  it("drizzle-orm runs unchanged", async () => {
    const client = bound();
    await client.exec(
      "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, is_admin INTEGER NOT NULL)",
    );
    const db = drizzle(client);
    const [inserted, all] = await db.batch([
      db
        .insert(users)
        .values([
          { name: "Ada", isAdmin: true },
          { name: "Bo", isAdmin: false },
        ])
        .returning(),
      db.select().from(users),
    ]);
    expect(inserted).toHaveLength(2);
    expect(all).toEqual([
      { id: 1, name: "Ada", isAdmin: true },
      { id: 2, name: "Bo", isAdmin: false },
    ]);
    expect(await db.$count(users)).toBe(2);
  });
});

describe("what it holds back", () => {
  it("two databases have nothing in common", async () => {
    const [one, two] = [bound(), bound()];
    await one.exec("CREATE TABLE secret (a)");
    await expect(two.prepare("SELECT * FROM secret").all()).rejects.toThrow(
      "no such table: secret",
    );
  });

  it("a binding whose database is gone says so", async () => {
    await expect(bound("").prepare("SELECT 1").run()).rejects.toThrow(
      "D1_ERROR: The database was deleted.",
    );
  });

  it("what is no statement is refused", async () => {
    const call = bound().batch(any([{}]));
    await expect(call).rejects.toThrow("D1_ERROR: A query needs its SQL text.");
  });

  it("shows nothing of what is behind it", () => {
    const db = bound();
    const own = [db, db.prepare("SELECT 1"), db.withSession()].map((object) =>
      Reflect.ownKeys(object),
    );
    expect(own).toEqual([[], ["statement", "params"], []]);
    const methods = Reflect.ownKeys(Object.getPrototypeOf(db.withSession()) as object);
    expect(methods).toEqual(["constructor", "prepare", "batch", "getBookmark"]);
  });
});
