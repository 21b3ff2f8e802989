/** The limits of static assets; see limits.ts for how they are written. "Cloudflare" means that the number is the platform's own. */

/** Files of one version. Cloudflare's on its free plan; the whole list is held in the memory of every gateway that serves the version. */
export const ASSET_FILES_MAX = 20_000;
/** One file, in bytes. Cloudflare. */
export const ASSET_FILE_BYTES_MAX = 25 * 1024 * 1024;
/** The manifest of an upload as JSON, in bytes: the most files with paths of 300 bytes; one message between processes holds 32 MiB. */
export const ASSET_MANIFEST_BYTES_MAX = 8 * 1024 * 1024;
/** Path of a file, in UTF-8 bytes: longer ones fit in no request line that servers take. */
export const ASSET_PATH_BYTES_MAX = 1_024;
/** Content type of a file, in characters. */
export const ASSET_TYPE_CHARS_MAX = 255;
/** Files that one call of an upload is asked to bring: its parts are limited too, and fewer are quicker to repeat. */
export const ASSET_BUCKET_FILES_MAX = 250;
/** What they are together, in bytes, unless one alone is larger: sent as base64, the largest file still fits in the largest body. */
export const ASSET_BUCKET_BYTES_MAX = 16 * 1024 * 1024;
/** How long an upload session may be used, in milliseconds: an hour, as Cloudflare's. */
export const ASSET_SESSION_MS = 3_600_000;
/** Token of a session as a client sends it, in characters; ours have some 400. */
export const ASSET_TOKEN_CHARS_MAX = 4_096;
/** Bytes of a file that are hashed at one go: some milliseconds, in which the process answers nobody else. */
export const ASSET_HASH_STEP_BYTES = 256 * 1024;
/** Files of one call that are written at the same time. */
export const ASSET_WRITES_AT_ONCE = 16;

/** `_headers` and `_redirects`, each, in UTF-8 bytes: room for the most rules with the longest lines that anybody writes. */
export const ASSET_RULES_BYTES_MAX = 512 * 1024;
/** One line of either, in characters. Cloudflare. */
export const ASSET_RULE_LINE_CHARS_MAX = 2_000;
/** `:names` of one rule: far more than a path has segments that anybody names; each adds to the time of every match. */
export const ASSET_RULE_NAMES_MAX = 32;
/**
 * `:names` of one rule times the characters of a path: beyond that the rule does not match. All rules of a version then take
 * some 20 ms for the longest path; four names match in any path that a server takes, and a splat always does.
 */
export const ASSET_RULE_WORK_MAX = 65_536;
/** Rules of `_headers`. Cloudflare. */
export const ASSET_HEADER_RULES_MAX = 100;
/** Rules of `_redirects` with a splat or a placeholder, and all that come after the first such. Cloudflare. */
export const ASSET_DYNAMIC_REDIRECTS_MAX = 100;
/** Other rules of `_redirects`. Cloudflare. */
export const ASSET_STATIC_REDIRECTS_MAX = 2_000;
/** Patterns of `run_worker_first`. Cloudflare. */
export const WORKER_FIRST_RULES_MAX = 100;
/** One of them, in characters. Cloudflare. */
export const WORKER_FIRST_RULE_CHARS_MAX = 100;
/** Lines that a refusal of `_headers` or `_redirects` shows; people mend the first ones first. */
export const ASSET_RULE_COMPLAINTS_MAX = 20;

/** Files whose lists of assets one gateway keeps, over all versions: some 300 bytes each. */
export const ASSET_FILES_KEPT_MAX = 100_000;
/** Versions of which one gateway knows whether they have assets: almost nothing each when they have none. */
export const ASSET_VERSIONS_KEPT_MAX = 2_000;
/** A file up to this many bytes is kept in a gateway's memory; larger ones flow through it. */
export const ASSET_MEMORY_FILE_BYTES_MAX = 1024 * 1024;
/** All that are kept, in bytes: a quarter of what an isolate has on Cloudflare. */
export const ASSET_MEMORY_BYTES_MAX = 32 * 1024 * 1024;
/** Answers that one gateway remembers whole, with their headers, some kB each: visitors can ask for any number of paths. */
export const ASSET_ANSWERS_KEPT_MAX = 5_000;
/** What such an answer depends on as text, the path above all, in characters. */
export const ASSET_ANSWER_KEY_CHARS_MAX = 1_024;

/** Earlier deployed versions in which a missing hashed file is looked for. */
export const ASSET_FALLBACK_VERSIONS_MAX = 10;
/** How long after its last deployment a version's files are still found, in milliseconds: 30 days; no page stays open longer. */
export const ASSET_FALLBACK_MS = 30 * 24 * 3_600_000;
/** Files of earlier versions that a gateway knows for one version. */
export const ASSET_FALLBACK_FILES_MAX = 20_000;
/** Versions for which a gateway keeps such files. */
export const ASSET_FALLBACKS_KEPT_MAX = 20;
