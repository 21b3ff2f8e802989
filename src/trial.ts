/**
 * Uploads are started once in a process of their own, apart from whatever serves: code that never stops starting
 * costs that process, which its supervisor replaces, and this upload its acceptance.
 */
import type { ProbeResult, LoadableVersion } from "./domain/version.ts";
import { TRIAL_BACKOFF_MS_MAX, TRIAL_TRIES_MAX } from "./domain/limits.ts";
import type { TrialCalls } from "./gateway/gateway-entrypoint.ts";
import { toWire } from "./gateway/version-wire.ts";

/** Starts under way, in this isolate: of two that lose the process together, either may be to blame. */
let underWay = 0;

export async function startInTrial(trial: Fetcher, version: LoadableVersion): Promise<ProbeResult> {
  for (let tries = 1; ; tries++) {
    underWay++;
    const alone = underWay === 1;
    let reached = false;
    try {
      const calls = trial as unknown as TrialCalls;
      await calls.ready();
      reached = true;
      const { head, stream } = toWire(version);
      return await calls.probe(head, stream);
    } catch {
      // The process is gone: by this code, by another's that was started at the same time, or it is just starting.
      if (reached && alone && underWay === 1) return lost;
      if (tries >= TRIAL_TRIES_MAX) return reached ? lost : unreachable;
    } finally {
      underWay--;
    }
    await scheduler.wait(TRIAL_BACKOFF_MS_MAX * (0.25 + 0.75 * Math.random()));
  }
}

const lost: ProbeResult = {
  ok: false,
  message:
    "The process that started this code stopped answering and was ended: does the code loop, or fill the memory, at the top level?",
};
const unreachable: ProbeResult = {
  ok: false,
  message: `The process in which uploads are started could not be reached for ${Math.round((TRIAL_TRIES_MAX * TRIAL_BACKOFF_MS_MAX) / 1_000)} s. Upload again; if it stays so, restart the host.`,
};
