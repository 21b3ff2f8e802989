/** Limits of Analytics Engine datasets. */

/** Blobs, and doubles, of one data point. Cloudflare's. */
export const ANALYTICS_FIELDS_MAX = 20;
/** The index of a data point, in bytes. Cloudflare's. */
export const ANALYTICS_INDEX_BYTES_MAX = 96;
/** Blobs of one data point together, in bytes. Cloudflare's. */
export const ANALYTICS_BLOBS_BYTES_MAX = 16 * 1024;
/** Data points of one call of a Worker; what is more is dropped. Cloudflare's, for an invocation. */
export const ANALYTICS_POINTS_PER_CALL_MAX = 250;
/** How long data points are kept, in milliseconds: 90 days. Cloudflare's. */
export const ANALYTICS_RETENTION_MS = 90 * 86_400_000;
/** Data points of one dataset: the oldest go for new ones. A query reads them all, in a process that others share. */
export const ANALYTICS_POINTS_MAX = 1_000_000;
/** The same in bytes, roughly: texts and numbers. */
export const ANALYTICS_BYTES_MAX = 1024 * 1024 * 1024;
/** How many go at a time when there are too many, or they are too old. */
export const ANALYTICS_DROP_POINTS = 10_000;
/** Between two looks at what is too old, in milliseconds. */
export const ANALYTICS_SWEEP_INTERVAL_MS = 3_600_000;

/** Text of a query, in characters: longer ones are written by programs that mean something else. */
export const ANALYTICS_QUERY_CHARS_MAX = 16 * 1024;
/** What a query may grow to when names stand for expressions, in characters. */
export const ANALYTICS_SQL_CHARS_MAX = 64 * 1024;
/** How deep expressions may be nested. SQLite's own bound is 100. */
export const ANALYTICS_DEPTH_MAX = 30;
/** Columns of an answer. */
export const ANALYTICS_COLUMNS_MAX = 100;
/** Rows of an answer. */
export const ANALYTICS_ROWS_MAX = 10_000;
/** Texts in an answer together, in characters: it is one message between processes. */
export const ANALYTICS_ANSWER_CHARS_MAX = 8 * 1024 * 1024;
/** Longest name of a dataset, in characters. */
export const ANALYTICS_DATASET_CHARS_MAX = 100;
