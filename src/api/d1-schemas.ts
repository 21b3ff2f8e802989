/** Bodies of the D1 API. Unknown fields are ignored, as everywhere. */
import * as z from "zod";
import type { D1Value } from "../domain/d1.ts";
import {
  D1_EXPORT_TABLES_MAX,
  D1_PARAMETERS_MAX,
  D1_STATEMENTS_MAX,
  D1_VALUE_BYTES_MAX,
} from "../domain/limits-d1.ts";
import { ID_CHARS_MAX } from "../domain/limits.ts";

const word = z.string().max(ID_CHARS_MAX);

export const newD1Database = z.object({
  name: z.string(),
  primary_location_hint: word.nullish(),
  jurisdiction: word.nullish(),
});

const READ_REPLICATION =
  "only disabled is possible: a database has one copy, which serves all reads";
/** There is one copy of a database, so there is nothing to replicate to. */
export const d1DatabaseChange = z.object({
  read_replication: z
    .object({ mode: z.literal("disabled", { error: READ_REPLICATION }) })
    .nullish(),
});

const byte = z.number().int().min(0).max(255);
/** As bindings take them: a list of bytes is a BLOB, a boolean a number. */
const param = z
  .union([z.string(), z.number(), z.boolean(), z.null(), z.array(byte).max(D1_VALUE_BYTES_MAX)], {
    error: "a parameter is text, a number, true, false, null or a list of bytes",
  })
  .transform((value): D1Value => {
    if (typeof value === "boolean") return value ? 1 : 0;
    return Array.isArray(value) ? Uint8Array.from(value).buffer : value;
  });

const query = z.object({
  sql: z.string(),
  params: z.array(param).max(D1_PARAMETERS_MAX).nullish(),
});
export const d1Queries = z.union(
  [
    query.transform((one) => [one]),
    z.object({ batch: z.array(query).max(D1_STATEMENTS_MAX) }).transform(({ batch }) => batch),
  ],
  {
    error:
      'expected {"sql": "…", "params": […]} or {"batch": [{"sql": "…"}, …]}; params are text, numbers, true, false, null or lists of bytes, at most 100 of them',
  },
);
export type D1Queries = z.output<typeof d1Queries>;

const file = z.string().regex(/^[0-9a-f-]{36}\.sql$/, "is not the filename that init has given");
const bookmark = z.uuid("is not the at_bookmark that was given");
const md5 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{32}$/, "has to be the file's MD5 in 32 hex digits");

export const d1Import = z.discriminatedUnion("action", [
  z.object({ action: z.literal("init"), etag: md5 }),
  z.object({ action: z.literal("ingest"), filename: file, etag: md5 }),
  z.object({ action: z.literal("poll"), current_bookmark: bookmark }),
]);

export const d1Export = z.object({
  output_format: z.literal("polling", { error: "has to be polling" }),
  current_bookmark: bookmark.nullish(),
  dump_options: z
    .object({
      no_schema: z.boolean().nullish(),
      no_data: z.boolean().nullish(),
      tables: z.array(z.string()).max(D1_EXPORT_TABLES_MAX).nullish(),
    })
    .nullish(),
});
