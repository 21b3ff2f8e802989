/** Limits of KV, Cloudflare's wherever it has one. */

/** Longest key, in bytes of UTF-8. Cloudflare's. */
export const KV_KEY_BYTES_MAX = 512;
/** Largest value, in bytes. Cloudflare's. */
export const KV_VALUE_BYTES_MAX = 25 * 1024 * 1024;
/** Largest metadata of a key, in bytes of its JSON. Cloudflare's. */
export const KV_METADATA_BYTES_MAX = 1024;
/** Shortest time to live, in seconds, and so the nearest expiration. Cloudflare's. */
export const KV_TTL_S_MIN = 60;
/** Shortest `cacheTtl` of a read, in seconds. Cloudflare's; it has no effect here, where reads are never stale. */
export const KV_CACHE_TTL_S_MIN = 30;
/** Keys on one page of a list. Cloudflare's. */
export const KV_LIST_KEYS_MAX = 1_000;
/** Keys that one read may ask for. Cloudflare's. */
export const KV_BULK_GET_KEYS_MAX = 100;
/** Values of one read together, in bytes. Cloudflare's. */
export const KV_BULK_GET_BYTES_MAX = 25 * 1024 * 1024;
/** Keys that one bulk write or delete of the API may name. Cloudflare's. */
export const KV_BULK_KEYS_MAX = 10_000;
/** Body of a bulk write, in bytes: it is read whole, as JSON, in the process of the API. Cloudflare: 100 MB. */
export const KV_BULK_BODY_BYTES_MAX = 100 * 1000 * 1000;
/** Form with a value and metadata, in bytes: the value, the metadata and what encloses them. */
export const KV_FORM_BYTES_MAX = KV_VALUE_BYTES_MAX + 64 * 1024;

/** A value is stored in pieces of this size, in bytes: so much of one that is coming in is held in memory. */
export const KV_CHUNK_BYTES = 256 * 1024;
/** Values up to this size, in bytes, travel within the message; larger ones as streams, which wait for their reader. */
export const KV_INLINE_BYTES_MAX = 1024 * 1024;
/** Values that a namespace takes in from streams at a time: each may take its time. */
export const KV_STREAMS_IN_MAX = 100;
/** Values that one message of a bulk write carries, in bytes: well below the 32 MiB that a message may have. */
export const KV_BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Keys that one message of a bulk write or delete carries: each blocks the store for some milliseconds. */
export const KV_BATCH_KEYS_MAX = 500;
/** Expired keys that are swept away at a time: the namespace answers nobody meanwhile. */
export const KV_SWEEP_KEYS_MAX = 500;
/** Between two sweeps of a namespace, in milliseconds. What has expired is not seen before it is swept either. */
export const KV_SWEEP_INTERVAL_MS = 60_000;

/** Longest title of a namespace, in characters. Cloudflare's. */
export const KV_TITLE_CHARS_MAX = 512;
/** Namespaces of an account. Cloudflare's. */
export const KV_NAMESPACES_MAX = 1_000;
/** Namespaces on one page of a list: wrangler asks for 1,000. Cloudflare's. */
export const KV_NAMESPACES_PER_PAGE_MAX = 1_000;
