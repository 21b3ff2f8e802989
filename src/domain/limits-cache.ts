/** Limits of the Cache API on one machine, where nobody else evicts anything. */

/** Largest response that is kept, in bytes: larger ones are not stored, which callers need not notice. Cloudflare: 512 MB. */
export const CACHE_RESPONSE_BYTES_MAX = 100 * 1024 * 1024;
/** Responses up to this size, in bytes, are held in memory on their way into the cache; larger ones pass through. */
export const CACHE_SMALL_BYTES_MAX = 256 * 1024;
/** Responses that one Worker keeps, in bytes: what was used longest ago goes first. */
export const CACHE_WORKER_BYTES_MAX = 512 * 1024 * 1024;
/** Responses that one Worker keeps: each is a row and a file. */
export const CACHE_WORKER_ENTRIES_MAX = 10_000;
/** Longest URL that is a key, in characters: longer ones are not stored. Cloudflare's for cache keys: 16 KB. */
export const CACHE_URL_CHARS_MAX = 16 * 1024;
/** Longest name of a cache, in characters. */
export const CACHE_NAME_CHARS_MAX = 1024;
/** Responses of all Workers together, in bytes. */
export const CACHE_BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** Workers that keep responses: beyond that, the one that used its own longest ago loses them. */
export const CACHE_WORKERS_MAX = 1_000;
