/**
 * Watches the control process, or one that keeps data: probes it, kills it when it is wedged, and sees to it that a lost
 * one serves again or the host gives up. No deployed code but SQL runs in it, so it may take its time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  HEALTH_INTERVAL_MS,
  HEALTH_MISSES_MAX,
  HEALTH_TIMEOUT_MS,
  RUNTIME_START_MS_MAX,
  RUNTIME_START_TRIES_MAX,
} from "../domain/limits.ts";
import { reasonOf } from "./host-error.ts";
import type { Log } from "./log.ts";

export interface HealthPolicy {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly missesMax: number;
  readonly startMsMax: number;
  /** Infinite where the host goes on without it. */
  readonly startTriesMax: number;
}

export const HEALTH_POLICY: HealthPolicy = {
  intervalMs: HEALTH_INTERVAL_MS,
  timeoutMs: HEALTH_TIMEOUT_MS,
  missesMax: HEALTH_MISSES_MAX,
  startMsMax: RUNTIME_START_MS_MAX,
  startTriesMax: RUNTIME_START_TRIES_MAX,
};

/** What is watched. */
export interface Patient {
  readonly pid: number | undefined;
  kill(): void;
  restart(): Promise<void>;
}

export interface SupervisorParts {
  /** Which process it is, for the log; left out for the control process. */
  readonly of?: string;
  readonly patient: Patient;
  /** The status that a health probe got, or nothing if it got no answer in time. */
  readonly probe: (timeoutMs: number) => Promise<number | undefined>;
  readonly policy: HealthPolicy;
  readonly log: Log;
  /** It serves again. */
  readonly onBack?: () => void;
  /** Called once, when the runtime cannot be brought back. */
  readonly onGivenUp: () => void;
  readonly now: () => number;
}

/** Between two looks at a runtime that is starting, in milliseconds. */
const LOOK_MS = 50;
/** Before one that was lost while it started is started once more, in milliseconds; doubled with each try, up to the longest. */
const LOST_AGAIN_MS = 50;
const LOST_AGAIN_MS_MAX = 5_000;

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #lostAt: number | undefined;
  /** It was lost once more, before it was back. */
  #lostAgain = new AbortController();
  /** The next loss is our own doing. */
  #killing = false;
  #watching: Promise<void> | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /** Waits until a probe gets the status asked for, or "any"; else gives the last one (nothing: no answer). */
  async ready(
    wanted: 200 | "any",
    givenUp: AbortSignal = this.#stopped.signal,
  ): Promise<{ ready: boolean; status: number | undefined }> {
    const { policy, now, probe } = this.#parts;
    const deadline = now() + policy.startMsMax;
    for (;;) {
      const status = await probe(policy.timeoutMs);
      if (wanted === "any" ? status !== undefined : status === wanted)
        return { ready: true, status };
      if (now() >= deadline || this.#stopped.signal.aborted || givenUp.aborted) {
        return { ready: false, status };
      }
      await pause(LOOK_MS, AbortSignal.any([this.#stopped.signal, givenUp]));
    }
  }

  start(): void {
    this.#watching ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }

  /** The process has ended by itself or by the kernel: no need to wait for the next probe. */
  lost(reason: string): void {
    if (this.#stopped.signal.aborted) return;
    if (this.#killing) {
      this.#killing = false;
      return;
    }
    if (this.#lostAt !== undefined) return this.#lostAgain.abort();
    this.#lostAt = this.#parts.now();
    this.#parts.log.event("error", "runtime lost, restarting", { of: this.#parts.of, reason });
    this.#wake.abort();
  }

  async #watch(): Promise<void> {
    const { of, policy, probe, patient, log, now } = this.#parts;
    const stopped = this.#stopped.signal;
    let misses = 0;
    let missedSince = 0;
    while (!stopped.aborted) {
      if (this.#lostAt === undefined) {
        await pause(policy.intervalMs, AbortSignal.any([stopped, this.#wake.signal]));
      }
      if (stopped.aborted) return;
      if (this.#lostAt === undefined) {
        const startedAt = now();
        // Any answer shows that the process serves; what it says about its parts is for the operator.
        const answered = (await probe(policy.timeoutMs)) !== undefined;
        if (misses === 0) missedSince = startedAt;
        misses = answered ? 0 : misses + 1;
        if (misses < policy.missesMax || this.#lostAt !== undefined || stopped.aborted) continue;
        this.#lostAt = missedSince;
        log.event("error", "runtime wedged, restarting", { of, misses, pid: patient.pid });
        this.#kill();
      }
      misses = 0;
      if (!(await this.#bringBack())) return;
    }
  }

  /** Whether the runtime serves again. */
  async #bringBack(): Promise<boolean> {
    const { of, policy, patient, log, now, onGivenUp } = this.#parts;
    const since = this.#lostAt ?? now();
    // One that is lost is started again by Miniflare, once: what is lost while it starts is ours to start.
    let isStarting = true;
    for (let attempt = 1; attempt <= policy.startTriesMax; attempt++) {
      // Not 200: with the database down, another restart would only take the deployed Workers down too.
      if (isStarting && (await this.ready("any", this.#lostAgain.signal)).ready) {
        this.#lostAt = undefined;
        this.#killing = false;
        this.#lostAgain = new AbortController();
        this.#wake = new AbortController();
        log.event("info", "runtime back", { of, ms: Math.round(now() - since), pid: patient.pid });
        this.#parts.onBack?.();
        return true;
      }
      if (this.#stopped.signal.aborted) return false;
      log.event("warn", "runtime not back yet, trying again", { of, attempt });
      if (!isStarting || this.#lostAgain.signal.aborted) {
        const pauseMs = Math.min(LOST_AGAIN_MS * 2 ** (attempt - 1), LOST_AGAIN_MS_MAX);
        await pause(pauseMs, this.#stopped.signal);
        this.#lostAgain = new AbortController();
      }
      isStarting = await this.#again();
    }
    log.event("error", "runtime cannot be brought back", { of, tries: policy.startTriesMax });
    onGivenUp();
    return false;
  }

  /** Whether one is starting now. */
  async #again(): Promise<boolean> {
    const { of, patient, log } = this.#parts;
    if (patient.pid !== undefined) {
      this.#kill();
      return true;
    }
    try {
      await patient.restart();
      return true;
    } catch (error) {
      log.event("warn", "runtime could not be started", { of, reason: reasonOf(error) });
      return false;
    }
  }

  #kill(): void {
    const { patient } = this.#parts;
    this.#killing = patient.pid !== undefined;
    patient.kill();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
