/** Limits of events that run a Worker without a visitor: unit last in the name, with the reason. */

/** How long a handler and the work that it leaves behind may take, in milliseconds. Cloudflare: 15 minutes. */
export const EVENT_MS_MAX = 15 * 60_000;
/** Events under way on one machine; more are told to come again. As many as four full consumers take. */
export const EVENTS_IN_FLIGHT_MAX = 1_000;
/** Body of a dispatch, in bytes: ids and one cron expression. */
export const EVENT_BODY_BYTES_MAX = 4_096;
/** How often an event is placed whose gateway ended before it could have begun. */
export const EVENT_TRIES_MAX = 5;
/** How long the result of an event is remembered for whoever sends it again, in milliseconds: longer than a control process takes to start. */
export const EVENT_REMEMBERED_MS = 60_000;
/** What a handler threw, as it is logged, in characters. */
export const EVENT_DETAIL_CHARS_MAX = 500;
