/**
 * The breaker of a version: it took its process down again and again, so it is not run any more. It holds for the
 * deployment that was current when it tripped; the next one of the Worker, whatever it deploys, is a new try.
 */
import type { DeploymentId, VersionId } from "./ids.ts";
import { OPEN_BREAKERS_MAX } from "./limits.ts";

/** What a version did to the process it ran in. */
export type StopReason = "blocked" | "crashed" | "memory";

/** A version that must not be run, as gateways and visitors are told of it. Plain data. */
export interface Stopped {
  readonly versionId: VersionId;
  readonly reason: StopReason;
  /** Milliseconds since 1970. */
  readonly stoppedOn: number;
  /** Processes that it took down before it was stopped. */
  readonly strikes: number;
}

export interface Breaker extends Stopped {
  /** UUID. */
  readonly id: string;
  /** Of the deployment that was current when it tripped; 0: the Worker had none. */
  readonly deploymentSeq: number;
}

/** A breaker as the operator sees it. */
export interface OpenBreaker extends Breaker {
  /** null: the Worker had no deployment. */
  readonly deploymentId: DeploymentId | null;
}

/** Those of `breakers` that hold while the deployment `seq` is current. */
export const inForce = (breakers: readonly Breaker[], seq: number): readonly Breaker[] =>
  breakers.filter((breaker) => breaker.deploymentSeq === seq);

/** What a tripped breaker leaves of those there were: one for each version, none of an earlier deployment, the oldest gone when they are too many. */
export function withTripped(
  breakers: readonly Breaker[],
  tripped: Breaker,
): { readonly breakers: readonly Breaker[]; readonly held: Breaker } {
  const valid = inForce(breakers, tripped.deploymentSeq);
  const known = valid.find((breaker) => breaker.versionId === tripped.versionId);
  if (known !== undefined) return { breakers: valid, held: known };
  return { breakers: [...valid, tripped].slice(-OPEN_BREAKERS_MAX), held: tripped };
}

export const withoutVersion = (
  breakers: readonly Breaker[],
  versionId: VersionId,
): readonly Breaker[] => breakers.filter((breaker) => breaker.versionId !== versionId);

export const toStopped = ({ versionId, reason, stoppedOn, strikes }: Stopped): Stopped => ({
  versionId,
  reason,
  stoppedOn,
  strikes,
});

const DEEDS: Readonly<Record<StopReason, string>> = {
  blocked: "blocked the process that it ran in",
  crashed: "crashed the process that it ran in",
  memory: "exhausted the memory of the process that it ran in",
};

/** For visitors, and for code that calls the version. */
export const whyStopped = ({ versionId, reason }: Stopped): string =>
  `Version ${versionId} was stopped, because it repeatedly ${DEEDS[reason]}. Roll back, or deploy again.`;
