/** Limits of rate limit bindings. */

/** Keys that are counted under their own names up to this length, in characters; longer ones under their digests. */
export const RATE_LIMIT_KEY_CHARS_MAX = 64;
/** Keys that one namespace counts in one period: the one seen longest ago is forgotten for a new one. */
export const RATE_LIMIT_NAMESPACE_KEYS_MAX = 20_000;
/** Keys counted in one period in all namespaces: a few hundred bytes each. The namespace quiet longest is forgotten first. */
export const RATE_LIMIT_KEYS_MAX = 200_000;
