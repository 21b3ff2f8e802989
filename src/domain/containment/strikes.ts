/**
 * Strikes of versions, in shares. A version trips when, within BREAKER_WINDOW_MS, they reach BREAKER_STRIKES and one
 * of them is exact; or when they reach BREAKER_STRIKES_IN_COMPANY. Many culprits at once may each have the same
 * innocent neighbour for a moment: shares alone prove little.
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
    return blames.flatMap((blame) => this.strike(blame, blame.weight, cause, now) ?? []);
  }

  /** The trip if this strike is the one too many; then the version starts from nothing again. */
  strike(
    { workerId, versionId }: RunVersion,
    weight: number,
    cause: StopReason,
    now: number,
  ): Trip | null {
    const key = `${workerId} ${versionId}`;
    const before = this.#byVersion.get(key) ?? [];
    const strikes = [
      ...before.filter(({ at }) => now - at <= BREAKER_WINDOW_MS),
      { at: now, weight, cause },
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
  const exact = strikes.some(({ weight }) => weight >= 1);
  const needed = exact ? BREAKER_STRIKES : BREAKER_STRIKES_IN_COMPANY;
  return weightOf(strikes) >= needed - ROUNDING;
}

const weightOf = (strikes: readonly Strike[]): number =>
  strikes.reduce((sum, { weight }) => sum + weight, 0);

function heaviestCause(strikes: readonly Strike[]): StopReason {
  const of = (cause: StopReason) => weightOf(strikes.filter((strike) => strike.cause === cause));
  const causes: readonly StopReason[] = ["blocked", "crashed", "memory"];
  return causes.reduce((most, cause) => (of(cause) > of(most) ? cause : most));
}
