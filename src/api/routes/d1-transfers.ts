/** `…/d1/database/:database/import` and `…/export`, and the links to the files of SQL that they take and make. */
import { Hono } from "hono";
import { d1Database } from "../../control/d1-databases.ts";
import {
  beginExport,
  beginImport,
  exportProgress,
  importProgress,
  runImport,
} from "../../control/d1-transfers.ts";
import type { D1Link } from "../../control/d1-links.ts";
import type { ControlContext } from "../../control/context.ts";
import { D1_IMPORT_BYTES_MAX } from "../../domain/limits-d1.ts";
import type { ApiContext, ApiEnv, ContextFor } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { d1Export, d1Import } from "../d1-schemas.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { readJson } from "../read-body.ts";
import { toWireExport, toWireImport } from "../wire/d1.ts";

/** Where links lead on the control host. */
export const D1_FILES_PATH = "/d1-files";

export const d1TransferRoutes = new Hono<ApiEnv>()
  .post("/:database/import", async (c) => {
    const { context } = c.var;
    const database = accept(await d1Database(context, c.req.param("database")));
    const asked = accept(await readJson(c.req.raw, d1Import));
    switch (asked.action) {
      case "init": {
        const { file, link } = await beginImport(context, database, asked.etag);
        const begun = { success: true, type: "import", filename: file, upload_url: urlOf(c, link) };
        return success(c, begun);
      }
      case "ingest": {
        const begun = await runImport(context, database, asked.filename, behind(c));
        const { id, progress } = accept(begun);
        logChange(c, "d1_database.import", { database: database.id, import: id });
        return success(c, toWireImport(id, progress));
      }
      case "poll": {
        const id = asked.current_bookmark;
        return success(c, toWireImport(id, accept(await importProgress(context, database, id))));
      }
    }
  })
  .post("/:database/export", async (c) => {
    const { context } = c.var;
    const database = accept(await d1Database(context, c.req.param("database")));
    const asked = accept(await readJson(c.req.raw, d1Export));
    const url = (link: string) => urlOf(c, link);
    const running = asked.current_bookmark ?? null;
    if (running !== null) {
      const progress = accept(await exportProgress(context, database, running));
      return success(c, toWireExport(running, progress, url));
    }
    const { no_schema, no_data, tables } = asked.dump_options ?? {};
    const options = {
      noSchema: no_schema === true,
      noData: no_data === true,
      tables: tables ?? [],
    };
    const begun = await beginExport(context, database, options, behind(c));
    const { id, progress } = accept(begun);
    return success(c, toWireExport(id, progress, url));
  });

/** Clients send no token here: the link itself is the permission. */
export const d1FileRoutes = (contextFor: ContextFor) =>
  new Hono<ApiEnv>()
    .put("/:token", async (c) => {
      const context = contextOf(c, contextFor);
      const { file, md5 } = await openLink(c, context, "upload");
      const { body } = c.req.raw;
      const bytes = Number(c.req.header("content-length") ?? Number.NaN);
      if (body === null || !Number.isInteger(bytes)) {
        return refuseWith({ kind: "bad_request", detail: "A file needs a Content-Length." });
      }
      if (bytes > D1_IMPORT_BYTES_MAX) {
        return refuseWith({ kind: "body_too_large", bytesMax: D1_IMPORT_BYTES_MAX });
      }
      if (!(await context.d1Files.upload(file, body, md5))) {
        return refuseWith({
          kind: "bad_request",
          detail: "The file has another MD5 than the import was begun with.",
        });
      }
      return c.body("", 200, { etag: `"${md5}"` });
    })
    .get("/:token", async (c) => {
      const context = contextOf(c, contextFor);
      const { file } = await openLink(c, context, "download");
      const found = await context.d1Files.open(file);
      if (found === null) return refuseWith({ kind: "d1_link_invalid" });
      return c.body(found.body, 200, {
        "content-type": "text/plain; charset=utf-8",
        "content-length": String(found.bytes),
        "content-disposition": "attachment",
      });
    });

const contextOf = (c: ApiContext, contextFor: ContextFor): ControlContext =>
  contextFor(c.env, c.executionCtx as unknown as ExecutionContext);

async function openLink(
  c: ApiContext,
  context: ControlContext,
  operation: D1Link["operation"],
): Promise<D1Link> {
  const link = await context.d1Links.open(c.req.param("token") ?? "", context.now());
  return link?.operation === operation ? link : refuseWith({ kind: "d1_link_invalid" });
}

const behind = (c: ApiContext) => (work: Promise<unknown>) => c.executionCtx.waitUntil(work);

/** On the host at which the client asked: that one leads here. */
function urlOf(c: ApiContext, link: string): string {
  const { host } = new URL(c.req.url);
  return `${c.var.config.publicScheme}://${host}${D1_FILES_PATH}/${link}`;
}
