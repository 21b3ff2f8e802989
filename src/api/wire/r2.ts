/** R2's buckets and objects as clients read them. */
import type { StoredHttpMetadata, StoredObject } from "../../control/r2-objects.ts";
import type { R2BucketInfo } from "../../domain/r2.ts";

export const toWireBucket = (bucket: R2BucketInfo) => ({
  name: bucket.name,
  creation_date: new Date(bucket.createdOn).toISOString(),
  location: bucket.location?.toUpperCase() ?? "unspecified",
  storage_class: bucket.storageClass,
  jurisdiction: bucket.jurisdiction,
});

export const toWireObject = (object: StoredObject) => ({
  key: object.key,
  etag: object.etag,
  size: object.size,
  last_modified: new Date(object.uploaded).toISOString(),
  http_metadata: toWireMetadata(object.httpMetadata ?? {}),
  custom_metadata: object.customMetadata ?? {},
  storage_class: object.storageClass,
});

export const toWireUpload = (object: StoredObject) => ({
  key: object.key,
  etag: object.etag,
  size: String(object.size),
  version: object.version,
  uploaded: new Date(object.uploaded).toISOString(),
  storage_class: object.storageClass,
});

const toWireMetadata = ({ cacheExpiry, ...fields }: StoredHttpMetadata) => ({
  ...fields,
  ...(cacheExpiry === undefined ? {} : { cacheExpiry: new Date(cacheExpiry).toISOString() }),
});

const HEADERS = [
  ["contentType", "content-type"],
  ["contentLanguage", "content-language"],
  ["contentDisposition", "content-disposition"],
  ["contentEncoding", "content-encoding"],
  ["cacheControl", "cache-control"],
] as const;

/** What an object is answered with. Metadata that is no header's value is left out: code may have stored anything. */
export function objectHeaders(object: StoredObject): Headers {
  const headers = new Headers({
    "content-type": "application/octet-stream",
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.uploaded).toUTCString(),
  });
  const metadata = object.httpMetadata ?? {};
  for (const [field, header] of HEADERS) setHeader(headers, header, metadata[field]);
  const { cacheExpiry } = metadata;
  if (cacheExpiry !== undefined) setHeader(headers, "expires", new Date(cacheExpiry).toUTCString());
  return headers;
}

function setHeader(headers: Headers, name: string, value: string | undefined): void {
  if (value === undefined) return;
  try {
    headers.set(name, value);
  } catch {
    // It has a line break or the like.
  }
}
