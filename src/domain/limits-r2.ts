/** Limits of R2, Cloudflare's wherever it has one. */

/** Characters of a bucket's name. Cloudflare's. */
export const R2_BUCKET_NAME_CHARS_MIN = 3;
export const R2_BUCKET_NAME_CHARS_MAX = 63;
/** Buckets on one page of a list, and how many there are when nobody says: wrangler reads one page. Cloudflare's. */
export const R2_BUCKETS_PER_PAGE_MAX = 1_000;
/** Buckets of an account: one list of them is read whole. Cloudflare has 1,000,000. */
export const R2_BUCKETS_MAX = 10_000;
/** Longest phrase to look for in buckets' names, or to begin a list of them after, in characters: no name is longer. */
export const R2_BUCKET_FILTER_CHARS_MAX = R2_BUCKET_NAME_CHARS_MAX;

/** Longest key that the storage underneath takes, in bytes of UTF-8. Cloudflare's limit for a key. */
export const R2_STORED_KEY_BYTES_MAX = 1_024;
/** Digits of a bucket's number in base 36, which stands before the keys of its objects with a slash: enough for 78 thousand million. */
export const R2_BUCKET_DIGITS_MAX = 7;
/** Longest key, in bytes of UTF-8: what the bucket's number leaves of {@link R2_STORED_KEY_BYTES_MAX}. */
export const R2_KEY_BYTES_MAX = R2_STORED_KEY_BYTES_MAX - R2_BUCKET_DIGITS_MAX - 1;
/** Keys that one call may delete. Cloudflare's. */
export const R2_DELETE_KEYS_MAX = 1_000;
/** Objects on one page of a list. Cloudflare's. */
export const R2_OBJECTS_PER_PAGE_MAX = 1_000;
/** Largest object written in one piece, in bytes (5 GiB − 5 MiB), as the storage underneath has it. Cloudflare's. */
export const R2_PUT_BYTES_MAX = 5 * 1024 ** 3 - 5 * 1024 ** 2;
/** Longest cursor of a list of objects, in characters: a key in base64 with room to spare. */
export const R2_CURSOR_CHARS_MAX = 2_048;
/**
 * Longest head of a call that carries bytes, in characters: what is asked and what is known of the object, as ASCII
 * JSON. It travels as one HTTP header, and workerd takes 64 KiB of those.
 */
export const R2_CALL_CHARS_MAX = 60_000;
/** Longest options that are stored with an object, counted alike; leaves room for what else the answer says. R2 itself takes 8 KiB of custom metadata, which is less even if every character needs six. */
export const R2_OPTIONS_CHARS_MAX = 52_000;
/** Values up to this size, in bytes, are kept in memory until they are stored, so that they can be sent again. */
export const R2_RESENT_BYTES_MAX = 1024 * 1024;
