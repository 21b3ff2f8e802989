import type { Loose } from "./check.ts";

/** All the HTTP metadata that an object can have. */
export const METADATA = {
  contentType: "text/plain",
  contentLanguage: "de",
  contentDisposition: 'attachment; filename="x"',
  contentEncoding: "identity",
  cacheControl: "max-age=60",
  cacheExpiry: new Date("2031-01-02T03:04:05Z"),
};

export const keysOf = (list: Loose) => list.objects.map((object: Loose) => object.key);

/** Puts the check's own object, whose content is "hello". */
export async function hello({ BUCKET, own }: Loose, options?: Loose): Promise<Loose> {
  return BUCKET.put(own, "hello", options);
}
