import type { ExportProgress } from "../../control/d1-transfers.ts";
import type { D1Database } from "../../domain/d1-database.ts";
import type { D1ImportState, D1Result, D1Size, D1Value } from "../../domain/d1.ts";
import { toWireTime } from "./time.ts";

export const toWireDatabase = ({ id, name, createdOn, settings }: D1Database) => ({
  uuid: id,
  name,
  // Not "alpha", Cloudflare's other kind, with which wrangler does less.
  version: "production",
  created_at: toWireTime(createdOn),
  jurisdiction: settings.jurisdiction ?? null,
});

export const toWireDatabaseDetails = (database: D1Database, { fileSize, numTables }: D1Size) => ({
  ...toWireDatabase(database),
  file_size: fileSize,
  num_tables: numTables,
  read_replication: { mode: "disabled" },
});

const toJson = (value: D1Value): unknown =>
  value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value;

export const toWireRows = ({ columns, rows, meta }: D1Result) => ({
  results: rows.map((row) =>
    Object.fromEntries(row.map((value, at) => [columns[at], toJson(value)] as const)),
  ),
  success: true,
  meta,
});

export const toWireRaw = ({ columns, rows, meta }: D1Result) => ({
  results: { columns, rows: rows.map((row) => row.map(toJson)) },
  success: true,
  meta,
});

/** `id` is what clients send back as the bookmark at which they ask on. */
export function toWireImport(id: string, progress: D1ImportState) {
  const common = { success: true, type: "import", at_bookmark: id, errors: [] };
  switch (progress.status) {
    case "active":
      return { ...common, status: "active", messages: [] };
    case "complete": {
      const { statements, bookmark, meta } = progress.result;
      return {
        ...common,
        status: "complete",
        messages: [`Processed ${statements} queries.`],
        result: { num_queries: statements, final_bookmark: bookmark, meta },
      };
    }
    case "failed":
      return {
        ...common,
        status: "error",
        messages: [],
        errors: [progress.error],
        error: progress.error,
      };
    case "unknown":
      throw new Error("an import that nobody knows of has no wire form");
  }
}

export function toWireExport(id: string, progress: ExportProgress, url: (link: string) => string) {
  const common = { success: true, type: "export", at_bookmark: id, messages: [] };
  switch (progress.status) {
    case "active":
      return { ...common, status: "active" };
    case "complete":
      return {
        ...common,
        status: "complete",
        result: { filename: progress.file, signed_url: url(progress.link) },
      };
    case "failed":
      return { ...common, status: "error", error: progress.error };
  }
}
