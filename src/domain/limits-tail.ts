/** Limits of live tails, unit last in the name, with their reasons. Nobody pays for a tail but whoever watches, so all are bounded. */

/** Tails of one Worker at a time. Cloudflare. */
export const TAILS_PER_WORKER_MAX = 10;
/** A tail's life, in milliseconds; wrangler makes another then. Long enough for a working day's half. */
export const TAIL_MS_MAX = 6 * 60 * 60 * 1_000;
/** How long a tail waits for its WebSocket, in milliseconds: wrangler connects at once, and what never does should cost nothing. */
export const TAIL_CONNECT_MS_MAX = 60_000;
/** How long making a tail waits until every gateway has heard of it, in milliseconds: longer leases hear later. */
export const TAIL_START_MS_MAX = 2_000;

/** Filters of one tail; there are seven kinds. */
export const TAIL_FILTERS_MAX = 16;
/** Values in one filter, such as methods or addresses. */
export const TAIL_FILTER_VALUES_MAX = 64;
/** One text in a filter, in characters. */
export const TAIL_FILTER_CHARS_MAX = 1_024;

/** One event as JSON, in characters. The runtime itself keeps 256 KB of an invocation's logs; what is beyond is cut. */
export const TAIL_EVENT_CHARS_MAX = 256 * 1024;
/** Events that a gateway sends in one call. */
export const TAIL_BATCH_EVENTS_MAX = 100;
/** Characters of such a batch; one event is always taken. An RPC message could be 32 times that. */
export const TAIL_BATCH_CHARS_MAX = 1024 * 1024;
/** Events that wait in one gateway to be sent; those beyond are dropped, and counted. */
export const TAIL_WAITING_EVENTS_MAX = 1_000;
/** Characters of those. */
export const TAIL_WAITING_CHARS_MAX = 4 * 1024 * 1024;
/** How long one invocation of the collector goes on sending what others bring, in milliseconds. */
export const TAIL_SENDING_MS_MAX = 5_000;

/** Events a second that one tail is sent: more than anybody reads, and what a stalled reader makes the process keep. */
export const TAIL_EVENTS_PER_SECOND_MAX = 100;
/** Characters a second of those. A reader that takes nothing is cut off after two minutes, so this times 120 is the worst. */
export const TAIL_CHARS_PER_SECOND_MAX = 512 * 1024;

/** Details of events under way that only their sender knows, kept in one gateway. */
export const TAIL_DISPATCHES_KEPT_MAX = 1_000;
