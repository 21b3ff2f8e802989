/**
 * What may be deployed. One pure decision, made at the door and again under the lock, so that a refusal
 * and its words are the same wherever it is found.
 */
import { rulesAgainst, type RuleFacts } from "./deployment-rules.ts";
import type { D1Applied } from "./d1-applied.ts";
import type { DeploymentWarning } from "./deployment-warnings.ts";
import { decideDurable, type DurableFacts } from "./durable-migration.ts";
import type { DomainError } from "./errors.ts";
import type { DeploymentId, VersionId, WorkerId } from "./ids.ts";
import { PERCENTAGE_SUM_TOLERANCE } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";
import type { Author } from "./version.ts";

/** A version's share of the traffic. */
export interface TrafficShare {
  readonly versionId: VersionId;
  /** The version's number: shares are laid out newest first. */
  readonly number: number;
  /** 0 to 100, fractions allowed. */
  readonly percentage: number;
}

/** The register's value: what a Worker serves, whatever route a request came by. */
export interface CurrentDeployment {
  /** Position in the Worker's history: larger is later. */
  readonly seq: number;
  readonly deploymentId: DeploymentId;
  readonly versions: readonly TrafficShare[];
}

/**
 * `upload` is the deployment that a script upload makes by itself, `secret` that of a changed secret. `rollback` is one that
 * was asked for as such, or that goes back to older versions which have served, however it was asked for.
 */
export type DeploymentTrigger = "upload" | "deployment" | "secret" | "rollback";

/** What a client asks for. Ids and shares are checked here, not before. */
export interface DeploymentCommand {
  readonly versions: readonly { readonly versionId: string; readonly percentage: number }[];
  readonly triggeredBy: DeploymentTrigger;
  /** Empty: none. */
  readonly message: string;
  readonly author: Author;
  /** Overrides what Cloudflare lets `?force=true` override, never a rule that protects data. */
  readonly force: boolean;
  /** If-Match: refuse unless this deployment is still the current one. */
  readonly expectedCurrentId: string | null;
}

/** What the decision needs to know. */
export interface DeploymentFacts {
  readonly workerId: WorkerId;
  readonly current: CurrentDeployment | null;
  /** Of the versions the command names, those that exist anywhere in the account. */
  readonly versions: readonly {
    readonly id: VersionId;
    readonly workerId: WorkerId;
    readonly number: number;
    /** A deployment that took effect had it with a share. */
    readonly servedBefore: boolean;
  }[];
  /** What decides whether they fit the Worker's Durable Object classes; absent: nothing has any. */
  readonly durable?: Omit<DurableFacts, "isUpload">;
  readonly rules: RuleFacts;
  /** On its way, and not visible yet. */
  readonly pending: CurrentDeployment | null;
  readonly versionsMax: number;
}

/** An accepted deployment, before it has a place in the history. */
export interface DeploymentPlan {
  readonly versions: readonly TrafficShare[];
  /** It goes back to what served before: it then goes before everything that waits to move forward. */
  readonly isRollback: boolean;
  /** What serves now is newer: secrets, dates and resources are compared with it. */
  readonly goesBack: boolean;
}

/** A deployment as history tells it. */
export interface Deployment {
  readonly id: DeploymentId;
  readonly workerId: WorkerId;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly createdOn: number;
  readonly triggeredBy: DeploymentTrigger;
  readonly message: string;
  readonly author: Author;
  /** In the order in which the client gave them. */
  readonly versions: readonly { readonly versionId: VersionId; readonly percentage: number }[];
  /** Versions that a rollback left; absent: it was none. */
  readonly left?: readonly VersionId[];
  /** What was to be known and refused nothing. */
  readonly warnings?: readonly DeploymentWarning[];
  /** What was applied to the D1 databases of the versions that came and went, by database id; absent: they have none. */
  readonly d1Migrations?: Readonly<Record<string, D1Applied>>;
}

export function decideDeployment(
  facts: DeploymentFacts,
  command: DeploymentCommand,
): Result<DeploymentPlan, DomainError> {
  const { expectedCurrentId } = command;
  if (expectedCurrentId !== null && facts.current?.deploymentId !== expectedCurrentId) {
    const currentId = facts.current?.deploymentId ?? null;
    return err({ kind: "deployment_moved", currentId, expectedId: expectedCurrentId });
  }
  const count = command.versions.length;
  if (count === 0) return err({ kind: "no_versions_given" });
  if (count > facts.versionsMax) {
    return err({ kind: "too_many_versions", count, max: facts.versionsMax });
  }

  const shape = readShares(facts, command);
  if (!shape.ok) return shape;
  const shares = shape.value;
  const against: DomainError[] = [];
  if (facts.durable !== undefined) {
    const isUpload = command.triggeredBy === "upload";
    const fits = decideDurable({ ...facts.durable, isUpload });
    if (!fits.ok) against.push(fits.error);
  }
  against.push(...rulesAgainst(facts.rules, facts.current, shares, command.force));
  if (against.length > 0) return refuseFor(against);

  const known = new Map(facts.versions.map((version) => [version.id, version]));
  const servedBefore = shares
    .filter((share) => share.percentage > 0)
    .every((share) => known.get(share.versionId)?.servedBefore === true);
  const goesBack = isOlder(shares, facts.current?.versions ?? []);
  const isRollback =
    command.triggeredBy === "rollback" ||
    (command.triggeredBy === "deployment" &&
      servedBefore &&
      (goesBack || isOlder(shares, facts.pending?.versions ?? [])));
  return ok({ versions: shares, isRollback, goesBack });
}

/** The shares that a command spells out; or all that is wrong with them, as far as it can be told. */
function readShares(
  facts: DeploymentFacts,
  command: DeploymentCommand,
): Result<readonly TrafficShare[], DomainError> {
  const known = new Map(facts.versions.map((version) => [version.id as string, version]));
  const seen = new Set<string>();
  const shares: TrafficShare[] = [];
  const wrong: DomainError[] = [];
  for (const { versionId, percentage } of command.versions) {
    const id = versionId.toLowerCase();
    if (seen.has(id)) {
      wrong.push({ kind: "duplicate_version", versionId: id });
      continue;
    }
    seen.add(id);
    if (!(percentage >= 0 && percentage <= 100))
      wrong.push({ kind: "bad_percentage", versionId: id, percentage });
    const version = known.get(id);
    if (version === undefined) wrong.push({ kind: "version_not_found", versionId: id });
    else if (version.workerId !== facts.workerId)
      wrong.push({ kind: "version_of_another_worker", versionId: id });
    else shares.push({ versionId: version.id, number: version.number, percentage });
  }
  const sum = command.versions.reduce((total, share) => total + share.percentage, 0);
  // As millionths: in binary fractions 99.999 is a little further from 100 than the tolerance.
  const missedBy = Math.round(Math.abs(sum - 100) * 1e6) / 1e6;
  // Of shares that are wrong themselves the sum says nothing.
  const summable = !wrong.some(
    ({ kind }) => kind === "duplicate_version" || kind === "bad_percentage",
  );
  if (summable && missedBy > PERCENTAGE_SUM_TOLERANCE)
    wrong.push({ kind: "shares_do_not_sum", sum });
  return wrong.length > 0 ? refuseFor(wrong) : ok(shares);
}

const refuseFor = (reasons: readonly DomainError[]): Result<never, DomainError> => {
  const [only] = reasons;
  return err(
    only !== undefined && reasons.length === 1 ? only : { kind: "refused_for_several", reasons },
  );
};

/** Whether the newest version that `shares` serve is older than the newest that `others` do. */
export function isOlder(shares: readonly TrafficShare[], others: readonly TrafficShare[]): boolean {
  const newest = (of: readonly TrafficShare[]) =>
    Math.max(0, ...of.filter((share) => share.percentage > 0).map((share) => share.number));
  return newest(shares) < newest(others);
}

/** Versions that serve now and would not after these shares. */
export function leftBy(
  shares: readonly TrafficShare[],
  current: CurrentDeployment | null,
): readonly VersionId[] {
  const staying = new Set(shares.map((share) => share.versionId));
  return (current?.versions ?? [])
    .map((share) => share.versionId)
    .filter((versionId) => !staying.has(versionId));
}

/** The latest deployment serves traffic and cannot be deleted; every other one can. */
export function decideDeploymentRemoval(
  current: CurrentDeployment | null,
  deploymentId: DeploymentId,
): Result<void, DomainError> {
  if (current?.deploymentId === deploymentId) {
    return err({ kind: "deployment_is_current", deploymentId });
  }
  return ok(undefined);
}
