/** Shapes of R2's requests. Unknown fields are ignored. */
import * as z from "zod";
import { R2_STORAGE_CLASSES } from "../domain/r2.ts";

const storageClass = z.enum(
  R2_STORAGE_CLASSES,
  `A storage class is one of ${R2_STORAGE_CLASSES.join(", ")}.`,
);

/** A hint or a jurisdiction, as Cloudflare spells them: told again, without effect. */
const place = z
  .string()
  .regex(/^[A-Za-z-]{1,32}$/, "It has to be a short word such as weur, or eu for a jurisdiction.");

export const r2Bucket = z.object({
  name: z.string(),
  locationHint: place.optional(),
  storageClass: storageClass.optional(),
});

/** Headers that are fields elsewhere. */
export const r2Headers = z.object({
  "cf-r2-jurisdiction": place.optional(),
  "cf-r2-storage-class": storageClass.optional(),
});
