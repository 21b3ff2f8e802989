/** An object of R2 as it travels between processes: as JSON, of which the injected code makes an object again. */
export interface StoredObject {
  readonly key: string;
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly uploaded: number;
  readonly httpMetadata?: StoredHttpMetadata;
  readonly customMetadata?: Record<string, string>;
  /** What the body is of the object. */
  readonly range?: { readonly offset?: number; readonly length?: number; readonly suffix?: number };
  readonly storageClass: string;
  /** In hex. */
  readonly checksums: R2StringChecksums;
}

export interface StoredHttpMetadata extends Omit<R2HTTPMetadata, "cacheExpiry"> {
  /** Milliseconds since 1970. */
  readonly cacheExpiry?: number;
}

export type MetadataField = "httpMetadata" | "customMetadata";
const METADATA_FIELDS: readonly MetadataField[] = ["httpMetadata", "customMetadata"];

/** Local storage has no storage classes, and says so by an empty one. */
const DEFAULT_STORAGE_CLASS = "Standard";

/**
 * `prefix` is what stands before the keys of the bucket. `known` are the kinds of metadata that were asked for: a list
 * that did not ask has none, as on Cloudflare, even where the storage underneath gives an empty one.
 */
export function storedObject(
  object: R2Object,
  prefix: string,
  known: readonly MetadataField[] = METADATA_FIELDS,
): StoredObject {
  const { version, size, etag, uploaded, storageClass, range } = object;
  const httpMetadata = known.includes("httpMetadata") ? object.httpMetadata : undefined;
  const customMetadata = known.includes("customMetadata") ? object.customMetadata : undefined;
  return {
    key: object.key.slice(prefix.length),
    version,
    size,
    etag,
    uploaded: uploaded.getTime(),
    storageClass: storageClass || DEFAULT_STORAGE_CLASS,
    checksums: object.checksums.toJSON(),
    ...(range === undefined ? {} : { range }),
    ...(customMetadata === undefined ? {} : { customMetadata }),
    ...(httpMetadata === undefined ? {} : { httpMetadata: storedHttpMetadata(httpMetadata) }),
  };
}

function storedHttpMetadata({ cacheExpiry, ...fields }: R2HTTPMetadata): StoredHttpMetadata {
  return cacheExpiry === undefined ? fields : { ...fields, cacheExpiry: cacheExpiry.getTime() };
}
