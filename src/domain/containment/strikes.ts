/**
 * Strikes of versions, in shares. A version trips when, within BREAKER_WINDOW_MS, they reach BREAKER_STRIKES and it
 * was alone in its process for one of them; or when those for which it was the likeliest cause reach
 * BREAKER_STRIKES_IN_COMPANY. Having been there proves nothing: an innocent neighbour was there as often.
 */
import type { StopReason } from "../breaker.ts";
import {
  BREAKER_STRIKES,
  BREAKER_STRIKES_IN_COMPANY,
  BREAKER_WINDOW_MS,
  STRUCK_VERSIONS_MAX,
} from "../limits.ts";
import type { Blame, RunVersion } from "./blame.ts";

/** A version that is to be stopped. */
export interface Trip extends RunVersion {
  /** What weighs most among its strikes. */
  readonly reason: StopReason;
  /** Losses of processes in which it had a share. */
  readonly strikes: number;
}

interface Strike {
  readonly at: number;
  readonly weight: number;
  readonly likeliest: boolean;
  readonly cause: StopReason;
}

/** Shares are sums of fractions: six sixths are one. */
const ROUNDING = 1e-9;

export class Strikes {
  readonly #byVersion = new Map<string, readonly Strike[]>();

  /** Versions remembered. */
  get size(): number {
    return this.#byVersion.size;
  }

  /** One loss of a process, as `Admission.blame` shares it. Returns the versions that trip by it: each once. */
  lost(blames: readonly Blame[], cause: StopReason, now: number): readonly Trip[] {
    return blames.flatMap((blame) => this.#strike(blame, cause, now) ?? []);
  }

  /** The trip if this strike is the one too many; then the version starts from nothing again. */
  #strike(blame: Blame, cause: StopReason, now: number): Trip | null {
    const { workerId, versionId, weight, likeliest } = blame;
    const key = `${workerId} ${versionId}`;
    const before = this.#byVersion.get(key) ?? [];
    const strikes = [
      ...before.filter(({ at }) => now - at <= BREAKER_WINDOW_MS),
      { at: now, weight, likeliest, cause },
    ];
    this.#byVersion.delete(key);
    if (isEnough(strikes)) {
      return { workerId, versionId, reason: heaviestCause(strikes), strikes: strikes.length };
    }
    this.#byVersion.set(key, strikes);
    this.#forget(now);
    return null;
  }

  /** The first ones are those struck longest ago. */
  #forget(now: number): void {
    for (const [key, strikes] of this.#byVersion) {
      const last = strikes.at(-1)?.at ?? 0;
      const old = now - last > BREAKER_WINDOW_MS;
      if (!old && this.#byVersion.size <= STRUCK_VERSIONS_MAX) return;
      this.#byVersion.delete(key);
    }
  }
}

function isEnough(strikes: readonly Strike[]): boolean {
  const wasAlone = strikes.some(({ weight }) => weight >= 1);
  if (wasAlone) return weightOf(strikes) >= BREAKER_STRIKES - ROUNDING;
  const likely = strikes.filter(({ likeliest }) => likeliest);
  return weightOf(likely) >= BREAKER_STRIKES_IN_COMPANY - ROUNDING;
}

const weightOf = (strikes: readonly Strike[]): number =>
  strikes.reduce((sum, { weight }) => sum + weight, 0);

function heaviestCause(strikes: readonly Strike[]): StopReason {
  const of = (cause: StopReason) => weightOf(strikes.filter((strike) => strike.cause === cause));
  const causes: readonly StopReason[] = ["blocked", "crashed", "memory"];
  return causes.reduce((most, cause) => (of(cause) > of(most) ? cause : most));
}
