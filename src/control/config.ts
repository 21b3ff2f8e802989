/** The operator's settings, parsed. A setting that cannot be read stops the Worker with a sentence, not a guess. */
import { parseAccountId, type AccountId } from "../domain/ids.ts";
import type { LeaseTerms } from "../domain/lease.ts";
import {
  AUTHORITY_LEASES_MIN,
  DEPLOYABLE_VERSIONS_HARD_MAX,
  DEPLOYMENT_VERSIONS_DEFAULT_MAX,
  DEPLOYMENT_VERSIONS_HARD_MAX,
  DRIFT_PERMILLE_DEFAULT,
  DRIFT_PERMILLE_MAX,
  LEASE_MARGIN_MS,
  LEASE_MS_DEFAULT,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  LEASE_SKEW_MS_DEFAULT,
  LEASE_SKEW_MS_MAX,
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
  return wholeNumber(
    "DEPLOYMENT_VERSIONS_MAX",
    env.DEPLOYMENT_VERSIONS_MAX ?? String(DEPLOYMENT_VERSIONS_DEFAULT_MAX),
    1,
    DEPLOYMENT_VERSIONS_HARD_MAX,
  );
}

/** So many of a Worker's most recently uploaded versions may be deployed; 0: all. */
export const deployableVersionsMax = (env: { readonly DEPLOYABLE_VERSIONS_MAX?: string }): number =>
  wholeNumber(
    "DEPLOYABLE_VERSIONS_MAX",
    env.DEPLOYABLE_VERSIONS_MAX || "0",
    0,
    DEPLOYABLE_VERSIONS_HARD_MAX,
  );

/** Whether bindings that nothing here can run are kept instead of refused. */
export function bindingStubs(env: { readonly BINDING_STUBS?: string }): boolean {
  const said = env.BINDING_STUBS ?? "refuse";
  if (said !== "refuse" && said !== "allow")
    throw new Error('BINDING_STUBS has to be "refuse" or "allow"');
  return said === "allow";
}

/** The installation's lease terms; a Worker may have a lease length of its own. */
export function leaseTermsOf(env: {
  readonly LEASE_MS?: string;
  readonly LEASE_DRIFT_PERMILLE?: string;
}): LeaseTerms {
  const lease = env.LEASE_MS ?? String(LEASE_MS_DEFAULT);
  const leaseMs = wholeNumber("LEASE_MS", lease, LEASE_MS_MIN, LEASE_MS_MAX);
  const drift = env.LEASE_DRIFT_PERMILLE ?? String(DRIFT_PERMILLE_DEFAULT);
  return {
    leaseMs,
    authorityMs: leaseMs * AUTHORITY_LEASES_MIN,
    driftPermille: wholeNumber("LEASE_DRIFT_PERMILLE", drift, 0, DRIFT_PERMILLE_MAX),
    marginMs: LEASE_MARGIN_MS,
  };
}

/** How far the wall clocks of two machines may be apart, in milliseconds. */
export const leaseSkewMsOf = (env: { readonly LEASE_SKEW_MS?: string }): number =>
  wholeNumber(
    "LEASE_SKEW_MS",
    env.LEASE_SKEW_MS ?? String(LEASE_SKEW_MS_DEFAULT),
    0,
    LEASE_SKEW_MS_MAX,
  );

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name} has to be a whole number from ${min} to ${max}`);
  }
  return value;
}
