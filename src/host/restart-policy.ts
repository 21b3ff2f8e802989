/** When a supervisor that died is started again: at once, then more and more slowly, then not at all. Pure. */
import {
  RESTART_PAUSE_MS,
  RESTART_PAUSE_MS_MAX,
  SUPERVISOR_DEATHS_MAX,
  SUPERVISOR_DEATHS_WINDOW_MS,
} from "./launcher-limits.ts";

export interface RestartDecision {
  /** Times of the deaths that still count, in milliseconds. */
  readonly deaths: readonly number[];
  /** In milliseconds; undefined: give up. */
  readonly pauseMs: number | undefined;
}

/** What a death at `now` leads to, after those that counted before. */
export function decideRestart(deaths: readonly number[], now: number): RestartDecision {
  const counted = [...deaths.filter((at) => now - at < SUPERVISOR_DEATHS_WINDOW_MS), now];
  if (counted.length > SUPERVISOR_DEATHS_MAX) return { deaths: counted, pauseMs: undefined };
  const before = counted.length - 1;
  const pauseMs = before === 0 ? 0 : RESTART_PAUSE_MS * 2 ** (before - 1);
  return { deaths: counted, pauseMs: Math.min(pauseMs, RESTART_PAUSE_MS_MAX) };
}
