import { bytes, type Checks, outcome, outcomes } from "../check.ts";
import { rows, table } from "../own-table.ts";

export const d1Statements: Checks = {
  "the binding itself": ({ DB }) => ({
    type: typeof DB,
    name: DB.constructor.name,
    tag: String(DB),
    methods: ["prepare", "batch", "exec", "dump", "withSession"].map((name) => typeof DB[name]),
    other: [typeof DB.fetch, typeof DB.foo],
  }),
  "a statement itself": ({ DB }) => {
    const statement = DB.prepare("SELECT 1");
    return {
      name: statement.constructor.name,
      methods: ["bind", "first", "run", "all", "raw"].map((name) => typeof statement[name]),
      bound: statement.bind() === statement,
      boundName: statement.bind().constructor.name,
    };
  },
  "all: the fields of an answer": async ({ DB }) => {
    const answer = await DB.prepare("SELECT 1 AS one").all();
    return [Object.keys(answer), answer.success, answer.results, Object.keys(answer.meta).sort()];
  },
  "all: rows": async (scene) => {
    const name = await table(scene);
    return scene.DB.prepare(`SELECT * FROM ${name}`).all();
  },
  "all: no rows": async (scene) => {
    const name = await table(scene);
    return scene.DB.prepare(`SELECT * FROM ${name} WHERE id > 99`).all();
  },
  "all: the order of columns": async ({ DB }) =>
    Object.keys((await DB.prepare("SELECT 1 AS z, 2 AS a, 3 AS m").all()).results[0]),
  "all: columns of one name": async ({ DB }) => [
    await DB.prepare("SELECT 1 AS a, 2 AS a, 3 AS b").all(),
    await DB.prepare("SELECT 1 AS a, 2 AS a, 3 AS b").raw(),
  ],
  "run: an insert": async (scene) => {
    const name = await table(scene);
    return scene.DB.prepare(`INSERT INTO ${name} (name) VALUES ('four')`).run();
  },
  "run: a select": ({ DB }) => DB.prepare("SELECT 5 AS five").run(),
  "run: update and delete": async (scene) => {
    const name = await table(scene);
    return [
      await scene.DB.prepare(`UPDATE ${name} SET size = 9 WHERE id < 3`).run(),
      await scene.DB.prepare(`DELETE FROM ${name} WHERE id = 1`).run(),
      await scene.DB.prepare(`DELETE FROM ${name} WHERE id = 99`).run(),
      await rows(scene.DB, name),
    ];
  },
  "run: returning": async (scene) => {
    const name = await table(scene);
    return scene.DB.prepare(`INSERT INTO ${name} (name) VALUES ('r') RETURNING id, name`).run();
  },
  "first: a row, a column, none": async (scene) => {
    const name = await table(scene);
    const statement = scene.DB.prepare(`SELECT id, name, size FROM ${name} ORDER BY id`);
    const none = scene.DB.prepare(`SELECT id FROM ${name} WHERE id = 99`);
    return outcomes({
      row: () => statement.first(),
      column: () => statement.first("name"),
      noColumn: () => statement.first("nothing"),
      empty: () => statement.first(""),
      null: () => statement.first(null),
      none: () => none.first(),
      noneColumn: () => none.first("id"),
      ofInsert: () => scene.DB.prepare(`INSERT INTO ${name} (name) VALUES ('x')`).first(),
    });
  },
  "raw: rows": async (scene) => {
    const name = await table(scene);
    const statement = scene.DB.prepare(`SELECT id, name, size FROM ${name} ORDER BY id`);
    return outcomes({
      plain: () => statement.raw(),
      names: () => statement.raw({ columnNames: true }),
      noNames: () => statement.raw({ columnNames: false }),
      empty: () => scene.DB.prepare(`SELECT id FROM ${name} WHERE 0`).raw({ columnNames: true }),
    });
  },
  "types that come back": ({ DB }) =>
    DB.prepare(
      "SELECT 1 AS i, 1.5 AS r, 2.0 AS whole, 'text' AS t, NULL AS n, x'00ff' AS b, 9007199254740993 AS big, 1=1 AS bool, 1e400 AS inf, '' AS empty",
    ).first(),
  "types that are bound": async ({ DB }) => {
    const seen: Record<string, unknown> = {};
    const values: Record<string, unknown> = {
      string: "grüß 👋",
      integer: 5,
      real: 1.25,
      negative: -7,
      true: true,
      false: false,
      null: null,
      array: [1, 2, 255],
      emptyArray: [],
      buffer: bytes(1, 2).buffer,
      bytes: bytes(3, 4),
      part: bytes(1, 2, 3).subarray(1),
      view: new DataView(bytes(5).buffer),
      words: new Uint16Array([1, 256]),
      large: 2 ** 53,
      infinite: Number.POSITIVE_INFINITY,
      notANumber: Number.NaN,
      minusZero: -0,
      nul: "a\u0000b",
    };
    for (const [name, value] of Object.entries(values))
      seen[name] = await outcome(() =>
        DB.prepare("SELECT ? AS value, typeof(?1) AS type").bind(value).first(),
      );
    return seen;
  },
  "types that cannot be bound": ({ DB }) => {
    const bind = (value: unknown) => () => DB.prepare("SELECT ? AS v").bind(value).first();
    return outcomes({
      undefined: bind(undefined),
      bigint: bind(5n),
      object: bind({ a: 1 }),
      date: bind(new Date(0)),
      function: bind(() => 1),
      symbol: bind(Symbol("s")),
      map: bind(new Map()),
      words: bind(["a", "b"]),
      nested: bind([[1]]),
    });
  },
  "bind: when it throws": ({ DB }) => outcome(() => DB.prepare("SELECT ?").bind(undefined)),
  "bind: too few and too many": ({ DB }) =>
    outcomes({
      few: () => DB.prepare("SELECT ?1 AS a, ?2 AS b").bind(1).first(),
      none: () => DB.prepare("SELECT ? AS a").first(),
      many: () => DB.prepare("SELECT ? AS a").bind(1, 2).first(),
      unneeded: () => DB.prepare("SELECT 1 AS a").bind(1).first(),
    }),
  "bind: numbered and named": ({ DB }) =>
    outcomes({
      numbered: () => DB.prepare("SELECT ?2 AS a, ?1 AS b").bind("x", "y").first(),
      twice: () => DB.prepare("SELECT ?1 AS a, ?1 AS b").bind("x").first(),
      named: () => DB.prepare("SELECT :a AS a").bind("x").first(),
      at: () => DB.prepare("SELECT @a AS a").bind("x").first(),
    }),
  "bind: a statement again": async ({ DB }) => {
    const statement = DB.prepare("SELECT ? AS v");
    const one = statement.bind(1);
    const two = statement.bind(2);
    return [await one.first("v"), await two.first("v"), await one.bind(3).first("v")];
  },
  "bind: as many as there may be, and more": ({ DB }) => {
    const sum = (count: number) => () => {
      const values = Array.from({ length: count }, (_, n) => n);
      return DB.prepare(`SELECT ${values.map(() => "?").join("+")} AS v`)
        .bind(...values)
        .first("v");
    };
    return outcomes({ most: sum(100), more: sum(101) });
  },
  "errors: SQL that is none": ({ DB }) =>
    outcomes({
      syntax: () => DB.prepare("SELEKT 1").all(),
      table: () => DB.prepare("SELECT * FROM no_such_table").all(),
      column: () => DB.prepare("SELECT no_such_column").all(),
      function: () => DB.prepare("SELECT no_such_function()").all(),
      empty: () => DB.prepare("").all(),
      comment: () => DB.prepare("-- nothing").all(),
      incomplete: () => DB.prepare("SELECT (1").all(),
      string: () => DB.prepare("SELECT 'open").all(),
    }),
  "errors: from each way to ask": ({ DB }) => {
    const wrong = DB.prepare("SELECT * FROM missing");
    return outcomes({
      all: () => wrong.all(),
      run: () => wrong.run(),
      first: () => wrong.first(),
      raw: () => wrong.raw(),
      batch: () => DB.batch([wrong]),
      exec: () => DB.exec("SELECT * FROM missing"),
    });
  },
  "errors: constraints": async (scene) => {
    const name = await table(scene);
    const run = (sql: string) => () => scene.DB.prepare(sql).run();
    await scene.DB.prepare(
      `CREATE TABLE IF NOT EXISTS ${name}_c (a INTEGER NOT NULL, b INTEGER CHECK (b > 0), c INTEGER REFERENCES ${name}(id))`,
    ).run();
    return outcomes({
      unique: run(`INSERT INTO ${name} (name) VALUES ('one')`),
      primary: run(`INSERT INTO ${name} (id) VALUES (1)`),
      notNull: run(`INSERT INTO ${name}_c (a) VALUES (NULL)`),
      check: run(`INSERT INTO ${name}_c (a, b) VALUES (1, -1)`),
      foreign: run(`INSERT INTO ${name}_c (a, c) VALUES (1, 99)`),
      type: run(`INSERT INTO ${name} (id) VALUES ('word')`),
    });
  },
  "errors: arguments that are none": ({ DB }) =>
    outcomes({
      nothing: () => DB.prepare().all(),
      number: () => DB.prepare(5).all(),
      object: () => DB.prepare({}).all(),
      batch: () => DB.batch(),
      batchWord: () => DB.batch("x"),
      batchStrings: () => DB.batch(["SELECT 1"]),
      exec: () => DB.exec(),
    }),
};
