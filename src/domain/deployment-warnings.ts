/** What somebody who goes back has to know, though nothing is refused for it. */
import type { D1Applied, D1AppliedById } from "./d1-applied.ts";
import type { VersionResource } from "./version-resources.ts";

export type DeploymentWarning =
  /** What both have, by the names of the bindings of the version that comes. */
  | { readonly kind: "resources_unchanged"; readonly resources: readonly VersionResource[] }
  | {
      readonly kind: "d1_migrations_differ";
      readonly binding: string;
      readonly databaseId: string;
      /** When the version was last current. */
      readonly lastCurrent: D1Applied;
      readonly now: D1Applied;
    }
  /** The database did not answer in time. */
  | { readonly kind: "d1_not_compared"; readonly binding: string; readonly databaseId: string }
  | { readonly kind: "compatibility_date_back"; readonly from: string; readonly to: string }
  | { readonly kind: "assets_disappear" }
  | { readonly kind: "triggers_unchanged"; readonly crons: number; readonly routes: number };

export interface WarnedVersion {
  readonly compatibilityDate: string;
  readonly hasAssets: boolean;
  readonly resources: readonly VersionResource[];
  /** When it was last current; by database id. Of versions that come back. */
  readonly d1Then: D1AppliedById;
}

export interface WarningFacts {
  /** Versions that are to serve and do not now. */
  readonly coming: readonly WarnedVersion[];
  /** Versions that serve now. */
  readonly serving: readonly WarnedVersion[];
  readonly d1Now: D1AppliedById;
  readonly crons: number;
  /** Routes and custom domains. */
  readonly routes: number;
}

export function decideWarnings(facts: WarningFacts): readonly DeploymentWarning[] {
  const { coming, serving, crons, routes } = facts;
  if (coming.length === 0 || serving.length === 0) return [];
  const warnings: DeploymentWarning[] = [];
  const shared = sharedResources(coming, serving);
  if (shared.length > 0) warnings.push({ kind: "resources_unchanged", resources: shared });
  warnings.push(...d1Warnings(facts));
  const dates = (of: readonly WarnedVersion[]) => of.map((version) => version.compatibilityDate);
  const from = dates(serving).toSorted().at(-1) ?? "";
  const to = dates(coming).toSorted()[0] ?? "";
  // Dates of this form sort as text.
  if (to < from) warnings.push({ kind: "compatibility_date_back", from, to });
  if (serving.some(({ hasAssets }) => hasAssets) && coming.some(({ hasAssets }) => !hasAssets))
    warnings.push({ kind: "assets_disappear" });
  if (crons + routes > 0) warnings.push({ kind: "triggers_unchanged", crons, routes });
  return warnings;
}

const keyOf = ({ kind, resourceId }: VersionResource) => `${kind} ${resourceId}`;

function sharedResources(
  coming: readonly WarnedVersion[],
  serving: readonly WarnedVersion[],
): readonly VersionResource[] {
  const kept = new Set(serving.flatMap(({ resources }) => resources.map(keyOf)));
  const shared = coming.flatMap(({ resources }) =>
    resources.filter((each) => kept.has(keyOf(each))),
  );
  return [...new Map(shared.map((each) => [keyOf(each), each])).values()];
}

function d1Warnings({ coming, d1Now }: WarningFacts): readonly DeploymentWarning[] {
  const warnings = new Map<string, DeploymentWarning>();
  for (const { resources, d1Then } of coming) {
    for (const { kind, resourceId: databaseId, binding } of resources) {
      const then = d1Then[databaseId];
      if (kind !== "d1" || then === undefined) continue;
      const now = d1Now[databaseId];
      if (now === undefined)
        warnings.set(databaseId, { kind: "d1_not_compared", binding, databaseId });
      else if (now.count !== then.count || now.last !== then.last)
        warnings.set(databaseId, {
          kind: "d1_migrations_differ",
          binding,
          databaseId,
          lastCurrent: then,
          now,
        });
    }
  }
  return [...warnings.values()];
}
