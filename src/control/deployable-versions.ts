/** How many of a Worker's most recently uploaded versions may be deployed: the installation says, a Worker may say otherwise. */
import type { Worker } from "../domain/worker.ts";
import { deployableVersionsMax } from "./config.ts";

/** Where a Worker's row keeps its own number; 0 there means all. */
export const DEPLOYABLE_KEY = "deployable_versions_max";

/** Null: the installation's. */
export const ownDeployableMax = ({ settings }: Worker): number | null =>
  (settings[DEPLOYABLE_KEY] as number | null | undefined) ?? null;

/** Null: all. */
export function deployableMaxOf(
  env: { readonly DEPLOYABLE_VERSIONS_MAX?: string },
  worker: Worker,
): number | null {
  const max = ownDeployableMax(worker) ?? deployableVersionsMax(env);
  return max === 0 ? null : max;
}
