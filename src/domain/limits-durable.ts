/** Limits of Durable Objects. */

/** Live classes that one Worker may have. Cloudflare: 500 for a whole account. */
export const DURABLE_CLASSES_MAX = 500;
/** Steps in one upload's migrations: one for each tag that has not been applied yet, so a long history fits. */
export const MIGRATION_STEPS_MAX = 500;
/** The longest migration tag, in characters: it is an identifier that people choose, and is kept with each version. */
export const MIGRATION_TAG_CHARS_MAX = 128;
/** The longest name of a class, in characters: far above any real one. */
export const CLASS_NAME_CHARS_MAX = 255;

/**
 * The longest name under which an object is told its own name (`ctx.id.name`), in UTF-8 bytes. It travels in a header with
 * each call. A longer one names its object all the same.
 */
export const OBJECT_NAME_BYTES_MAX = 1_024;
/** Properties deep that one call on a stub may reach (`stub.a.b.c()`): far above any real one. */
export const OBJECT_PATH_DEPTH_MAX = 32;
/** The longest of those names, in characters. */
export const OBJECT_PATH_NAME_CHARS_MAX = 1_024;

/** Started objects that a process remembers, to let go of their code when it is not current any more: about 1 MB. */
export const LIVE_OBJECTS_MAX = 5_000;
/** Of those, how many are let go of at once, behind the call that has noticed the deployment. */
export const RENEWALS_AT_ONCE_MAX = 50;

/** How often an alarm that threw is tried again. Cloudflare's. */
export const ALARM_RETRIES_MAX = 6;
/** The pause before the first of those tries, in milliseconds; it doubles with each. Cloudflare's. */
export const ALARM_RETRY_MS = 2_000;
/** An alarm whose code could not be found or loaded is tried again after this long, in milliseconds, and as often as it takes. */
export const ALARM_POSTPONE_MS = 5_000;

/** Objects of a deleted namespace that are erased in one go: between two goes others get a turn. */
export const ERASE_OBJECTS_MAX = 50;
/** Objects on one page of the API's list. Cloudflare's. */
export const OBJECTS_PAGE_MAX = 10_000;
export const OBJECTS_PAGE_DEFAULT = 1_000;
