/** The newest date that the pinned runtime knows; the same as in wrangler.toml. */
export const COMPATIBILITY_DATE = "2026-10-23";
