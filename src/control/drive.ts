/**
 * Drive a change of a register to its end: begin it, wait outside the object while leases drain, confirm it.
 * Whoever drives may vanish at any point: the lock's alarm finishes what was begun.
 */
import type { DomainError } from "../domain/errors.ts";
import { DRIVE_MS_MAX, LOCK_CALL_RETRY_MS, LOCK_OVERLOADED_RETRY_MS } from "../domain/limits.ts";
import { logEvent } from "../observability/log.ts";

/** How far a change is: over, or to be asked about again after `waitMs`. */
export type Progress<Over> =
  | Over
  | { readonly state: "draining"; readonly id: string; readonly waitMs: number };

export interface DrivenLock<Over> {
  begin(): Promise<Progress<Over>>;
  confirm(id: string): Promise<Progress<Over>>;
}

/** Nobody knows yet how it ended: no answer in time, or the lock went away. */
export type Unknown = "late" | "lost";

/**
 * How it ended, if that is known. `lockOf` gives a fresh stub for each call: one that was used
 * when the object was reset is of no use any more.
 */
export async function drive<Over extends { readonly state: string }>(
  lockOf: () => DrivenLock<Over>,
): Promise<Over | Unknown> {
  const deadline = Date.now() + DRIVE_MS_MAX;
  let progress = await calling(() => lockOf().begin(), deadline);
  while (typeof progress !== "string" && isDraining(progress)) {
    if (Date.now() >= deadline) return "late";
    await scheduler.wait(Math.max(1, progress.waitMs));
    const { id } = progress;
    progress = await calling(() => lockOf().confirm(id), deadline);
  }
  return progress;
}

const isDraining = <Over extends { readonly state: string }>(
  progress: Progress<Over>,
): progress is { readonly state: "draining"; readonly id: string; readonly waitMs: number } =>
  progress.state === "draining";

/** Ask again where the object was moved or restarted: it finds its answers again by the change's id. */
export async function calling<T>(call: () => Promise<T>, deadline: number): Promise<T | Unknown> {
  for (;;) {
    try {
      const late = scheduler.wait(Math.max(1, deadline - Date.now())).then((): Unknown => "late");
      return await Promise.race([call(), late]);
    } catch (error) {
      const pause = pauseAfter(error);
      if (pause === null || Date.now() + pause >= deadline) {
        logEvent("error", "lock_unreachable", { error: String(error) });
        return "lost";
      }
      await scheduler.wait(pause);
    }
  }
}

/**
 * Milliseconds to wait before asking again; null: do not. An overloaded lock is asked again too, after a longer
 * pause: gateways press it just when a drain ends, and the one who drives the change is but one.
 */
function pauseAfter(error: unknown): number | null {
  const said = error as { retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown };
  if (said.overloaded === true) return LOCK_OVERLOADED_RETRY_MS;
  return said.retryable === true || said.durableObjectReset === true ? LOCK_CALL_RETRY_MS : null;
}

/** What to tell the client of it. */
export const outcomeUnknown = (why: Unknown): DomainError => ({
  kind: "outcome_unknown",
  waitedMs: why === "late" ? DRIVE_MS_MAX : null,
});
