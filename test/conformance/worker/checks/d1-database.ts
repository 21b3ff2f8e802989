import { type Checks, type Loose, outcome, outcomes } from "../check.ts";
import { rows, table } from "../own-table.ts";

export const d1Database: Checks = {
  "several statements in one": async (scene) => {
    const name = await table(scene);
    return outcomes({
      selects: () => scene.DB.prepare("SELECT 1 AS a; SELECT 2 AS b").all(),
      trailing: () => scene.DB.prepare("SELECT 1 AS a;").all(),
      comment: () => scene.DB.prepare("SELECT 1 AS a; -- end").all(),
      changes: () =>
        scene.DB.prepare(
          `INSERT INTO ${name} (name) VALUES ('p'); INSERT INTO ${name} (name) VALUES ('q')`,
        ).run(),
      bound: () => scene.DB.prepare("SELECT ? AS a; SELECT ? AS b").bind(1, 2).all(),
      rows: () => rows(scene.DB, name),
    });
  },
  "transactions by hand": ({ DB }) =>
    outcomes({
      begin: () => DB.prepare("BEGIN TRANSACTION").run(),
      savepoint: () => DB.prepare("SAVEPOINT s").run(),
      commit: () => DB.prepare("COMMIT").run(),
      rollback: () => DB.prepare("ROLLBACK").run(),
    }),
  "statements that are not allowed": ({ DB }) =>
    outcomes({
      attach: () => DB.prepare("ATTACH DATABASE 'x' AS y").run(),
      detach: () => DB.prepare("DETACH DATABASE main").run(),
      vacuum: () => DB.prepare("VACUUM").run(),
      vacuumInto: () => DB.prepare("VACUUM INTO '/tmp/x'").run(),
      loadExtension: () => DB.prepare("SELECT load_extension('x')").run(),
      version: () => DB.prepare("SELECT sqlite_version()").run(),
      temporary: () => DB.prepare("CREATE TEMP TABLE tt (a)").run(),
      hidden: () => DB.prepare("CREATE TABLE _cf_mine (a)").run(),
      hiddenRead: () => DB.prepare("SELECT * FROM _cf_KV").all(),
    }),
  pragmas: async (scene) => {
    const name = await table(scene);
    const all = (sql: string) => async () => (await scene.DB.prepare(sql).all()).results;
    return outcomes({
      tableInfo: all(`PRAGMA table_info(${name})`),
      tableInfoFunction: all(`SELECT name FROM pragma_table_info('${name}')`),
      indexList: all(`PRAGMA index_list(${name})`),
      foreignKeyList: all(`PRAGMA foreign_key_list(${name})`),
      foreignKeys: all("PRAGMA foreign_keys"),
      defer: all("PRAGMA defer_foreign_keys = on"),
      journal: all("PRAGMA journal_mode"),
      journalSet: all("PRAGMA journal_mode = delete"),
      userVersion: all("PRAGMA user_version"),
      pageSize: all("PRAGMA page_size"),
      quickCheck: all("PRAGMA quick_check"),
      optimize: all("PRAGMA optimize"),
      unknown: all("PRAGMA nonsense"),
    });
  },
  "the tables that are there": async (scene) => {
    const name = await table(scene);
    return (
      await scene.DB.prepare(
        `SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name = '${name}' ORDER BY name`,
      ).all()
    ).results;
  },
  "batch: several answers": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    return DB.batch([
      DB.prepare(`INSERT INTO ${name} (name) VALUES (?)`).bind("b"),
      DB.prepare(`SELECT name FROM ${name} WHERE name = ?`).bind("b"),
      DB.prepare(`DELETE FROM ${name} WHERE name = 'b'`),
    ]);
  },
  "batch: all or nothing": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    const act = await outcome(() =>
      DB.batch([
        DB.prepare(`INSERT INTO ${name} (name) VALUES ('new')`),
        DB.prepare(`INSERT INTO ${name} (name) VALUES ('one')`),
      ]),
    );
    return [act, await rows(DB, name)];
  },
  "batch: later statements see earlier ones": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    const answers = await DB.batch([
      DB.prepare(`INSERT INTO ${name} (name) VALUES ('x')`),
      DB.prepare("SELECT last_insert_rowid() AS id, changes() AS changes"),
    ]);
    return answers[1].results;
  },
  "batch: none, one and a bare one": ({ DB }) =>
    outcomes({
      none: () => DB.batch([]),
      one: async () => (await DB.batch([DB.prepare("SELECT 1 AS a")]))[0].results,
      undefined: () => DB.batch([undefined]),
    }),
  "batch: an error in its first statement": ({ DB }) =>
    outcome(() => DB.batch([DB.prepare("SELECT * FROM nowhere"), DB.prepare("SELECT 1")])),
  "exec: one, several, none": async (scene) => {
    const name = await table(scene);
    const exec = (sql: string) => async () => {
      const { duration, ...rest } = await scene.DB.exec(sql);
      return [typeof duration, rest];
    };
    return outcomes({
      one: exec(`INSERT INTO ${name} (name) VALUES ('e1')`),
      lines: exec(
        `INSERT INTO ${name} (name) VALUES ('e2')\nINSERT INTO ${name} (name) VALUES ('e3')`,
      ),
      semicolons: exec(
        `INSERT INTO ${name} (name) VALUES ('e4'); INSERT INTO ${name} (name) VALUES ('e5');`,
      ),
      spread: exec(`INSERT INTO ${name}\n(name) VALUES ('e6')`),
      empty: exec(""),
      blank: exec("\n\n"),
      rows: () => rows(scene.DB, name),
    });
  },
  "exec: an error in the middle": async (scene) => {
    const name = await table(scene);
    const act = await outcome(() =>
      scene.DB.exec(
        `INSERT INTO ${name} (name) VALUES ('m1')\nINSERT INTO nowhere VALUES (1)\nINSERT INTO ${name} (name) VALUES ('m2')`,
      ),
    );
    return [act, await rows(scene.DB, name)];
  },
  "session: every start": ({ DB }) => {
    const ask = (start?: unknown) => async () => {
      const session = DB.withSession(start);
      const before = session.getBookmark();
      const value = await session.prepare("SELECT 1 AS v").first("v");
      return [session.constructor.name, typeof before, value, typeof session.getBookmark()];
    };
    return outcomes({
      none: ask(),
      primary: ask("first-primary"),
      unconstrained: ask("first-unconstrained"),
      empty: ask(""),
      number: ask(5),
    });
  },
  "session: from a bookmark": async (scene) => {
    const name = await table(scene);
    const first = scene.DB.withSession("first-primary");
    await first.prepare(`INSERT INTO ${name} (name) VALUES ('s')`).run();
    const next = scene.DB.withSession(first.getBookmark());
    return next.prepare(`SELECT name FROM ${name} WHERE name = 's'`).first("name");
  },
  "session: batch": async ({ DB }) => {
    const session = DB.withSession();
    const answers = await session.batch([
      session.prepare("SELECT 1 AS a"),
      session.prepare("SELECT 2 AS b"),
    ]);
    return answers.map((answer: Loose) => answer.results);
  },
  "session: its methods": ({ DB }) => {
    const session = DB.withSession();
    return ["prepare", "batch", "getBookmark", "exec", "dump"].map((name) => typeof session[name]);
  },
  dump: async ({ DB }) => {
    const { rejected, resolved } = (await outcome(() => DB.dump())) as Loose;
    return [rejected, resolved?.constructor.name];
  },
  "meta: of a write": async (scene) => {
    const name = await table(scene);
    const { meta } = await scene.DB.prepare(`INSERT INTO ${name} (name) VALUES ('m')`).run();
    const { changes, last_row_id, changed_db, rows_read, rows_written } = meta;
    return { changes, last_row_id, changed_db, rows_read, rows_written };
  },
  "meta: of a read": async (scene) => {
    const name = await table(scene);
    const { meta } = await scene.DB.prepare(`SELECT * FROM ${name}`).all();
    const { changes, last_row_id, changed_db, rows_read, rows_written } = meta;
    return { changes, last_row_id, changed_db, rows_read, rows_written };
  },
  "meta: of DDL": async ({ DB, own }) => {
    const { meta } = await DB.prepare(`CREATE TABLE m_${own.replaceAll("-", "_")} (a)`).run();
    return [meta.changes, meta.changed_db, meta.rows_read, meta.rows_written];
  },
  "meta: after an insert elsewhere": async (scene) => {
    const name = await table(scene);
    await scene.DB.prepare(`INSERT INTO ${name} (id, name) VALUES (500, 'far')`).run();
    const { meta } = await scene.DB.prepare("SELECT 1").all();
    return [meta.changes, typeof meta.last_row_id];
  },
  "JSON functions": ({ DB }) =>
    DB.prepare(
      "SELECT json_extract('{\"a\":[1,2]}', '$.a[1]') AS e, (SELECT count(*) FROM json_each('[1,2,3]')) AS c, json_group_array(1) AS g",
    ).first(),
  "json_each of a bound list": async ({ DB }) =>
    DB.prepare("SELECT sum(value) AS s FROM json_each(?)")
      .bind(JSON.stringify([1, 2, 3]))
      .first("s"),
  "full text search": async ({ DB, own }) => {
    const name = `f_${own.replaceAll("-", "_")}`;
    await DB.exec(`CREATE VIRTUAL TABLE ${name} USING fts5(body)`);
    await DB.prepare(`INSERT INTO ${name} VALUES ('the quick fox'), ('lazy dog')`).run();
    return (await DB.prepare(`SELECT body FROM ${name} WHERE ${name} MATCH 'fox'`).all()).results;
  },
  "common tables and windows": async ({ DB }) =>
    (
      await DB.prepare(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5) SELECT i, sum(i) OVER (ORDER BY i) AS s FROM n",
      ).all()
    ).results,
  "upsert and triggers": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    await DB.prepare(
      `CREATE TRIGGER ${name}_t AFTER INSERT ON ${name} BEGIN UPDATE ${name} SET size = 100 WHERE id = new.id; END`,
    ).run();
    await DB.prepare(`INSERT INTO ${name} (name) VALUES ('trig')`).run();
    await DB.prepare(
      `INSERT INTO ${name} (name, size) VALUES ('one', 77) ON CONFLICT (name) DO UPDATE SET size = excluded.size`,
    ).run();
    return rows(DB, name);
  },
  "a long text and a long blob": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    const text = "x".repeat(500_000);
    await DB.prepare(`INSERT INTO ${name} (id, name, data) VALUES (50, ?, ?)`)
      .bind(text, new Uint8Array(100_000).fill(8))
      .run();
    const row = await DB.prepare(
      `SELECT name, data, length(data) AS n FROM ${name} WHERE id = 50`,
    ).first();
    return [row.name.length, row.data.constructor.name, row.data.length, row.data[0], row.n];
  },
  "a statement that is too long": ({ DB }) =>
    outcome(() => DB.prepare(`SELECT '${"x".repeat(101_000)}' AS v`).first()),
  "a statement that is nearly too long": async ({ DB }) =>
    (await DB.prepare(`SELECT '${"x".repeat(90_000)}' AS v`).first("v")).length,
  "a thousand rows": async ({ DB }) => {
    const { results } = await DB.prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT i FROM n",
    ).all();
    return [results.length, results[999]];
  },
  "many writers at once": async (scene) => {
    const name = await table(scene);
    const { DB } = scene;
    await Promise.all(
      Array.from({ length: 30 }, () =>
        DB.prepare(`UPDATE ${name} SET size = coalesce(size, 0) + 1 WHERE id = 2`).run(),
      ),
    );
    return DB.prepare(`SELECT size FROM ${name} WHERE id = 2`).first("size");
  },
  "dates and numbers in SQL": ({ DB }) =>
    DB.prepare(
      "SELECT date('2026-01-31', '+1 month') AS d, strftime('%s', '2026-01-01') AS s, round(2.5) AS r, 7/2 AS i, abs(-3) AS a, typeof(random()) AS t",
    ).first(),
  "results are plain objects": async ({ DB }) => {
    const { results } = await DB.prepare("SELECT 1 AS a").all();
    return [Object.getPrototypeOf(results[0]) === Object.prototype, Array.isArray(results)];
  },
  "column names that objects have": ({ DB }) =>
    DB.prepare('SELECT 1 AS "constructor", 2 AS "toString", 3 AS "hasOwnProperty", 4 AS "1"').all(),
  "a generic answer can be JSON": async ({ DB }) =>
    Object.keys(JSON.parse(JSON.stringify(await DB.prepare("SELECT 1 AS a").all()))),
  "drop and create again": async (scene) => {
    const name = await table(scene);
    await scene.DB.exec(`DROP TABLE ${name}`);
    return [await outcome(() => rows(scene.DB, name)), await rows(scene.DB, await table(scene))];
  },
};
