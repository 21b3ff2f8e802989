/**
 * Which versions may be deployed besides those that serve already: what the Worker has become since they were uploaded
 * can stand against it. Versions of the current deployment may always keep or change their share, or nobody could leave
 * a split.
 */
import type { DomainError } from "./errors.ts";
import type { VersionId } from "./ids.ts";
import type { SecretChanges } from "./secret-changes.ts";
import type { MissingResource } from "./version-resources.ts";

export interface RuleFacts {
  /** Number of the version uploaded last. */
  readonly newestNumber: number;
  /** So many of the versions uploaded last may be deployed; null: all. */
  readonly deployableMax: number | null;
  /** By version id: what its bindings lead to and is gone. */
  readonly missing: ReadonlyMap<string, readonly MissingResource[]>;
  /** By version id: how its secrets differ from those of what serves: what changed, of older versions alone. */
  readonly secrets: ReadonlyMap<string, SecretChanges>;
  /** By name of a secret: number of the newest version whose value of it must not serve again. */
  readonly revoked: ReadonlyMap<string, number>;
}

/** Where the rules find nothing to refuse: a Worker with no bindings, no secrets and no limit. */
export const NO_RULES: RuleFacts = {
  newestNumber: 0,
  deployableMax: null,
  missing: new Map(),
  secrets: new Map(),
  revoked: new Map(),
};

/** Numbers below this may not be deployed. */
export const oldestDeployable = (newestNumber: number, deployableMax: number | null): number =>
  deployableMax === null ? 1 : Math.max(1, newestNumber - deployableMax + 1);

/** Everything that stands against it, the decisive one first. `force` overrides changed secrets alone. */
export function rulesAgainst(
  facts: RuleFacts,
  current: { readonly versions: readonly { readonly versionId: VersionId }[] } | null,
  shares: readonly { readonly versionId: VersionId; readonly number: number }[],
  force: boolean,
): readonly DomainError[] {
  const serving = new Set(current?.versions.map((share) => share.versionId));
  const entering = shares.filter(({ versionId }) => !serving.has(versionId));
  const changed = new Set<string>();
  const against: DomainError[] = [];
  const oldest = oldestDeployable(facts.newestNumber, facts.deployableMax);
  for (const { versionId, number } of entering) {
    const max = facts.deployableMax;
    if (max !== null && number < oldest)
      against.push({ kind: "version_too_old", versionId, number, max, oldest });
  }
  for (const { versionId, number } of entering) {
    const { restored = [] } = facts.secrets.get(versionId) ?? {};
    const names = restored.filter((name) => (facts.revoked.get(name) ?? 0) >= number);
    if (names.length > 0) against.push({ kind: "secret_revoked", versionId, names });
  }
  for (const { versionId } of entering) {
    const missing = facts.missing.get(versionId) ?? [];
    if (missing.length > 0) against.push({ kind: "bound_resources_missing", versionId, missing });
  }
  for (const { versionId } of entering) {
    const secrets = facts.secrets.get(versionId);
    const unreadable = secrets?.unreadable ?? null;
    if (unreadable !== null)
      against.push({ kind: "secrets_unreadable", versionId, keyId: unreadable.keyId });
    for (const name of secrets?.changed ?? []) changed.add(name);
  }
  if (!force && changed.size > 0)
    against.push({ kind: "secrets_changed", names: [...changed].toSorted() });
  return against;
}
