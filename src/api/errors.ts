/**
 * Every refusal's status, code and sentence. Codes below 130000 are Cloudflare's, with its texts where they
 * are known, because clients read them; 1300xx are ours, one number for each kind, listed in docs/errors.md.
 *
 * Never 409 for what stays refused (the SDKs try it again), never 10220 but for changed secrets (wrangler in CI
 * forces its way past it), never a `documentation_url` (wrangler prints it inside the text that it parses).
 */
import type { DomainError } from "../domain/errors.ts";
import { UPLOAD_BODY_BYTES_MAX } from "../domain/limits.ts";
import { assetRefusal } from "./asset-refusals.ts";
import { d1Refusal } from "./d1-refusals.ts";
import { durableRefusal } from "./durable-refusals.ts";
import { deploymentRefusal, lockRefusal } from "./deployment-refusals.ts";
import { kvRefusal } from "./kv-refusals.ts";
import { r2Refusal } from "./r2-refusals.ts";
import { queueRefusal } from "./queue-refusals.ts";
import { secretRefusal } from "./secret-refusals.ts";
import { tailRefusal } from "./tail-refusals.ts";
import { ruleRefusal } from "./rule-refusals.ts";
import { uploadRefusal } from "./upload-refusals.ts";
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export function toWireRefusal(error: DomainError): WireRefusal {
  switch (error.kind) {
    case "worker_not_found":
    case "version_not_found":
    case "deployment_not_found":
    case "receipt_missing":
    case "breaker_not_found":
    case "worker_has_no_versions":
    case "route_not_found":
    case "domain_not_found":
    case "zone_not_found":
      return absenceRefusal(error);
    case "bad_json":
    case "bad_multipart":
    case "bad_request":
    case "bad_worker_name":
    case "body_too_large":
    case "not_supported":
      return requestRefusal(error);
    case "upload_invalid":
    case "upload_too_large":
    case "start_failed":
    case "no_handlers":
    case "inherit_missing":
    case "inherit_version_id":
    case "binding_without_name":
    case "binding_value_too_large":
    case "too_many_bindings":
    case "service_worker_version":
    case "migration_in_version":
    case "resources_missing":
    case "binding_type_unsupported":
      return uploadRefusal(error);
    case "no_versions_given":
    case "too_many_versions":
    case "duplicate_version":
    case "bad_percentage":
    case "shares_do_not_sum":
    case "version_of_another_worker":
    case "deployment_moved":
    case "deployment_is_current":
    case "idempotency_key_reused":
      return deploymentRefusal(error);
    case "version_too_old":
    case "bound_resources_missing":
    case "secret_revoked":
    case "secrets_changed":
    case "secrets_unreadable":
    case "rollback_target_missing":
    case "rollback_tag_unknown":
    case "rollback_tag_ambiguous":
      return ruleRefusal(error);
    case "refused_for_several":
      return severalRefusal(error);
    case "secret_not_found":
    case "latest_not_deployed":
    case "binding_is_no_secret":
    case "latest_moved":
      return secretRefusal(error);
    case "lock_queue_full":
    case "lock_wait_expired":
    case "ledger_unavailable":
    case "outcome_unknown":
    case "superseded_by_rollback":
      return lockRefusal(error);
    case "uploaded_not_deployed":
      return uploadedRefusal(error);
    case "resource_in_use":
      return inUseRefusal(error);
    case "store_unavailable":
      return {
        ...refusal(503, 130062, `${error.what} does not answer just now. Ask again.`),
        retryAfterSeconds: 1,
      };
    case "kv_namespace_not_found":
    case "kv_key_not_found":
    case "kv_title_taken":
    case "kv_title_missing":
    case "too_many_kv_namespaces":
    case "kv_refused":
      return kvRefusal(error);
    case "d1_not_found":
    case "d1_bad_name":
    case "d1_name_taken":
    case "too_many_d1_databases":
    case "d1_query_failed":
    case "d1_outcome_unknown":
    case "d1_link_invalid":
    case "d1_file_not_found":
      return d1Refusal(error);
    case "r2_bucket_not_found":
    case "r2_bucket_exists":
    case "r2_bad_bucket_name":
    case "r2_bucket_not_empty":
    case "too_many_r2_buckets":
    case "r2_object_not_found":
    case "r2_length_missing":
    case "r2_refused":
      return r2Refusal(error);
    case "analytics_query_refused":
      return bad(130063, `The query cannot be answered: ${error.detail}`);
    case "asset_session_invalid":
    case "assets_invalid":
    case "assets_incomplete":
    case "asset_rules_invalid":
      return assetRefusal(error);
    case "too_many_tails":
      return tailRefusal(error);
    case "migration_tag_moved":
    case "migration_between":
    case "durable_class_unknown":
    case "durable_class_taken":
    case "durable_class_not_exported":
    case "durable_binding_unknown":
    case "durable_class_still_bound":
    case "durable_class_bound":
    case "transfer_refused":
    case "transfer_overtaken":
    case "durable_namespace_not_found":
      return durableRefusal(error);
    case "queue_not_found":
    case "bad_queue_name":
    case "queue_name_taken":
    case "queue_settings_invalid":
    case "too_many_queues":
    case "consumer_settings_invalid":
    case "consumer_not_found":
    case "consumer_exists":
    case "message_refused":
    case "bad_cron":
    case "too_many_schedules":
      return queueRefusal(error);
    case "bad_route_pattern":
    case "route_taken":
    case "domain_taken":
    case "host_reserved":
    case "worker_exists":
    case "worker_referenced":
      return routingRefusal(error);
  }
}

/** The first decides status and code, and every error is told. */
function severalRefusal({ reasons }: Kind<"refused_for_several">): WireRefusal {
  const refused = reasons.map(toWireRefusal);
  const decisive = refused[0];
  if (decisive === undefined) throw new Error("a refusal without a reason");
  return { ...decisive, errors: refused.flatMap(({ errors }) => errors) };
}

function inUseRefusal({ what, name, users }: Kind<"resource_in_use">): WireRefusal {
  const list = users.map(({ worker, binding }) => `${worker} (${binding})`).join(", ");
  return refusal(
    400,
    130050,
    `The ${what} ${name} is in use: current deployments are bound to it: ${list}. Deploy them without it first, or delete it all the same with ?force=true; their calls will then fail.`,
    { users: users.map(({ worker, binding }) => ({ script: worker, binding })) },
  );
}

/** What to do before it is deployed. */
const ADVICE: { readonly [K in DomainError["kind"]]?: string } = {
  superseded_by_rollback: "See why somebody rolled back; then deploy",
  migration_tag_moved: "It never can be now: run wrangler deploy again instead of deploying",
  transfer_overtaken: "It never can be now: run wrangler deploy again instead of deploying",
};

/** Why it was not deployed, under that refusal's own code; but a version exists that did not before. */
function uploadedRefusal({ versionId, reason }: Kind<"uploaded_not_deployed">): WireRefusal {
  const refused = toWireRefusal(reason);
  const [decisive, ...others] = refused.errors;
  // The first sentence is the cause; those after it say that nothing was changed, and what to do then.
  const cause = /^.*?\.(?=\s|$)/s.exec(decisive?.message ?? "")?.[0] ?? "";
  const remedy = `wrangler versions deploy ${versionId}@100%`;
  const message =
    reason.kind === "outcome_unknown"
      ? `The version ${versionId} was uploaded, but whether it was deployed is not known: ${cause} See what is current (wrangler deployments status); if it is another version, deploy this one with ${remedy}.`
      : `The version ${versionId} was uploaded, but not deployed: ${cause} ${ADVICE[reason.kind] ?? "Deploy"} it with ${remedy}.`;
  const meta = { ...decisive?.meta, version_id: versionId };
  return { ...refused, errors: [{ code: decisive?.code ?? 0, message, meta }, ...others] };
}

function absenceRefusal(
  error: Kind<
    | "worker_not_found"
    | "version_not_found"
    | "deployment_not_found"
    | "receipt_missing"
    | "breaker_not_found"
    | "worker_has_no_versions"
    | "route_not_found"
    | "domain_not_found"
    | "zone_not_found"
  >,
): WireRefusal {
  switch (error.kind) {
    case "worker_not_found":
      return refusal(404, 10007, "This Worker does not exist on your account.");
    case "version_not_found":
      return refusal(
        404,
        100146,
        "The requested Worker version could not be found, please check the ID being passed and try again.",
        { version_id: error.versionId },
      );
    case "deployment_not_found":
      return refusal(
        404,
        10336,
        `This Worker has no deployment ${error.deploymentId}. GET …/deployments lists those it has.`,
      );
    case "receipt_missing":
      return refusal(
        404,
        130004,
        `The deployment ${error.deploymentId} took effect, but its receipt is not known: the lock that made it lost its storage before the receipt was in the history.`,
      );
    case "breaker_not_found":
      return refusal(
        404,
        130005,
        `The version ${error.versionId} is not stopped. GET …/breakers lists those of this Worker that are.`,
      );
    case "worker_has_no_versions":
      return refusal(
        404,
        10222,
        "This Worker has no versions, which means this Worker has no content or versioned settings.",
      );
    case "route_not_found":
      return refusal(404, 10009, `This zone has no route ${error.routeId}.`);
    case "domain_not_found":
      return refusal(404, 100114, `There is no custom domain ${error.domainId}.`);
    case "zone_not_found":
      return refusal(
        404,
        130003,
        `There is no zone ${error.zone}. Add it with POST /client/v4/zones {"name": "example.com"}.`,
      );
  }
}

function requestRefusal(
  error: Kind<
    | "bad_json"
    | "bad_multipart"
    | "bad_request"
    | "bad_worker_name"
    | "body_too_large"
    | "not_supported"
  >,
): WireRefusal {
  switch (error.kind) {
    case "bad_json":
      return bad(10026, `The body is not the JSON that was expected. ${error.detail}`);
    case "bad_multipart":
      return bad(10026, `The body is not a readable upload. ${error.detail}`);
    case "bad_request":
      return bad(130001, `The request is not understood: ${error.detail}`);
    case "bad_worker_name":
      return bad(
        10016,
        `${JSON.stringify(error.name.slice(0, 80))} is not a Worker's name. Use 1 to 63 of a-z, 0-9, _ and -, not starting with a dash.`,
      );
    case "body_too_large": {
      const sentence = `The request body is larger than ${error.bytesMax} bytes. Send less in one call.`;
      // For an upload it is the Worker that is too large, and wrangler then names its largest parts.
      return refusal(413, error.bytesMax === UPLOAD_BODY_BYTES_MAX ? 10027 : 130002, sentence);
    }
    case "not_supported":
      return bad(130090, `${error.what} is not supported by this Switchback yet. ${error.instead}`);
  }
}

function routingRefusal(
  error: Kind<
    | "bad_route_pattern"
    | "route_taken"
    | "domain_taken"
    | "host_reserved"
    | "worker_exists"
    | "worker_referenced"
  >,
): WireRefusal {
  switch (error.kind) {
    case "bad_route_pattern":
      return bad(
        10022,
        `${JSON.stringify(error.pattern.slice(0, 200))} cannot be used: ${error.detail}`,
      );
    case "route_taken":
      return bad(
        10020,
        `The route ${error.pattern} is already assigned${error.worker === null ? " to no Worker" : ` to the Worker ${error.worker}`}. Take it away there first.`,
      );
    case "domain_taken":
      return bad(
        130040,
        `The custom domain ${error.hostname} belongs to the Worker ${error.worker}. Take it away there first, or override it (override_existing_origin).`,
      );
    case "host_reserved":
      return bad(
        130041,
        `${error.hostname} is a host of the control plane; no Worker can have it.`,
      );
    case "worker_exists":
      return bad(130042, `A Worker named ${error.name} already exists on your account.`);
    case "worker_referenced":
      return bad(
        130043,
        `Bindings of these Workers lead to it: ${error.by.join(", ")}. Deploy them without the binding first, or delete with ?force=true.`,
      );
  }
}
