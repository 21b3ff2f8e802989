/** Limits of queues: unit last in the name, with the reason. "Cloudflare" means that the number is the platform's own. */

/** Queues on a page unless asked otherwise. Cloudflare. */
export const QUEUES_PAGE_DEFAULT = 100;
/** Queue's name, in characters. Cloudflare. */
export const QUEUE_NAME_CHARS_MAX = 63;
/** Names that one listing may be narrowed to: more than the producers and consumers of one Worker. */
export const QUEUE_NAMES_FILTER_MAX = 100;

/** Body of one message, in bytes. Cloudflare: 128 KB. */
export const QUEUE_MESSAGE_BYTES_MAX = 128_000;
/** Messages of one `sendBatch()`. Cloudflare. */
export const QUEUE_SEND_MESSAGES_MAX = 100;
/** Bodies of one `sendBatch()` together, in bytes. Cloudflare: 256 KB. */
export const QUEUE_SEND_BYTES_MAX = 256_000;
/** Delay of a message or of a retry, in seconds. Cloudflare: 12 hours. */
export const QUEUE_DELAY_SECONDS_MAX = 43_200;
/** All messages that wait in one queue, in bytes: they are in one database file on the operator's disk. */
export const QUEUE_BACKLOG_BYTES_MAX = 1024 * 1024 * 1024;
/**
 * What each of them counts for there besides its body, in bytes: about what its row and its indexes take. It bounds their
 * number to two million too: all are counted when the queue wakes, and nobody else in the process is heard meanwhile.
 */
export const QUEUE_MESSAGE_OVERHEAD_BYTES = 512;

/** Shortest and longest time a message is kept, in seconds. Cloudflare: 1 minute to 14 days. */
export const QUEUE_RETENTION_SECONDS_MIN = 60;
export const QUEUE_RETENTION_SECONDS_MAX = 1_209_600;
/** Cloudflare: 4 days. */
export const QUEUE_RETENTION_SECONDS_DEFAULT = 345_600;

/** Messages of one batch. Cloudflare. */
export const CONSUMER_BATCH_SIZE_MAX = 100;
export const CONSUMER_BATCH_SIZE_DEFAULT = 10;
/** Bodies of one batch together, in bytes, unless one message alone is larger. Cloudflare: 256 KB. */
export const CONSUMER_BATCH_BYTES_MAX = 256_000;
/** How long a batch waits to become full, in milliseconds. Cloudflare. */
export const CONSUMER_WAIT_MS_MAX = 60_000;
export const CONSUMER_WAIT_MS_DEFAULT = 5_000;
/** Redeliveries of a message before it is dead. Cloudflare. */
export const CONSUMER_RETRIES_MAX = 100;
export const CONSUMER_RETRIES_DEFAULT = 3;
/** Batches that one queue has under way at a time. Cloudflare. */
export const CONSUMER_CONCURRENCY_MAX = 250;
/** Where Cloudflare scales by itself: what a machine with few cores can use. */
export const CONSUMER_CONCURRENCY_DEFAULT = 10;

/** How long a batch under way is nobody else's without a word of whoever sent it, in milliseconds: what a redelivery waits for after everything was killed. */
export const BATCH_LEASE_MS = 15_000;
/** How often that word is given, in milliseconds: thrice in a lease. */
export const BATCH_RENEWAL_MS = 5_000;
/** Pause after an event that could not begin, in milliseconds; doubled each time up to the longest. */
export const CONSUMER_PAUSE_MS_MIN = 1_000;
export const CONSUMER_PAUSE_MS_MAX = 60_000;
/** Messages whose dead are moved, or whose time is over, in one go. */
export const QUEUE_SWEEP_MESSAGES_MAX = 500;
/** Queues of one account. Cloudflare. */
export const QUEUES_MAX = 10_000;
