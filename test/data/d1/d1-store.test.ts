/** D1 databases behind their door: what is bounded and what is atomic. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { parseD1Request } from "../../../src/domain/d1.ts";
import {
  D1_IMPORT_WHOLE_BYTES_MAX,
  D1_PARAMETERS_MAX,
  D1_RESULT_BYTES_MAX,
  D1_SQL_BYTES_MAX,
  D1_STATEMENTS_MAX,
  D1_VALUE_BYTES_MAX,
} from "../../../src/domain/limits-d1.ts";
import { importSql, newId, rows, run, store, streamOf } from "./d1-fixture.ts";

/** The main module is loaded by the first call. */
beforeAll(() => run(newId(), "SELECT 1"), 60_000);

describe("a request is one transaction", () => {
  it("of which nothing is left when a statement fails", async () => {
    const id = newId();
    await run(id, "CREATE TABLE t (a)");
    expect(await run(id, "INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)")).toEqual({
      ok: false,
      error: "no such table: nowhere: SQLITE_ERROR",
    });
    expect(await rows(id, "SELECT count(*) FROM t")).toEqual([[0]]);
  });

  it.each([
    ["a deferred one", "REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED", "SELECT 1"],
    ["one deferred by a pragma", "REFERENCES p (id)", "PRAGMA defer_foreign_keys = on"],
  ])("and a foreign key that is broken at its end fails it: %s", async (_, column, pragma) => {
    const id = newId();
    await run(id, "CREATE TABLE p (id INTEGER PRIMARY KEY)", `CREATE TABLE c (p ${column})`);
    const answer = await run(id, pragma, "INSERT INTO c VALUES (7)");
    expect(answer).toMatchObject({
      ok: false,
      error: expect.stringContaining("FOREIGN KEY constraint failed"),
    });
    expect(await rows(id, "SELECT count(*) FROM c")).toEqual([[0]]);
    expect(
      await run(id, pragma, "INSERT INTO c VALUES (7)", "INSERT INTO p VALUES (7)"),
    ).toMatchObject({ ok: true });
  });
});

describe("limits", () => {
  const query = (...params: unknown[]) =>
    parseD1Request({ queries: [{ sql: "SELECT 1", params }] });

  it("values of a statement", () => {
    const params = (count: number) => Array.from({ length: count }, () => 1);
    expect(query(...params(D1_PARAMETERS_MAX))).toMatchObject({ ok: true });
    expect(query(...params(D1_PARAMETERS_MAX + 1))).toEqual({
      ok: false,
      error: "too many SQL variables: SQLITE_ERROR",
    });
  });

  it("size of a value, in bytes of UTF-8", () => {
    const refused = { ok: false, error: "string or blob too big: SQLITE_TOOBIG" };
    expect(query("é".repeat(D1_VALUE_BYTES_MAX / 2))).toMatchObject({ ok: true });
    expect(query("é".repeat(D1_VALUE_BYTES_MAX / 2) + "x")).toEqual(refused);
    expect(query(new ArrayBuffer(D1_VALUE_BYTES_MAX))).toMatchObject({ ok: true });
    expect(query(new ArrayBuffer(D1_VALUE_BYTES_MAX + 1))).toEqual(refused);
  });

  it("statements of a call", () => {
    const queries = (count: number) => ({
      queries: Array.from({ length: count }, () => ({ sql: "", params: [] })),
    });
    expect(parseD1Request(queries(D1_STATEMENTS_MAX))).toMatchObject({ ok: true });
    expect(parseD1Request(queries(D1_STATEMENTS_MAX + 1))).toMatchObject({
      ok: false,
      error: expect.stringContaining(`at most ${D1_STATEMENTS_MAX}`),
    });
  });

  it.each([
    [null],
    [{}],
    [{ queries: [{}] }],
    [{ queries: [{ sql: "SELECT 1" }] }],
    [{ queries: [{ sql: "SELECT ?", params: [{}] }] }],
  ])("%j is no request", (asked) => expect(parseD1Request(asked)).toMatchObject({ ok: false }));

  it("a result as large as a message may be is given, a larger one is refused", async () => {
    const id = newId();
    const bytes = D1_RESULT_BYTES_MAX / 2 - 1024;
    const all = (count: number) =>
      `SELECT hex(zeroblob(${bytes / 8})) AS a FROM json_each('${JSON.stringify(Array.from({ length: count }, () => 0))}')`;
    expect(await run(id, all(4))).toMatchObject({ ok: true });
    expect(await run(id, all(5))).toMatchObject({
      ok: false,
      error: expect.stringContaining("28 MiB"),
    });
  });
});

describe("an import", () => {
  it("runs every statement of a file, however its bytes come in", async () => {
    const id = newId();
    const file = `CREATE TABLE t (a TEXT);\n-- ; comment\nINSERT INTO t VALUES ('größer; 😀');
      CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET a = a || '!'; END;\nINSERT INTO t VALUES ('b')`;
    const state = await importSql(id, "i1", streamOf(file));
    expect(state).toMatchObject({
      status: "complete",
      result: { statements: 4, bookmark: expect.any(String), meta: { changed_db: true } },
    });
    expect(await store.importState(id, "i1")).toEqual(state);
    expect(await rows(id, "SELECT a FROM t")).toEqual([["größer; 😀!"], ["b!"]]);
  });

  it("leaves nothing of a file that fails, and tells why as often as it is asked", async () => {
    const id = newId();
    await run(id, "CREATE TABLE t (a)");
    const failed = { status: "failed", error: "no such table: nowhere: SQLITE_ERROR" };
    const file = "INSERT INTO t VALUES (1); CREATE TABLE u (a); INSERT INTO nowhere VALUES (1);";
    expect(await importSql(id, "i1", streamOf(file))).toEqual(failed);
    expect(await store.importState(id, "i1")).toEqual(failed);
    expect(await store.importState(id, "other")).toEqual({ status: "unknown" });
    expect(
      await rows(
        id,
        "SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM sqlite_schema WHERE name = 'u')",
      ),
    ).toEqual([[0]]);
  });

  it("whose file breaks off leaves nothing either", async () => {
    const id = newId();
    await run(id, "CREATE TABLE t (a)");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const importing = importSql(id, "i1", readable);
    await writer.write(new TextEncoder().encode("INSERT INTO t VALUES (1);"));
    await writer.abort(new Error("gone"));
    expect(await importing).toMatchObject({ status: "failed" });
    expect(await rows(id, "SELECT count(*) FROM t")).toEqual([[0]]);
  });

  it("has the database for itself: whoever comes meanwhile waits, and sees all of it", async () => {
    const id = newId();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const importing = importSql(id, "i1", readable);
    await writer.write(new TextEncoder().encode("CREATE TABLE t (a);"));
    const counted = run(id, "SELECT count(*) AS n FROM t");
    const asked = store.importState(id, "i1");
    await writer.write(new TextEncoder().encode("INSERT INTO t VALUES (1);"));
    await writer.close();
    expect(await importing).toMatchObject({ status: "complete" });
    expect(await counted).toMatchObject({ ok: true, results: [{ rows: [[1]] }] });
    expect(await asked).toMatchObject({ status: "complete" });
  });

  it.each([
    [
      "a statement that is too long",
      `SELECT '${"x".repeat(D1_SQL_BYTES_MAX + 1)}`,
      "statement too long: SQLITE_TOOBIG",
    ],
    ["no text", "\u0000\ud800", ""],
    ["nothing", "-- nothing", "The file has no SQL statements."],
    ["a transaction", "BEGIN TRANSACTION; SELECT 1; COMMIT;", "SAVEPOINT"],
  ])("refuses %s", async (_, file, error) => {
    expect(await importSql(newId(), "i1", streamOf(file, 4096))).toMatchObject({
      status: "failed",
      error: expect.stringContaining(error),
    });
  });
});

describe("an import of a large file into an empty database", () => {
  const LARGE = D1_IMPORT_WHOLE_BYTES_MAX + 1;
  const rowsOf = (count: number, row: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => row(i)).join("\n");
  const FILE = `PRAGMA defer_foreign_keys=TRUE;
    CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id));
    ${rowsOf(4000, (i) => `INSERT INTO c VALUES (${i}, ${i});`)}
    CREATE TABLE p (id INTEGER PRIMARY KEY);
    ${rowsOf(4000, (i) => `INSERT INTO p VALUES (${i});`)}`;
  const pieces = 4096;

  it("runs all of it in steps, with foreign keys that hold in the end, and then always", async () => {
    const id = newId();
    const state = await importSql(id, "i1", streamOf(FILE, pieces), LARGE);
    expect(state).toMatchObject({
      status: "complete",
      result: { statements: 8003, meta: { changes: 8000 } },
    });
    expect(await store.importState(id, "i1")).toEqual(state);
    expect(await rows(id, "SELECT count(*) FROM c JOIN p ON p.id = c.p")).toEqual([[4000]]);
    const refused = { ok: false, error: expect.stringContaining("FOREIGN KEY constraint failed") };
    expect(await run(id, "INSERT INTO c VALUES (9999, 9999)")).toMatchObject(refused);
  });

  it.each([
    [
      "a statement that fails at its end",
      `${FILE}\nINSERT INTO nowhere VALUES (1);`,
      "no such table: nowhere",
    ],
    [
      "a foreign key that leads nowhere",
      `${FILE}\nINSERT INTO c VALUES (9999, 9999);`,
      "FOREIGN KEY constraint failed",
    ],
  ])("leaves an empty database behind %s", async (_, file, error) => {
    const id = newId();
    const state = await importSql(id, "i1", streamOf(file, pieces), LARGE);
    expect(state).toMatchObject({ status: "failed", error: expect.stringContaining(error) });
    expect(await store.importState(id, "i1")).toEqual(state);
    expect(await store.size(id)).toMatchObject({ numTables: 0 });
    await run(
      id,
      "CREATE TABLE p (id INTEGER PRIMARY KEY)",
      "CREATE TABLE c (p REFERENCES p (id))",
    );
    expect(await run(id, "INSERT INTO c VALUES (1)")).toMatchObject({ ok: false });
  });

  it("refuses everybody else meanwhile, and leaves nothing when its process is lost", async () => {
    const id = newId();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const importing = importSql(id, "i1", readable, LARGE);
    importing.catch(() => undefined);
    await writer.write(new TextEncoder().encode(FILE));
    const busy = "Currently processing a long-running import.";
    await expect.poll(() => run(id, "SELECT 1")).toEqual({ ok: false, error: busy });
    expect(await importSql(id, "i2", streamOf("SELECT 1"))).toEqual({
      status: "failed",
      error: busy,
    });
    expect(await store.importState(id, "i1")).toEqual({ status: "active" });
    const stub = (
      env as unknown as { D1_DATABASES: DurableObjectNamespace }
    ).D1_DATABASES.getByName(id);
    await runInDurableObject(stub, (_, state) => state.abort("lost")).catch(() => undefined);
    await expect(importing).rejects.toThrow();
    await expect.poll(() => store.importState(id, "i1")).toEqual({ status: "unknown" });
    expect(await store.size(id)).toMatchObject({ numTables: 0 });
    expect(await run(id, "SELECT 1")).toMatchObject({ ok: true });
  });
});

describe("a deleted database", () => {
  it("has nothing left, and is not an empty one either", async () => {
    const id = newId();
    await run(id, "CREATE TABLE t (a)");
    expect(await store.size(id)).toMatchObject({ numTables: 1 });
    await store.erase(id);
    expect(await run(id, "SELECT 1")).toEqual({ ok: false, error: "The database was deleted." });
    expect(await store.size(id)).toMatchObject({ numTables: 0 });
  });
});
