/** All that is known where a deployment is decided: the same at the door and under the lock. */
import type { D1AppliedById } from "../domain/d1-applied.ts";
import {
  type CurrentDeployment,
  decideDeployment,
  type DeploymentCommand,
  type DeploymentFacts,
  type DeploymentPlan,
} from "../domain/deployment.ts";
import type { RuleFacts } from "../domain/deployment-rules.ts";
import { decideWarnings, type DeploymentWarning } from "../domain/deployment-warnings.ts";
import type { DomainError } from "../domain/errors.ts";
import type { AccountId, VersionId } from "../domain/ids.ts";
import { ok, type Result } from "../domain/result.ts";
import type { SecretText } from "../domain/binding.ts";
import {
  compareSecrets,
  NO_SECRET_CHANGES,
  type SecretChanges,
  type Unreadable,
  unreadableSecrets,
} from "../domain/secret-changes.ts";
import type { MissingResource } from "../domain/version-resources.ts";
import type { Worker } from "../domain/worker.ts";
import type { Database } from "../store/database.ts";
import { findMissingResources } from "../store/missing-resources.ts";
import { findRevokedSecrets } from "../store/revoked-secrets.ts";
import { countVersions, findSealedSecrets, findVersionOwners } from "../store/versions.ts";
import { durableFacts } from "./durable-facts.ts";
import { type SecretBox, SecretsKeyMissing } from "./secret-box.ts";
import { warningFacts } from "./warning-facts.ts";

interface Context {
  readonly db: Database;
  readonly accountId: AccountId;
  readonly secrets: SecretBox;
}

/** What a decision is made against. */
export interface Standing {
  readonly current: CurrentDeployment | null;
  /** On its way, and not visible yet. */
  readonly pending: CurrentDeployment | null;
  readonly versionsMax: number;
  /** So many of the versions uploaded last may be deployed; null: all. */
  readonly deployableMax: number | null;
  /** What was seen of the D1 databases of the versions that come and go. */
  readonly d1Applied: D1AppliedById;
}

/** An accepted deployment, and what is to be known of it. */
export interface PlannedDeployment extends DeploymentPlan {
  readonly warnings: readonly DeploymentWarning[];
}

export async function planDeployment(
  context: Context,
  worker: Worker,
  standing: Standing,
  command: DeploymentCommand,
): Promise<Result<PlannedDeployment, DomainError>> {
  const plan = decideDeployment(await deploymentFacts(context, worker, standing, command), command);
  if (!plan.ok) return plan;
  const { versions, goesBack } = plan.value;
  if (!goesBack) return ok({ ...plan.value, warnings: [] });
  const { current, d1Applied } = standing;
  const facts = await warningFacts(context.db, worker.id, current, versions, d1Applied);
  return ok({ ...plan.value, warnings: decideWarnings(facts) });
}

async function deploymentFacts(
  context: Context,
  worker: Worker,
  { current, pending, versionsMax, deployableMax }: Standing,
  command: DeploymentCommand,
): Promise<DeploymentFacts> {
  const ids = command.versions.map((share) => share.versionId.toLowerCase());
  const versions = await findVersionOwners(context.db, context.accountId, ids);
  const own = versions.filter(({ workerId }) => workerId === worker.id);
  const serving = new Set(current?.versions.map((share) => share.versionId));
  const entering = own.filter(({ id }) => !serving.has(id));
  const [durable, rules] = await Promise.all([
    durableFacts(context.db, worker, current, own),
    ruleFacts(context, worker, current, entering, deployableMax),
  ]);
  return { workerId: worker.id, current, pending, versions, versionsMax, durable, rules };
}

async function ruleFacts(
  context: Context,
  worker: Worker,
  current: CurrentDeployment | null,
  entering: readonly { readonly id: VersionId; readonly number: number }[],
  deployableMax: number | null,
): Promise<RuleFacts> {
  const served = (current?.versions ?? []).filter((share) => share.percentage > 0);
  const newest = served.toSorted((one, other) => other.number - one.number)[0];
  const isOlder = (number: number) => newest !== undefined && number < newest.number;
  const revoked = await findRevokedSecrets(context.db, worker.id);
  const revokedThrough = Math.max(0, ...revoked.values());
  // Forward, a changed secret is what somebody wanted; a revoked value is nowhere.
  const compared = entering.filter(({ number }) => isOlder(number) || number <= revokedThrough);
  const [newestNumber, missing, differences] = await Promise.all([
    deployableMax === null ? 0 : countVersions(context.db, worker.id),
    missingOf(context, worker, entering),
    secretsOf(context, worker, newest?.versionId ?? null, compared),
  ]);
  const secrets = new Map(
    compared.map(({ id, number }) => {
      const changes = differences.get(id) ?? NO_SECRET_CHANGES;
      return [id, isOlder(number) ? changes : { ...changes, changed: [] }];
    }),
  );
  return { newestNumber, deployableMax, missing, secrets, revoked };
}

async function missingOf(
  { db, accountId }: Context,
  worker: Worker,
  entering: readonly { readonly id: VersionId }[],
): Promise<Map<string, readonly MissingResource[]>> {
  const found = new Map<string, readonly MissingResource[]>();
  for (const { id } of entering)
    found.set(id, await findMissingResources(db, accountId, worker.name, id));
  return found;
}

/** Compared in the clear, in memory: stored fingerprints of short secrets could be guessed. */
async function secretsOf(
  context: Context,
  worker: Worker,
  serving: VersionId | null,
  versions: readonly { readonly id: VersionId }[],
): Promise<ReadonlyMap<string, SecretChanges>> {
  const compared = new Map<string, SecretChanges>();
  if (versions.length === 0) return compared;
  // A version that serves is loaded already; if nobody can open it any more, all that another has counts as changed.
  const opened = serving === null ? [] : await openSecrets(context, worker, serving);
  const now = Array.isArray(opened) ? opened : [];
  for (const { id } of versions) {
    const then = await openSecrets(context, worker, id);
    compared.set(id, Array.isArray(then) ? compareSecrets(then, now) : unreadableSecrets(then));
  }
  return compared;
}

/** Or why they cannot be opened. */
async function openSecrets(
  { db, secrets }: Context,
  worker: Worker,
  versionId: VersionId,
): Promise<SecretText[] | Unreadable> {
  const sealed = await findSealedSecrets(db, versionId);
  try {
    return await secrets.open({ workerId: worker.id, versionId }, sealed);
  } catch (error) {
    return { keyId: error instanceof SecretsKeyMissing ? error.keyId : null };
  }
}
