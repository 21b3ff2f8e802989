/** The operator's settings, parsed. A setting that cannot be read stops the Worker with a sentence, not a guess. */
import { parseAccountId, type AccountId } from "../domain/ids.ts";
import {
  DEPLOYMENT_VERSIONS_DEFAULT_MAX,
  DEPLOYMENT_VERSIONS_HARD_MAX,
} from "../domain/limits.ts";

/** The one account of this installation. */
export function accountIdOf(env: Pick<Env, "ACCOUNT_ID">): AccountId {
  const id = parseAccountId(env.ACCOUNT_ID);
  if (id === null) throw new Error("ACCOUNT_ID has to be 1 to 64 letters and digits");
  return id;
}

/** Comma-separated host names without ports, lower case. */
export const hostList = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== "");

export const controlHostsOf = (env: { readonly CONTROL_HOSTS: string }): string[] =>
  hostList(env.CONTROL_HOSTS);

export function deploymentVersionsMax(env: { readonly DEPLOYMENT_VERSIONS_MAX?: string }): number {
  const configured = Number(env.DEPLOYMENT_VERSIONS_MAX ?? DEPLOYMENT_VERSIONS_DEFAULT_MAX);
  if (!Number.isInteger(configured) || configured < 1 || configured > DEPLOYMENT_VERSIONS_HARD_MAX) {
    throw new Error(
      `DEPLOYMENT_VERSIONS_MAX has to be a whole number from 1 to ${DEPLOYMENT_VERSIONS_HARD_MAX}`,
    );
  }
  return configured;
}
