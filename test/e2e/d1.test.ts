/** D1 as its users have it: wrangler makes and fills databases, Workers run SQL in them, and what is written stays. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const SOURCE = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    try {
      if (pathname === "/add") {
        const [added] = await env.DB.batch([
          env.DB.prepare("INSERT INTO notes (text, bytes) VALUES (?, ?) RETURNING id").bind("hällo", new Uint8Array([1, 2])),
          env.DB.prepare("UPDATE notes SET text = text || '!'"),
        ]);
        return Response.json(added.results);
      }
      if (pathname === "/session") {
        const session = env.DB.withSession("first-primary");
        await session.prepare("SELECT 1").run();
        return Response.json(typeof session.getBookmark());
      }
      if (pathname === "/broken") await env.DB.prepare("SELECT * FROM nowhere").run();
      return Response.json((await env.DB.prepare("SELECT id, text, bytes FROM notes ORDER BY id").all()).results);
    } catch (error) {
      return Response.json({ name: error.name, message: error.message, cause: error.cause?.message }, { status: 500 });
    }
  },
};
`;

describe("a database that wrangler makes", () => {
  let project: Project;
  let id = "";
  const seen = async (path = "/") => JSON.parse((await host.visit("notes.localhost", path)).body);
  const json = (text: string) => JSON.parse(text.slice(text.indexOf("[")));

  beforeAll(async () => {
    project = new Project(host, "notes", SOURCE, "workers_dev = true");
    const { output } = await project.wrangler("d1", "create", "notes-db");
    id = /"?database_id"? ?[=:] ?"([0-9a-f-]{36})"/.exec(output)?.[1] ?? "";
    expect(output).toContain("notes-db");
    const config = `workers_dev = true\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "notes-db"\ndatabase_id = "${id}"`;
    project = new Project(host, "notes", SOURCE, config);
  });

  test("gets its tables by migrations, each of them once", async () => {
    project.write(
      "migrations/0001_notes.sql",
      "-- Migration number: 0001\nCREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, bytes BLOB);\n",
    );
    project.write(
      "migrations/0002_trigger.sql",
      "CREATE TABLE log (x);\nCREATE TRIGGER kept AFTER DELETE ON notes BEGIN INSERT INTO log VALUES (old.text); END;\n",
    );
    await project.wrangler("d1", "migrations", "apply", "notes-db", "--remote");
    const [listed, applied] = await Promise.all([
      project.wrangler("d1", "migrations", "list", "notes-db", "--remote"),
      project.wrangler(
        "d1",
        "execute",
        "notes-db",
        "--remote",
        "--json",
        "--command",
        "SELECT name FROM d1_migrations; SELECT name FROM sqlite_schema WHERE type = 'trigger'",
      ),
    ]);
    expect(listed.output).toContain("No migrations to apply");
    expect(json(applied.stdout).map(({ results }: { results: unknown }) => results)).toEqual([
      [{ name: "0001_notes.sql" }, { name: "0002_trigger.sql" }],
      [{ name: "kept" }],
    ]);
  });

  test("is the Worker's to use, with D1's answers and errors", async () => {
    await project.wrangler("deploy");
    expect(await seen("/add")).toEqual([{ id: 1 }]);
    expect(await seen()).toEqual([{ id: 1, text: "hällo!", bytes: [1, 2] }]);
    expect(await seen("/session")).toBe("string");
    const sentence = "no such table: nowhere: SQLITE_ERROR";
    expect(await seen("/broken")).toEqual({
      name: "Error",
      message: `D1_ERROR: ${sentence}`,
      cause: sentence,
    });
  });

  test("takes a file of SQL whole or not at all, and gives one that makes it again", async () => {
    project.write(
      "more.sql",
      "INSERT INTO notes (text) VALUES ('a;\nb');\nINSERT INTO notes (text) VALUES ('c');\n",
    );
    project.write("bad.sql", "DELETE FROM notes;\nINSERT INTO nowhere VALUES (1);\n");
    const file = ["d1", "execute", "notes-db", "--remote", "--yes", "--file"];
    expect((await project.wrangler(...file, "more.sql")).output).toContain("Executed 2 queries");
    const bad = await project.tryWrangler(...file, "bad.sql");
    expect([bad.code, bad.output]).toEqual([1, expect.stringContaining("no such table: nowhere")]);
    expect((await seen()).map(({ text }: { text: string }) => text)).toEqual([
      "hällo!",
      "a;\nb",
      "c",
    ]);

    await project.wrangler("d1", "export", "notes-db", "--remote", "--output", "dump.sql", "-y");
    expect(readFileSync(join(project.directory, "dump.sql"), "utf8")).toContain(
      `INSERT INTO "notes" ("id","text","bytes") VALUES(1,'hällo!',X'0102');`,
    );
    await host.send("POST", "A/d1/database", { name: "copy" });
    await project.wrangler("d1", "execute", "copy", "--remote", "--yes", "--file", "dump.sql");
    const copied = await host.send("POST", "A/d1/database/copy/query", {
      sql: "SELECT text FROM notes ORDER BY id",
    });
    expect(copied.result[0].results).toEqual([
      { text: "hällo!" },
      { text: "a;\nb" },
      { text: "c" },
    ]);
  });

  test("survives the loss of every process", async () => {
    await host.killEverything();
    await host.start();
    expect((await seen()).length).toBe(3);
  });

  test("does not stop other databases for long when its SQL never ends", async () => {
    const endless = host.send("POST", `A/d1/database/${id}/query`, {
      sql: "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    });
    const other = () =>
      host.send("POST", "A/d1/database/copy/query", { sql: "SELECT count(*) AS n FROM notes" });
    const lost = await endless;
    expect([lost.status, lost.errors[0]?.code]).toEqual([503, 130086]);
    await expect.poll(async () => (await other()).status, { timeout: 20_000 }).toBe(200);
    expect((await seen()).length).toBe(3);
  });

  test("is told of, and is deleted only when nothing is bound to it", async () => {
    const [info, refused, travel] = await Promise.all([
      project.wrangler("d1", "info", "notes-db", "--json"),
      project.tryWrangler("d1", "delete", "notes-db", "-y"),
      project.tryWrangler("d1", "time-travel", "info", "notes-db"),
      project.wrangler("d1", "delete", "copy", "-y"),
    ]);
    expect(JSON.parse(info.stdout.slice(info.stdout.indexOf("{")))).toMatchObject({
      uuid: id,
      name: "notes-db",
      num_tables: 3,
    });
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining("notes (DB)")]);
    expect([travel.code, travel.output]).toEqual([
      1,
      expect.stringContaining("Time travel of a D1 database is not supported"),
    ]);
    const listed = await project.wrangler("d1", "list", "--json");
    expect(json(listed.stdout).map(({ name }: { name: string }) => name)).toEqual(["notes-db"]);
    await host.api(`A/d1/database/${id}?force=true`, { method: "DELETE" });
    expect((await seen()).message).toBe("D1_ERROR: The database was deleted.");
  });
});
