/** Checks that run inside a Durable Object: its storage and its context. Each has an object of its own. */
import { type Checks, type Loose, outcome, outcomes } from "../check.ts";

const sqlRows = (sql: Loose, text: string, ...bindings: unknown[]) =>
  sql.exec(text, ...bindings).toArray();

export const inside: Checks = {
  "storage: itself": ({ ctx }) => ({
    name: ctx.storage.constructor.name,
    methods: [
      "get",
      "put",
      "delete",
      "list",
      "deleteAll",
      "transaction",
      "transactionSync",
      "sync",
      "getAlarm",
      "setAlarm",
      "deleteAlarm",
      "getCurrentBookmark",
      "getBookmarkForTime",
      "onNextSessionRestoreBookmark",
    ].map((name) => `${name} ${typeof ctx.storage[name]}`),
    parts: [typeof ctx.storage.sql, typeof ctx.storage.kv],
  }),
  "storage: get and put": async ({ ctx: { storage } }) => {
    const put = await outcome(() => storage.put("a", { list: [1], date: new Date(0) }));
    return [put, await storage.get("a"), await storage.get("missing")];
  },
  "storage: several at once": async ({ ctx: { storage } }) => {
    await storage.put({ b: 2, a: 1, c: 3 });
    return [
      await storage.get(["c", "a", "missing"]),
      await storage.list(),
      await storage.delete(["a", "missing"]),
      await storage.delete("b"),
      await storage.delete("b"),
      await storage.list(),
    ];
  },
  "storage: every kind of value": async ({ ctx: { storage } }) => {
    const values: Record<string, unknown> = {
      string: "s",
      number: 1.5,
      bigint: 5n,
      null: null,
      date: new Date(0),
      map: new Map([["a", new Set([1])]]),
      bytes: new Uint8Array([1, 2]),
      regexp: /x/gi,
      error: new RangeError("kept"),
      undefinedInside: { u: undefined },
    };
    const seen: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values))
      seen[name] = await outcome(async () => {
        await storage.put(name, value);
        return storage.get(name);
      });
    return seen;
  },
  "storage: values that are none": ({ ctx: { storage } }) =>
    outcomes({
      undefined: () => storage.put("u", undefined),
      function: () => storage.put("f", () => 1),
      symbol: () => storage.put("s", Symbol("s")),
      large: () => storage.put("l", "x".repeat(3 * 1024 * 1024)),
      longKey: () => storage.put("k".repeat(3_000), 1),
      nothing: () => storage.put(),
      onlyKey: () => storage.put("k"),
      number: () => storage.put(5, 1),
    }),
  "storage: list": async ({ ctx: { storage } }) => {
    for (const key of ["b1", "a", "b2", "c", "b3", "ä"]) await storage.put(key, key);
    const keys = async (options?: Loose) => [...(await storage.list(options)).keys()];
    return outcomes({
      all: () => keys(),
      prefix: () => keys({ prefix: "b" }),
      limit: () => keys({ limit: 2 }),
      reverse: () => keys({ reverse: true }),
      start: () => keys({ start: "b2" }),
      startAfter: () => keys({ startAfter: "b2" }),
      end: () => keys({ end: "b3" }),
      some: () => keys({ prefix: "b", reverse: true, limit: 1 }),
      both: () => keys({ start: "a", startAfter: "a" }),
      zero: () => keys({ limit: 0 }),
    });
  },
  "storage: deleteAll": async ({ ctx: { storage } }) => {
    await storage.put({ a: 1, b: 2 });
    storage.sql.exec("CREATE TABLE t (a)");
    const act = await outcome(() => storage.deleteAll());
    return [
      act,
      (await storage.list()).size,
      sqlRows(storage.sql, "SELECT count(*) AS n FROM sqlite_master WHERE name = 't'"),
    ];
  },
  "storage: transaction": async ({ ctx: { storage } }) => {
    await storage.put("n", 1);
    const good = await outcome(() =>
      storage.transaction(async (txn: Loose) => {
        await txn.put("n", ((await txn.get("n")) as number) + 1);
        return "done";
      }),
    );
    const bad = await outcome(() =>
      storage.transaction(async (txn: Loose) => {
        await txn.put("n", 99);
        throw new Error("given up");
      }),
    );
    const rolledBack = await outcome(() =>
      storage.transaction(async (txn: Loose) => {
        await txn.put("n", 98);
        txn.rollback();
      }),
    );
    return { good, bad, rolledBack, n: await storage.get("n") };
  },
  "storage: transactionSync": async ({ ctx: { storage } }) => {
    const { sql } = storage;
    sql.exec("CREATE TABLE t (a)");
    const good = await outcome(() =>
      storage.transactionSync(() => {
        sql.exec("INSERT INTO t VALUES (1)");
        return "done";
      }),
    );
    const bad = await outcome(() =>
      storage.transactionSync(() => {
        sql.exec("INSERT INTO t VALUES (2)");
        throw new Error("given up");
      }),
    );
    return { good, bad, rows: sqlRows(sql, "SELECT a FROM t") };
  },
  "storage: kv": ({ ctx: { storage } }) => {
    const { kv } = storage;
    return outcomes({
      put: () => kv.put("a", { n: 1 }),
      get: () => kv.get("a"),
      missing: () => kv.get("missing"),
      list: () => [...kv.list()],
      prefix: () => [...kv.list({ prefix: "b" })],
      delete: () => kv.delete("a"),
      again: () => kv.delete("a"),
      undefined: () => kv.put("u", undefined),
      async: () => storage.get("a"),
    });
  },
  "sql: a query": ({ ctx: { storage } }) => {
    const cursor = storage.sql.exec("SELECT 1 AS a, 'x' AS b, NULL AS c, x'01' AS d, 1.5 AS e");
    return [cursor.columnNames, cursor.toArray(), cursor.rowsRead, cursor.rowsWritten];
  },
  "sql: the ways to read a cursor": async ({ ctx: { storage } }) => {
    const { sql } = storage;
    sql.exec("CREATE TABLE t (a, b)");
    sql.exec("INSERT INTO t VALUES (1, 'x'), (2, 'y')");
    const all = () => sql.exec("SELECT a, b FROM t ORDER BY a");
    return outcomes({
      array: () => all().toArray(),
      spread: () => [...all()],
      next: () => all().next(),
      raw: () => [...all().raw()],
      rawArray: () => all().raw().toArray(),
      one: () => all().one(),
      oneOfOne: () => sql.exec("SELECT 5 AS five").one(),
      oneOfNone: () => sql.exec("SELECT 5 WHERE 0").one(),
      name: () => all().constructor.name,
    });
  },
  "sql: bindings": ({ ctx: { storage } }) => {
    const bind = (value: unknown) => () =>
      storage.sql.exec("SELECT ? AS v, typeof(?1) AS t", value).one();
    return outcomes({
      string: bind("s"),
      integer: bind(5),
      real: bind(1.5),
      null: bind(null),
      true: bind(true),
      bytes: bind(new Uint8Array([1])),
      buffer: bind(new Uint8Array([2]).buffer),
      undefined: bind(undefined),
      object: bind({}),
      bigint: bind(5n),
      many: () => storage.sql.exec("SELECT ? AS v", 1, 2).one(),
      few: () => storage.sql.exec("SELECT ? AS v").one(),
    });
  },
  "sql: errors": ({ ctx: { storage } }) => {
    const run = (text: string) => () => storage.sql.exec(text).toArray();
    return outcomes({
      syntax: run("SELEKT"),
      table: run("SELECT * FROM missing"),
      begin: run("BEGIN"),
      pragma: run("PRAGMA journal_mode = delete"),
      attach: run("ATTACH 'x' AS y"),
      hidden: run("SELECT * FROM _cf_KV"),
      empty: run(""),
      two: run("SELECT 1 AS a; SELECT 2 AS b"),
    });
  },
  "sql: constraints": ({ ctx: { storage } }) => {
    storage.sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)");
    storage.sql.exec("INSERT INTO t VALUES (1, 'x')");
    return outcomes({
      primary: () => storage.sql.exec("INSERT INTO t VALUES (1, 'y')"),
      notNull: () => storage.sql.exec("INSERT INTO t VALUES (2, NULL)"),
    });
  },
  "sql: size": ({ ctx: { storage } }) => {
    storage.sql.exec("CREATE TABLE t (a)");
    return [typeof storage.sql.databaseSize, storage.sql.databaseSize > 0];
  },
  "alarm: set, get, delete": async ({ ctx: { storage } }) => {
    const at = Date.now() + 3_600_000;
    return [
      await storage.getAlarm(),
      await outcome(() => storage.setAlarm(at)),
      (await storage.getAlarm()) === at,
      await outcome(() => storage.setAlarm(new Date(at + 1_000))),
      (await storage.getAlarm()) === at + 1_000,
      await outcome(() => storage.deleteAlarm()),
      await storage.getAlarm(),
    ];
  },
  "alarm: times that are none": ({ ctx: { storage } }) =>
    outcomes({
      word: () => storage.setAlarm("soon"),
      nothing: () => storage.setAlarm(),
      zero: () => storage.setAlarm(0),
      negative: () => storage.setAlarm(-1),
      notANumber: () => storage.setAlarm(Number.NaN),
      invalidDate: () => storage.setAlarm(new Date("x")),
      null: () => storage.setAlarm(null),
    }),
  "alarm: deleteAll takes it along": async ({ ctx: { storage } }) => {
    await storage.setAlarm(Date.now() + 3_600_000);
    await storage.deleteAll();
    return storage.getAlarm();
  },
  "alarm: in a transaction": async ({ ctx: { storage } }) => {
    const at = Date.now() + 3_600_000;
    await storage.transaction(async (txn: Loose) => txn.setAlarm(at));
    const kept = (await storage.getAlarm()) === at;
    await outcome(() =>
      storage.transaction(async (txn: Loose) => {
        await txn.setAlarm(at + 5_000);
        throw new Error("given up");
      }),
    );
    return [kept, (await storage.getAlarm()) === at];
  },
  "ctx: itself": ({ ctx }) => ({
    name: ctx.constructor.name,
    methods: [
      "waitUntil",
      "blockConcurrencyWhile",
      "acceptWebSocket",
      "getWebSockets",
      "getTags",
      "abort",
      "setWebSocketAutoResponse",
      "getWebSocketAutoResponse",
      "getWebSocketAutoResponseTimestamp",
      "setHibernatableWebSocketEventTimeout",
      "getHibernatableWebSocketEventTimeout",
    ].map((name) => `${name} ${typeof ctx[name]}`),
    parts: [
      typeof ctx.id,
      typeof ctx.storage,
      typeof ctx.exports,
      typeof ctx.props,
      typeof ctx.facets,
    ],
    props: ctx.props,
  }),
  "ctx: id": ({ ctx, own }) => ({
    name: ctx.id.name === own || ctx.id.name,
    type: ctx.id.constructor.name,
    length: String(ctx.id).length,
    equals: ctx.id.equals(ctx.id),
    keys: Object.keys(ctx.id),
    tag: Object.prototype.toString.call(ctx.id),
  }),
  "ctx: blockConcurrencyWhile": ({ ctx }) =>
    outcome(() => ctx.blockConcurrencyWhile(async () => "its value")),
  "ctx: no sockets yet": ({ ctx }) => [
    ctx.getWebSockets(),
    ctx.getWebSockets("none"),
    ctx.getWebSocketAutoResponse(),
  ],
  "ctx: tags that are none": ({ ctx }) =>
    outcomes({
      many: () =>
        ctx.acceptWebSocket(
          new WebSocketPair()[1],
          Array.from({ length: 11 }, (_, n) => `t${n}`),
        ),
      long: () => ctx.acceptWebSocket(new WebSocketPair()[1], ["t".repeat(257)]),
      twice: () => {
        const socket = new WebSocketPair()[1];
        ctx.acceptWebSocket(socket);
        ctx.acceptWebSocket(socket);
      },
      noSocket: () => ctx.acceptWebSocket({}),
    }),
  "env: bindings are there": async ({ env, own }) => {
    await env.KV.put(`in-object:${own}`, "from an object");
    return [Object.keys(env).sort(), await env.KV.get(`in-object:${own}`), env.TEXT];
  },
  "env: another object": async ({ env, own }) => env.PROBE.getByName(`other ${own}`).echo("hello"),
  "env: its own id again": ({ env, ctx, own }) => [
    env.PROBE.idFromName(own).equals(ctx.id),
    ctx.id.equals(env.PROBE.idFromName(own)),
    String(env.PROBE.idFromName(own)) === String(ctx.id),
  ],
  "globals: caches and crypto": async () => [
    typeof caches.default.match,
    typeof crypto.subtle.digest,
    typeof navigator.userAgent,
  ],
};
