/** Which schedules fire now, and when the clock has to look again. Times are milliseconds since 1970. */
import type { CronTimes } from "./cron.ts";
import type { WorkerId } from "./ids.ts";
import { CRON_AHEAD_MS_MAX, CRON_LATE_MS_MAX } from "./limits-cron.ts";

/** A schedule as it is current now. */
export interface Schedule {
  readonly workerId: WorkerId;
  readonly cron: string;
  /** It fires after this only. */
  readonly createdOn: number;
}

export interface Firing {
  readonly workerId: WorkerId;
  readonly cron: string;
  readonly scheduledTime: number;
}

/**
 * The firings after `lookedAt`, up to `now`. Of those that a schedule has missed, the last one is made up for, unless
 * it is too late for it.
 */
export function dueFirings(
  schedules: readonly Schedule[],
  timesOf: (cron: string) => CronTimes | null,
  lookedAt: number,
  now: number,
): readonly Firing[] {
  const since = Math.max(lookedAt, now - CRON_LATE_MS_MAX);
  return schedules.flatMap(({ workerId, cron, createdOn }) => {
    const times = timesOf(cron);
    let scheduledTime: number | null = null;
    for (
      let next = times?.after(Math.max(since, createdOn)) ?? null;
      next !== null && next <= now;
      next = times?.after(next) ?? null
    ) {
      scheduledTime = next;
    }
    return scheduledTime === null ? [] : [{ workerId, cron, scheduledTime }];
  });
}

/** When the first of them fires after `now`, or somewhat before if that is very far; null: none ever does. */
export function nextLook(
  schedules: readonly Schedule[],
  timesOf: (cron: string) => CronTimes | null,
  now: number,
): number | null {
  let next: number | null = null;
  for (const { cron, createdOn } of schedules) {
    const at = timesOf(cron)?.after(Math.max(now, createdOn)) ?? null;
    if (at !== null && (next === null || at < next)) next = at;
  }
  return next === null ? null : Math.min(next, now + CRON_AHEAD_MS_MAX);
}

export const isTooLate = ({ scheduledTime }: Firing, now: number): boolean =>
  now - scheduledTime > CRON_LATE_MS_MAX;
