/** Limits of cron triggers: unit last in the name, with the reason. */

/** Schedules of one Worker. Cloudflare: 250 in an account on the paid plan. */
export const SCHEDULES_PER_WORKER_MAX = 250;
/** Schedules of one account: the clock reads all of them when one fires. */
export const SCHEDULES_MAX = 5_000;
/** A cron expression, in characters: far more than one that anybody can read. */
export const CRON_CHARS_MAX = 256;
/** How late a firing that was missed is made up for, in milliseconds: longer than an upgrade or a reboot takes. */
export const CRON_LATE_MS_MAX = 60 * 60_000;
/** Pause before a firing that could not begin is tried again, in milliseconds. */
export const CRON_RETRY_MS = 5_000;
/** How early the runtime may wake the clock, in milliseconds: less is on time. */
export const CRON_EARLY_MS_MAX = 1_000;
/** How far ahead the clock is set at most, in milliseconds: timers count to 2^31. */
export const CRON_AHEAD_MS_MAX = 24 * 60 * 60_000;
