/**
 * Branded identifiers. Each brand is made in exactly one place, here, so that inside the domain
 * nobody has to check the same text twice.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `[A-Za-z0-9]{1,64}`; Cloudflare's are 32 hex digits, wrangler accepts any of these. */
export type AccountId = Branded<"AccountId">;
/** 32 hex digits; Cloudflare's opaque script "tag". A Worker made again under an old name has a new one. */
export type WorkerId = Branded<"WorkerId">;
/** The name a team gives its Worker; see {@link parseWorkerName}. */
export type WorkerName = Branded<"WorkerName">;
/** UUID, lower case. */
export type VersionId = Branded<"VersionId">;
/** UUID, lower case. */
export type DeploymentId = Branded<"DeploymentId">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX32 = /^[0-9a-f]{32}$/;
/** Cloudflare's rule: what fits in one DNS label, plus the underscore. */
const WORKER_NAME = /^[a-z0-9_][a-z0-9_-]{0,62}$/;

export const parseAccountId = (text: string): AccountId | null =>
  /^[A-Za-z0-9]{1,64}$/.test(text) ? (text as AccountId) : null;

export const parseWorkerId = (text: string): WorkerId | null =>
  HEX32.test(text) ? (text as WorkerId) : null;

/** 1 to 63 of `a-z 0-9 _ -`, not starting with a dash. */
export const parseWorkerName = (text: string): WorkerName | null =>
  WORKER_NAME.test(text) ? (text as WorkerName) : null;

export const parseVersionId = (text: string): VersionId | null => {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? (lower as VersionId) : null;
};

export const parseDeploymentId = (text: string): DeploymentId | null => {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? (lower as DeploymentId) : null;
};
