/** Shapes of KV's requests. Unknown fields are ignored. */
import * as z from "zod";
import { KV_BULK_GET_KEYS_MAX, KV_BULK_KEYS_MAX, KV_TITLE_CHARS_MAX } from "../domain/limits-kv.ts";

export const kvTitle = z.object({
  title: z
    .string()
    .max(KV_TITLE_CHARS_MAX, `A title has at most ${KV_TITLE_CHARS_MAX} characters.`)
    .optional(),
});

const tooMany = `At most ${KV_BULK_KEYS_MAX} keys in one call.`;
const seconds = z.number().optional();

export const kvPairs = z
  .array(
    z.object({
      key: z.string(),
      value: z.string(),
      /** The value is bytes, spelled as base64. */
      base64: z.boolean().optional(),
      expiration: seconds,
      expiration_ttl: seconds,
      metadata: z.unknown().optional(),
    }),
  )
  .max(KV_BULK_KEYS_MAX, tooMany);

export type KvPairBody = z.output<typeof kvPairs>[number];

export const kvKeyNames = z.array(z.string()).max(KV_BULK_KEYS_MAX, tooMany);

export const kvBulkGet = z.object({
  keys: z
    .array(z.string())
    .min(1, "Name at least one key.")
    .max(KV_BULK_GET_KEYS_MAX, `At most ${KV_BULK_GET_KEYS_MAX} keys in one call.`),
  type: z.enum(["text", "json"]).optional(),
  withMetadata: z.boolean().optional(),
});
