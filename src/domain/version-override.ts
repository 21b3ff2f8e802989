import { type Dictionary, parseDictionary } from "structured-headers";
import type { CurrentDeployment } from "./deployment.ts";
import { parseVersionId, type VersionId } from "./ids.ts";
import { OVERRIDE_ENTRIES_MAX, OVERRIDE_HEADER_CHARS_MAX } from "./limits.ts";

/**
 * `Cloudflare-Workers-Version-Overrides`: a dictionary (RFC 8941) of Worker names and version ids,
 * `api="dc8dcd28-…", web="…"`. It reaches only versions of the current deployment.
 *
 * A key of such a dictionary begins with a lower-case letter, so a Worker whose name begins with a digit or
 * an underscore cannot be named, here as on Cloudflare.
 */
export type OverridePolicy =
  /** Any version of the current deployment, also at 0 %: Cloudflare's rule. */
  | "public"
  /** Only versions with a share of the traffic. */
  | "public-nonzero"
  /** Nobody chooses. */
  | "off";

export type OverrideDecision =
  /** No header, or it is about other Workers. */
  | { readonly kind: "none" }
  | { readonly kind: "applied"; readonly versionId: VersionId }
  | { readonly kind: "ignored"; readonly reason: OverrideIgnoredReason };

export type OverrideIgnoredReason =
  | "too_long"
  | "too_many_entries"
  | "malformed"
  | "off"
  | "not_a_version_id"
  | "not_in_deployment"
  | "no_share";

export function parseOverridePolicy(text: string): OverridePolicy | null {
  return text === "public" || text === "public-nonzero" || text === "off" ? text : null;
}

/** Decides what one header means for one Worker. A header that cannot be read is ignored for all, and says so. */
export function decideOverride(
  header: string | null,
  workerName: string,
  deployment: CurrentDeployment,
  policy: OverridePolicy,
): OverrideDecision {
  if (header === null) return { kind: "none" };
  if (header.length > OVERRIDE_HEADER_CHARS_MAX) return ignored("too_long");
  const dictionary = readDictionary(header);
  if (!dictionary) return ignored("malformed");
  if (dictionary.size > OVERRIDE_ENTRIES_MAX) return ignored("too_many_entries");
  const member = dictionary.get(workerName);
  if (!member) return { kind: "none" };
  if (policy === "off") return ignored("off");
  const versionId = typeof member[0] === "string" ? parseVersionId(member[0]) : null;
  if (!versionId) return ignored("not_a_version_id");
  const share = deployment.versions.find((version) => version.versionId === versionId);
  if (!share) return ignored("not_in_deployment");
  if (policy === "public-nonzero" && share.percentage <= 0) return ignored("no_share");
  return { kind: "applied", versionId };
}

const ignored = (reason: OverrideIgnoredReason): OverrideDecision => ({ kind: "ignored", reason });

function readDictionary(header: string): Dictionary | null {
  try {
    return parseDictionary(header);
  } catch {
    return null;
  }
}
