/** The D1 API: databases, queries, and files of SQL in and out. */
import { beforeAll, describe, expect, it } from "vitest";
import { D1Links } from "../../src/control/d1-links.ts";
import {
  D1_LINK_MS,
  D1_NAME_CHARS_MAX,
  D1_QUERY_BODY_BYTES_MAX,
} from "../../src/domain/limits-d1.ts";
import { ACCOUNT, apiClient, deployedWorker, type Client } from "./api-fixture.ts";

const DATABASES = `${ACCOUNT}/d1/database`;
const UUID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);

let client: Client;
beforeAll(async () => {
  client = await apiClient();
}, 60_000);

const create = async (name: string): Promise<string> =>
  (await client.call("POST", DATABASES, { name })).result.uuid;
const query = (id: string, body: unknown, how = "query") =>
  client.call("POST", `${DATABASES}/${id}/${how}`, body);
const code = (answer: { status: number; errors: readonly { code: number }[] }) =>
  [answer.status, answer.errors[0]?.code] as const;

describe("databases", () => {
  it("are made, found by id and by name, listed in pages, and gone when deleted", async () => {
    const made = await client.call("POST", DATABASES, {
      name: "shop-db",
      primary_location_hint: "weur",
    });
    expect(made.result).toEqual({
      uuid: UUID,
      name: "shop-db",
      version: "production",
      created_at: expect.stringMatching(/Z$/),
      jurisdiction: null,
      num_tables: 0,
      file_size: expect.any(Number),
      read_replication: { mode: "disabled" },
    });
    const { uuid } = made.result;
    for (const which of [uuid, "shop-db"]) {
      expect((await client.call("GET", `${DATABASES}/${which}`)).result.uuid).toBe(uuid);
    }
    const few = await client.call("GET", `${DATABASES}/shop-db?fields=uuid%2Cname`);
    expect(few.result).toEqual({ uuid, name: "shop-db" });

    const other = await create("shop_other");
    const listed = await client.call("GET", `${DATABASES}?name=shop-&per_page=10&page=1`);
    expect(listed.result.map(({ name }: { name: string }) => name)).toEqual(["shop-db"]);
    expect(listed.result_info).toMatchObject({ page: 1, per_page: 10, count: 1, total_count: 1 });
    const second = await client.call("GET", `${DATABASES}?per_page=1&page=2`);
    expect(second.result.map((one: { uuid: string }) => one.uuid)).toEqual([other]);
    expect((await client.call("GET", `${DATABASES}?per_page=1000&page=9`)).result).toEqual([]);

    expect((await client.call("DELETE", `${DATABASES}/${uuid}`)).success).toBe(true);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/query"],
    ] as const) {
      const gone = await client.call(
        method,
        `${DATABASES}/${uuid}${path}`,
        method === "POST" ? { sql: "SELECT 1" } : undefined,
      );
      expect(code(gone)).toEqual([404, 7404]);
    }
    // Its name is free again, and it starts empty.
    expect(await create("shop-db")).not.toBe(uuid);
  });

  it("have names of their own, of letters that a name may have", async () => {
    await create("taken");
    const again = await client.call("POST", DATABASES, { name: "taken" });
    expect(code(again)).toEqual([400, 7502]);
    expect(again.errors[0]?.message).toBe("Database with name taken already exists");
    for (const name of ["", "a b", "-a", "ä", "x".repeat(D1_NAME_CHARS_MAX + 1)]) {
      expect(code(await client.call("POST", DATABASES, { name }))).toEqual([400, 7400]);
    }
    expect(
      (await client.call("POST", DATABASES, { name: "x".repeat(D1_NAME_CHARS_MAX) })).success,
    ).toBe(true);
  });

  it("are not deleted while a deployment is bound to them, unless forced", async () => {
    const id = await create("bound");
    const bindings = [{ type: "d1", name: "DB", id }];
    await deployedWorker(client, "keeper", { bindings });
    const refused = await client.call("DELETE", `${DATABASES}/${id}`);
    expect(code(refused)).toEqual([400, 130050]);
    expect(refused.errors[0]?.message).toContain("keeper (DB)");
    expect((await query(id, { sql: "SELECT 1" })).success).toBe(true);
    expect((await client.call("DELETE", `${DATABASES}/${id}?force=true`)).success).toBe(true);
  });

  it("have one copy", async () => {
    const id = await create("single");
    const change = (mode: string) =>
      client.call("PATCH", `${DATABASES}/${id}`, { read_replication: { mode } });
    expect((await change("disabled")).result.read_replication).toEqual({ mode: "disabled" });
    expect(code(await change("auto"))).toEqual([400, 130001]);
    const travel = await client.call("GET", `${DATABASES}/${id}/time_travel/bookmark`);
    expect(code(travel)).toEqual([400, 130090]);
  });

  it.each([
    ["POST", "", "nothing"],
    ["POST", "", { name: 1 }],
    ["GET", "?page=0", undefined],
    ["GET", "?per_page=x", undefined],
    ["PATCH", "/none", { read_replication: 1 }],
    ["DELETE", "/none?force=perhaps", undefined],
  ])("%s %s of %j is refused", async (method, path, body) => {
    const { status } = await client.call(method, `${DATABASES}${path}`, body);
    expect(status).toBe(400);
  });
});

describe("queries", () => {
  let id = "";
  beforeAll(async () => {
    id = await create("queries");
    await query(id, { sql: "CREATE TABLE t (a INTEGER PRIMARY KEY, b)" });
  });

  it("give a result for each statement, as objects or as rows", async () => {
    const sql = "INSERT INTO t (b) VALUES ('x;y'); -- all\nSELECT *, x'01ff' AS c FROM t;";
    const { result } = await query(id, { sql });
    expect(result).toMatchObject([
      { success: true, results: [], meta: { changes: 1, last_row_id: 1, changed_db: true } },
      {
        success: true,
        results: [{ a: 1, b: "x;y", c: [1, 255] }],
        meta: { changes: 0, duration: expect.any(Number), rows_read: expect.any(Number) },
      },
    ]);
    const raw = await query(id, { sql: "SELECT 1 AS a, 2 AS a" }, "raw");
    expect(raw.result).toMatchObject([{ results: { columns: ["a", "a"], rows: [[1, 2]] } }]);
  });

  it("take parameters, the last statement's, and batches", async () => {
    const params = ["1", 2.5, true, null, [0, 255]];
    const one = await query(id, {
      sql: "SELECT 0; SELECT ?1 a, ?2 b, ?3 c, ?4 d, hex(?5) e",
      params,
    });
    expect(one.result[1].results).toEqual([{ a: "1", b: 2.5, c: 1, d: null, e: "00FF" }]);
    const batch = [
      { sql: "SELECT ? AS a", params: ["x"] },
      { sql: "SELECT 2 AS b; SELECT 3 AS c" },
    ];
    const { result } = await query(id, { batch });
    expect(result.map(({ results }: { results: unknown }) => results)).toEqual([
      [{ a: "x" }],
      [{ b: 2 }],
      [{ c: 3 }],
    ]);
  });

  it("are one transaction, and a refusal is SQLite's sentence", async () => {
    const refused = await query(id, { sql: "DELETE FROM t; SELECT * FROM nowhere" });
    expect(code(refused)).toEqual([400, 7500]);
    expect(refused.errors[0]?.message).toBe("no such table: nowhere: SQLITE_ERROR");
    expect((await query(id, { sql: "SELECT count(*) AS n FROM t" })).result[0].results).toEqual([
      { n: 1 },
    ]);
  });

  it.each([
    [{ sql: "" }, 7500],
    [{ sql: "-- nothing" }, 7500],
    [{ batch: [] }, 7500],
    [{ sql: "BEGIN" }, 7500],
    [{ sql: "SELECT ?" }, 7500],
    [{ sql: "SELECT ?", params: [{}] }, 130001],
    [{ sql: "SELECT ?", params: [[256]] }, 130001],
    [{ sql: 1 }, 130001],
    ["{", 10026],
  ])("%j is refused", async (body, expected) => {
    expect(code(await query(id, body))).toEqual([400, expected]);
  });

  it("of more than a body may have is refused", async () => {
    const sql = `SELECT 1 -- ${"x".repeat(D1_QUERY_BODY_BYTES_MAX)}`;
    expect(code(await query(id, { sql }))).toEqual([413, 130002]);
  });
});

describe("files", () => {
  const FILE = "CREATE TABLE t (a);\nINSERT INTO t VALUES ('ü');\n";
  const md5 = async (text: string) => {
    const digest = await crypto.subtle.digest("MD5", new TextEncoder().encode(text));
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const ask = (id: string, body: unknown) => client.call("POST", `${DATABASES}/${id}/import`, body);
  const at = (url: string, init: RequestInit = {}) => {
    const { host, pathname } = new URL(url);
    expect(host).toBe("localhost");
    const headers = new Headers(init.headers);
    headers.set("authorization", "none");
    return client.raw(init.method ?? "GET", pathname, { ...init, headers });
  };
  const put = (url: string, text: string) =>
    at(url, {
      method: "PUT",
      body: text,
      headers: { "content-length": String(new TextEncoder().encode(text).byteLength) },
    });

  it("are imported: begun, uploaded without a token, run, and asked about", async () => {
    const id = await create("importing");
    const etag = await md5(FILE);
    const { result: begun } = await ask(id, { action: "init", etag });
    expect(begun).toMatchObject({
      success: true,
      type: "import",
      filename: expect.stringMatching(/\.sql$/),
    });
    const uploaded = await put(begun.upload_url, FILE);
    expect([uploaded.status, uploaded.headers.get("etag")]).toEqual([200, `"${etag}"`]);
    const { result: done } = await ask(id, { action: "ingest", filename: begun.filename, etag });
    expect(done).toMatchObject({
      success: true,
      status: "complete",
      result: {
        num_queries: 2,
        final_bookmark: expect.any(String),
        meta: { rows_written: expect.any(Number) },
      },
    });
    const { result: asked } = await ask(id, { action: "poll", current_bookmark: done.at_bookmark });
    expect(asked).toEqual(done);
    expect((await query(id, { sql: "SELECT a FROM t" })).result[0].results).toEqual([{ a: "ü" }]);
    // It was taken: running it twice would be another import.
    expect(code(await ask(id, { action: "ingest", filename: begun.filename, etag }))).toEqual([
      400, 130085,
    ]);
  });

  it("that fail are told of, and leave nothing", async () => {
    const id = await create("failing");
    const text = `${FILE}INSERT INTO nowhere VALUES (1);`;
    const etag = await md5(text);
    const { result: begun } = await ask(id, { action: "init", etag });
    await put(begun.upload_url, text);
    const { result: done } = await ask(id, { action: "ingest", filename: begun.filename, etag });
    expect(done).toMatchObject({
      status: "error",
      errors: ["no such table: nowhere: SQLITE_ERROR"],
    });
    expect((await client.call("GET", `${DATABASES}/${id}`)).result.num_tables).toBe(0);
    const { result: unknown } = await ask(id, {
      action: "poll",
      current_bookmark: crypto.randomUUID(),
    });
    expect(unknown).toMatchObject({
      status: "error",
      error: expect.stringContaining("interrupted"),
    });
  });

  it("have to be those that were announced", async () => {
    const id = await create("announced");
    const { result: begun } = await ask(id, { action: "init", etag: await md5("SELECT 1;") });
    const answer = await put(begun.upload_url, "SELECT 2;");
    expect([
      answer.status,
      (await answer.json<{ errors: { message: string }[] }>()).errors[0]?.message,
    ]).toEqual([400, expect.stringContaining("MD5")]);
    expect(
      code(await ask(id, { action: "ingest", filename: begun.filename, etag: await md5("") })),
    ).toEqual([400, 130085]);
  });

  it("are exported to a link, which needs no token", async () => {
    const id = await create("exporting");
    await query(id, { sql: FILE });
    const body = {
      output_format: "polling",
      dump_options: { no_schema: false, no_data: false, tables: [] },
    };
    const { result } = await client.call("POST", `${DATABASES}/${id}/export`, body);
    expect(result).toMatchObject({
      success: true,
      type: "export",
      status: "complete",
      messages: [],
      result: { filename: expect.stringMatching(/\.sql$/) },
    });
    const file = await at(result.result.signed_url);
    expect(await file.text()).toBe(
      `PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE t (a);\nINSERT INTO "t" ("a") VALUES('ü');\n`,
    );
    const polled = await client.call("POST", `${DATABASES}/${id}/export`, {
      ...body,
      current_bookmark: result.at_bookmark,
    });
    expect(polled.result).toMatchObject({ status: "complete", at_bookmark: result.at_bookmark });
    const refused = await client.call("POST", `${DATABASES}/${id}/export`, {
      output_format: "file",
    });
    expect(code(refused)).toEqual([400, 130001]);
  });

  it("have links that nobody can make, change or use for something else", async () => {
    const id = await create("links");
    const { result: begun } = await ask(id, { action: "init", etag: await md5(FILE) });
    const path = new URL(begun.upload_url).pathname;
    const [payload = "", mac = ""] = path.slice("/d1-files/".length).split(".");
    const forged = btoa(
      atob(payload.replaceAll("-", "+").replaceAll("_", "/")).replace("upload", "download"),
    ).replaceAll("=", "");
    for (const token of [`${forged}.${mac}`, `${payload}.${mac.slice(1)}A`, payload, "x.y"]) {
      const answer = await client.raw("PUT", `/d1-files/${token}`, { body: FILE });
      expect(answer.status).toBe(403);
    }
    expect((await at(begun.upload_url)).status).toBe(403);
  });

  it("have links that are good for an hour", async () => {
    const links = new D1Links("k1:test");
    const link = { operation: "upload", file: "f", md5: "", until: D1_LINK_MS } as const;
    const token = await links.sign(link);
    expect(await links.open(token, D1_LINK_MS - 1)).toEqual(link);
    expect(await links.open(token, D1_LINK_MS)).toBeNull();
    expect(await new D1Links("k1:other").open(token, 0)).toBeNull();
  });

  it.each([
    ["import", {}],
    ["import", { action: "init", etag: "x" }],
    ["import", { action: "ingest", filename: "../x.sql", etag: "0".repeat(32) }],
    ["import", { action: "poll", current_bookmark: "x" }],
    ["export", {}],
    ["export", { output_format: "polling", current_bookmark: 1 }],
  ])("%s of %j is refused", async (what, body) => {
    const id = "refused-calls";
    await client.call("POST", DATABASES, { name: id });
    expect(code(await client.call("POST", `${DATABASES}/${id}/${what}`, body))).toEqual([
      400, 130001,
    ]);
  });
});
