/** Limits of what bindings name. */

/** The longest name or id of a resource that a binding may have, in characters: far above any real one. */
export const RESOURCE_NAME_CHARS_MAX = 512;
/** Calls per period that a ratelimit binding may allow: far above what one process could count. */
export const RATE_LIMIT_MAX = 1_000_000_000;
/** Lengths of a ratelimit binding's period, in seconds. Cloudflare's. */
export const RATE_LIMIT_PERIODS_S: readonly number[] = [10, 60];
