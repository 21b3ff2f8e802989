/** Limits of the processes that keep what deployed Workers store, and of those who call them. */

/**
 * How often a call to a store is tried whose process is being started again; together about 9 s: an upgrade of the host
 * takes a busy machine as long.
 */
export const STORE_TRIES_MAX = 14;
/** Pause before the second of those tries, in milliseconds; each later one is as much longer. */
export const STORE_RETRY_MS = 100;
/** How long after its last answer a store counts as there, in milliseconds; then it is asked before what may not be repeated. */
export const STORE_AWAKE_MS = 1_000;

/** Between two health probes of a process that keeps data, in milliseconds. */
export const STORE_HEALTH_INTERVAL_MS = 500;
/** How long such a probe waits, in milliseconds: a query within D1's own bound of 30 s is stopped long before. */
export const STORE_HEALTH_TIMEOUT_MS = 3_000;
/** Probes in a row without an answer that make it count as blocked: other tenants wait for its end. */
export const STORE_HEALTH_MISSES_MAX = 2;
/** Processes of Durable Objects at once unless the operator says otherwise: each takes about 60 MB. */
export const OBJECT_PROCESSES_DEFAULT = 32;
/** Each is a socket that every gateway knows of from its start. */
export const OBJECT_PROCESSES_MAX = 256;
/** How long one without calls, alarms and WebSockets is kept, in milliseconds. */
export const OBJECT_PROCESS_IDLE_MS = 300_000;
/** Between two looks at which of them are idle, or blocked, in milliseconds. */
export const OBJECT_PROCESS_LOOK_MS = 500;
/**
 * CPU time that one may take before it answers such a look, in milliseconds: what Cloudflare gives an event of an object.
 * Hundreds of objects that start together keep it busy for seconds too, and would do so again after its end.
 */
export const OBJECT_PROCESS_BLOCK_CPU_MS_MAX = 30_000;
/** How long it may take for that, in milliseconds, whatever it waits for: those objects all wait for the disk. */
export const OBJECT_PROCESS_SILENT_MS_MAX = 120_000;
/** How long the first call of a Worker's objects waits for their process, in milliseconds. */
export const OBJECT_PROCESS_START_MS_MAX = 15_000;
/** How long their Durable Objects may finish what they do when it is to end, in milliseconds. */
export const OBJECT_PROCESS_STOP_MS_MAX = 2_000;
/**
 * How long after it last answered the place of a Worker's Durable Objects is called without asking for it, in milliseconds:
 * a process that was called, or asked for, so lately is not ended for being idle, so no call finds it gone.
 */
export const OBJECT_SLOT_TRUSTED_MS = 1_000;
/** Workers whose Durable Objects' place a gateway remembers: more than can have one at a time. */
export const OBJECT_SLOTS_REMEMBERED_MAX = 1_024;
