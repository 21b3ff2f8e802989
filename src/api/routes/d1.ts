/** `…/d1/database`: D1 databases, by id or name. */
import { Hono } from "hono";
import {
  createD1Database,
  d1Database,
  d1Size,
  deleteD1Database,
  runD1Queries,
} from "../../control/d1-databases.ts";
import { splitStatements } from "../../domain/d1-statements.ts";
import { tooManyStatements, type D1Query, type D1Result } from "../../domain/d1.ts";
import {
  D1_DATABASES_PAGE_DEFAULT,
  D1_DATABASES_PAGE_MAX,
  D1_QUERY_BODY_BYTES_MAX,
  D1_STATEMENTS_MAX,
} from "../../domain/limits-d1.ts";
import { countD1Databases, listD1Databases } from "../../store/d1-databases.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { d1DatabaseChange, d1Queries, newD1Database, type D1Queries } from "../d1-schemas.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { flag, pageInfo, pageOf } from "../paging.ts";
import { readJson } from "../read-body.ts";
import { toWireDatabase, toWireDatabaseDetails, toWireRaw, toWireRows } from "../wire/d1.ts";

export const d1Routes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, D1_DATABASES_PAGE_DEFAULT, D1_DATABASES_PAGE_MAX);
    const name = c.req.query("name") ?? "";
    const { perPage: limit, offset } = page;
    const databases = await listD1Databases(db, accountId, { name, limit, offset });
    const total = await countD1Databases(db, accountId, name);
    return success(c, databases.map(toWireDatabase), {
      info: pageInfo(page, databases.length, total),
    });
  })
  .post("/", async (c) => {
    const { name, ...asked } = accept(await readJson(c.req.raw, newD1Database));
    const settings = Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
    const database = accept(await createD1Database(c.var.context, name, settings));
    logChange(c, "d1_database.create", { database: database.id, name });
    return success(c, await details(c, database.id));
  })
  .get("/:database", async (c) => success(c, fieldsOf(c, await details(c, databaseOf(c)))))
  .put("/:database", (c) => change(c))
  .patch("/:database", (c) => change(c))
  .delete("/:database", async (c) => {
    const options = { force: flag(c, "force") };
    const { id, name } = accept(await deleteD1Database(c.var.context, databaseOf(c), options));
    logChange(c, "d1_database.delete", { database: id, name });
    return success(c, null);
  })
  .post("/:database/query", (c) => answerQuery(c, toWireRows))
  .post("/:database/raw", (c) => answerQuery(c, toWireRaw))
  .all("/:database/time_travel/*", () =>
    refuseWith({
      kind: "not_supported",
      what: "Time travel of a D1 database",
      instead:
        "Export it (wrangler d1 export --remote) before a change that you may want to take back; the host's own backups (npm run backup) have all databases.",
    }),
  );

const databaseOf = (c: ApiContext): string => c.req.param("database") ?? "";

async function details(c: ApiContext, idOrName: string) {
  const { context } = c.var;
  const database = accept(await d1Database(context, idOrName));
  return toWireDatabaseDetails(database, accept(await d1Size(context, database.id)));
}

/** wrangler asks for the fields that it reads: `?fields=uuid,name`. */
function fieldsOf(c: ApiContext, database: Readonly<Record<string, unknown>>) {
  const fields = (c.req.query("fields") ?? "").split(",").filter((field) => field !== "");
  if (fields.length === 0) return database;
  return Object.fromEntries(Object.entries(database).filter(([key]) => fields.includes(key)));
}

async function change(c: ApiContext): Promise<Response> {
  accept(await readJson(c.req.raw, d1DatabaseChange));
  return success(c, await details(c, databaseOf(c)));
}

async function answerQuery(
  c: ApiContext,
  toWire: (result: D1Result) => unknown,
): Promise<Response> {
  const { context } = c.var;
  const { id } = accept(await d1Database(context, databaseOf(c)));
  const asked = accept(await readJson(c.req.raw, d1Queries, D1_QUERY_BODY_BYTES_MAX));
  const { queries, idempotent } = statementsOf(asked);
  const results = accept(await runD1Queries(context, id, queries, { idempotent }));
  return success(c, results.map(toWire));
}

/** Each text may have several statements; its parameters are the last one's, as the runtime has it. */
function statementsOf(asked: D1Queries): {
  readonly queries: readonly D1Query[];
  readonly idempotent: boolean;
} {
  let idempotent = true;
  const queries = asked.flatMap(({ sql, params }) => {
    const statements = splitStatements(sql);
    idempotent &&= statements.every(({ reads }) => reads);
    return statements.map((statement, at) => ({
      sql: statement.sql,
      params: at === statements.length - 1 ? (params ?? []) : [],
    }));
  });
  if (queries.length > D1_STATEMENTS_MAX) {
    refuseWith({ kind: "d1_query_failed", detail: tooManyStatements(queries.length) });
  }
  return { queries, idempotent };
}
