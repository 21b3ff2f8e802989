/** Why a version may not serve now: what became of its Worker, its resources or its secrets since it was uploaded. */
import type { MissingResource, ResourceKind } from "../domain/version-resources.ts";
import { refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export type RuleError = Kind<
  | "version_too_old"
  | "bound_resources_missing"
  | "secret_revoked"
  | "secrets_changed"
  | "secrets_unreadable"
  | "rollback_target_missing"
  | "rollback_tag_unknown"
  | "rollback_tag_ambiguous"
>;

export function ruleRefusal(error: RuleError): WireRefusal {
  switch (error.kind) {
    case "version_too_old":
      return refusal(
        400,
        130052,
        `The version ${error.versionId} is number ${error.number}; only the ${error.max} most recently uploaded versions may be deployed here, from number ${error.oldest} on. Nothing was changed. wrangler versions list shows them; or have the operator raise the limit (PUT …/scripts/:name/deployable-versions).`,
        {
          version_id: error.versionId,
          number: error.number,
          max: error.max,
          oldest_number: error.oldest,
        },
      );
    case "bound_resources_missing":
      return missingRefusal(error);
    case "secret_revoked":
      return refusal(
        400,
        130054,
        `The version ${error.versionId} would bring back revoked values of ${list(error.names, "the secret", "the secrets")}. Revoked values never serve again, with or without force. Nothing was changed. Upload this version's code anew: an upload takes the secrets that there are now.`,
        { version_id: error.versionId, secrets: error.names },
      );
    case "secrets_changed":
      // Cloudflare's text to the letter: wrangler reads the names from its end.
      return refusal(
        400,
        10220,
        `A secret has changed since this version was active. If you are sure this is ok, add a ?force=true query parameter to allow the rollback. The following secrets have changed: ${error.names.join(", ")}`,
      );
    case "secrets_unreadable":
      return refusal(
        400,
        130057,
        `The secrets of the version ${error.versionId} ${error.keyId === null ? "were altered where they are stored" : `are sealed under the key ${error.keyId}, which this Switchback does not have`}: the version could not run. Nothing was changed. Have the operator put back the key, or the data (docs/secrets.md), or upload this version's code anew.`,
        { version_id: error.versionId, key_id: error.keyId },
      );
    case "rollback_target_missing":
      return refusal(
        404,
        130058,
        "There is no version to roll back to: no other version was ever fully deployed, or all that were have been left by rollbacks or were stopped. Nothing was changed. Name a version: wrangler versions list shows them.",
      );
    case "rollback_tag_unknown":
      return refusal(
        404,
        130059,
        `No version of this Worker has the tag ${JSON.stringify(error.tag)}. Nothing was changed. wrangler versions list shows ids and tags.`,
        { tag: error.tag },
      );
    case "rollback_tag_ambiguous":
      return refusal(
        400,
        130028,
        `Several versions have the tag ${JSON.stringify(error.tag)}: ${error.versionIds.join(", ")}. Nothing was changed. Name the one you mean by its id.`,
        { tag: error.tag, version_ids: error.versionIds },
      );
  }
}

function missingRefusal({ versionId, missing }: Kind<"bound_resources_missing">): WireRefusal {
  const gone = missing.map((each) => `${each.binding} (${named(each)})`).join(", ");
  const ways = [...new Set(missing.map(wayBack))].join(" ");
  return refusal(
    400,
    130053,
    `The version ${versionId} is bound to what no longer exists: ${gone}. Its calls would fail. Nothing was changed. ${ways}`,
    {
      version_id: versionId,
      missing: missing.map((each) => ({
        binding: each.binding,
        type: each.kind,
        resource: each.resourceId,
        title: each.title,
        remedy: wayBack(each),
      })),
    },
  );
}

const WHAT: Readonly<Record<ResourceKind, string>> = {
  kv_namespace: "the KV namespace",
  r2_bucket: "the R2 bucket",
  d1: "the D1 database",
  queue: "the queue",
  durable_object_namespace: "the Durable Object class",
  service: "the Worker",
};

const named = ({ kind, resourceId, title }: MissingResource): string =>
  `${WHAT[kind]} ${title === null ? resourceId : `${title}, ${resourceId}`}`;

/** A name can be used again, an id never. */
function wayBack({ kind, resourceId, title }: MissingResource): string {
  const name = title ?? "NAME";
  const anew = "put the new id into the configuration, and upload this version's code anew.";
  switch (kind) {
    case "kv_namespace":
      return `An id never comes back: wrangler kv namespace create ${name}, ${anew}`;
    case "d1":
      return `An id never comes back: wrangler d1 create ${name}, ${anew}`;
    case "r2_bucket":
      return `wrangler r2 bucket create ${resourceId} makes the bucket again, empty; then roll back.`;
    case "queue":
      return `wrangler queues create ${resourceId} makes the queue again, empty; then roll back.`;
    case "service":
      return `Deploy the Worker ${resourceId} again; then roll back.`;
    case "durable_object_namespace": {
      const [worker = "", className = ""] = resourceId.split("/");
      return `Deploy the Worker ${worker} with a migration that makes the class ${className}; then roll back.`;
    }
  }
}

const list = (names: readonly string[], one: string, several: string): string =>
  `${names.length === 1 ? one : several} ${names.join(", ")}`;
