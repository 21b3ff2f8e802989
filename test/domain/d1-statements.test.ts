import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onlyReads, splitStatements, StatementSplitter } from "../../src/domain/d1-statements.ts";

const texts = (sql: string) => splitStatements(sql).map((statement) => statement.sql);

const TRIGGER =
  "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = CASE x WHEN 1 THEN ';' END; DELETE FROM b; END;";

/** Awkward texts, each of one statement. */
const STATEMENTS = [
  "SELECT 1;",
  "INSERT INTO t VALUES ('a;b', 'it''s', \"x;y\", `;`, [;]);",
  "-- a ; comment\nSELECT 2;",
  "/* ; */ SELECT /* -- */ 3;",
  "SELECT 4 - -1 / 2;",
  TRIGGER,
  "CREATE TABLE end (begin, trigger);",
  "EXPLAIN CREATE TRIGGER x AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;",
  "SELECT 'größer;' AS \"ж;\";",
];

describe("SQL text is cut into statements as SQLite does it", () => {
  it.each(STATEMENTS)("%s", (sql) => expect(texts(sql)).toEqual([sql]));

  it("in a row, wherever the pieces are cut", () => {
    const pieces = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 200 });
    const rows = fc.array(fc.constantFrom(...STATEMENTS), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(rows, pieces, (statements, lengths) => {
        const text = statements.join("\n");
        const splitter = new StatementSplitter();
        const found = [];
        let at = 0;
        for (let i = 0; at < text.length; i++) {
          const length = (lengths[i % lengths.length] ?? 0) + 1;
          found.push(...splitter.push(text.slice(at, at + length)));
          at += length;
        }
        found.push(...splitter.end());
        expect(found.map(({ sql }) => sql)).toEqual(statements);
      }),
    );
  });

  it.each(["", " ;; \n", "-- only a comment", "/* open", ";/* ; */;"])("%j has none", (sql) =>
    expect(texts(sql)).toEqual([]),
  );

  it("a last one needs no semicolon, and may be broken off anywhere", () => {
    expect(texts("SELECT 1; SELECT 'open")).toEqual(["SELECT 1;", "SELECT 'open"]);
    expect(texts("SELECT 1 -")).toEqual(["SELECT 1 -"]);
  });
});

describe("what only reads", () => {
  it.each([
    "SELECT 1",
    " -- x\nselect 'INSERT'",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "VALUES (1); EXPLAIN QUERY PLAN SELECT 1",
  ])("%s", (sql) => expect(onlyReads(sql)).toBe(true));

  it.each([
    "INSERT INTO t VALUES (1)",
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
    "SELECT 1; DELETE FROM t",
    "PRAGMA foreign_keys = on",
    "(SELECT 1)",
    "CREATE TABLE t (a)",
  ])("does not: %s", (sql) => expect(onlyReads(sql)).toBe(false));
});
