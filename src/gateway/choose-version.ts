import type { CurrentDeployment } from "../domain/deployment.ts";
import type { VersionId } from "../domain/ids.ts";
import { pickVersion, pointOfKey } from "../domain/traffic.ts";
import {
  decideOverride,
  type OverrideDecision,
  type OverridePolicy,
} from "../domain/version-override.ts";

export const OVERRIDES_HEADER = "cloudflare-workers-version-overrides";
export const KEY_HEADER = "cloudflare-workers-version-key";

export interface Choice {
  /** null: no version of the deployment has a share. */
  readonly versionId: VersionId | null;
  readonly override: OverrideDecision;
}

const NO_OVERRIDE: OverrideDecision = { kind: "none" };

/** Override, else the visitor's key, else chance. Calls without headers (RPC) are left to chance. */
export function chooseVersion(
  deployment: CurrentDeployment,
  worker: { readonly id: string; readonly name: string },
  headers: Headers | null,
  policy: OverridePolicy,
  random: () => number,
): Choice {
  const override = headers
    ? decideOverride(headers.get(OVERRIDES_HEADER), worker.name, deployment, policy)
    : NO_OVERRIDE;
  if (override.kind === "applied") return { versionId: override.versionId, override };
  // With one version neither key nor chance matters.
  const split = deployment.versions.length > 1;
  const key = split && headers ? headers.get(KEY_HEADER) : null;
  const point = key ? pointOfKey(worker.id, key) : split ? random() * 100 : 0;
  return { versionId: pickVersion(deployment.versions, point), override };
}
