/**
 * Every refusal's status, code and sentence. Codes below 130000 are Cloudflare's, with its texts where they
 * are known, because clients read them; 1300xx are ours, one number for each kind, listed in docs/errors.md.
 *
 * Never 409 for what stays refused (the SDKs try it again), never 10220 (wrangler in CI forces its way past
 * it), never a `documentation_url` (wrangler prints it inside the text that it parses).
 */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { DomainError } from "../domain/errors.ts";
import { LOCK_RETRY_AFTER_SECONDS, UPLOAD_BODY_BYTES_MAX } from "../domain/limits.ts";
import type { WireError, WireRefusal } from "./envelope.ts";

export function toWireRefusal(error: DomainError): WireRefusal {
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
    case "service_missing":
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
    case "lock_queue_full":
    case "lock_wait_expired":
    case "ledger_unavailable":
    case "outcome_unknown":
    case "superseded_by_rollback":
      return lockRefusal(error);
    case "bad_route_pattern":
    case "route_taken":
    case "domain_taken":
    case "host_reserved":
    case "worker_exists":
    case "worker_referenced":
      return routingRefusal(error);
  }
}

type Kind<K extends DomainError["kind"]> = Extract<DomainError, { kind: K }>;

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
      return refusal(400, 10026, `The body is not the JSON that was expected. ${error.detail}`);
    case "bad_multipart":
      return refusal(400, 10026, `The body is not a readable upload. ${error.detail}`);
    case "bad_request":
      return refusal(400, 130001, `The request is not understood: ${error.detail}`);
    case "bad_worker_name":
      return refusal(
        400,
        10016,
        `${JSON.stringify(error.name.slice(0, 80))} is not a Worker's name. Use 1 to 63 of a-z, 0-9, _ and -, not starting with a dash.`,
      );
    case "body_too_large": {
      const sentence = `The request body is larger than ${error.bytesMax} bytes. Send less in one call.`;
      // For an upload it is the Worker that is too large, and wrangler then names its largest parts.
      return refusal(413, error.bytesMax === UPLOAD_BODY_BYTES_MAX ? 10027 : 130002, sentence);
    }
    case "not_supported":
      return refusal(
        400,
        130090,
        `${error.what} is not supported by this Switchback yet. ${error.instead}`,
      );
  }
}

function uploadRefusal(
  error: Kind<
    | "upload_invalid"
    | "upload_too_large"
    | "start_failed"
    | "no_handlers"
    | "inherit_missing"
    | "inherit_version_id"
    | "binding_without_name"
    | "binding_value_too_large"
    | "too_many_bindings"
    | "service_worker_version"
    | "migration_in_version"
    | "service_missing"
  >,
): WireRefusal {
  switch (error.kind) {
    case "upload_invalid":
      return refusal(400, 10021, error.detail);
    case "upload_too_large":
      return refusal(
        413,
        10027,
        `The Worker's modules are ${error.bytes} bytes together; at most ${error.bytesMax} are allowed. Leave out what it does not need when it runs.`,
      );
    case "start_failed":
      return refusal(400, 10021, error.detail);
    case "no_handlers":
      return refusal(
        400,
        10068,
        "The uploaded script has no registered event handlers. Export a default object with a fetch handler, or a class.",
      );
    case "inherit_missing":
      // wrangler recognises this text and lists the names.
      return {
        status: 400,
        errors: error.names.map((name) => ({
          code: 10057,
          message: `inherit binding '${name}' is invalid, previous version does not have binding of that name`,
        })),
      };
    case "inherit_version_id":
      return refusal(
        400,
        10057,
        `'version_id' value '${error.versionId}' is invalid, only the literal 'latest' is supported by this API`,
      );
    case "binding_without_name":
      return refusal(400, 10052, `Binding at index ${error.index} must have a name.`);
    case "binding_value_too_large":
      return refusal(
        400,
        10054,
        `The value of the binding ${error.name} is larger than ${error.bytesMax} bytes. Keep large values in a module or in storage.`,
      );
    case "too_many_bindings":
      return refusal(
        400,
        10055,
        `The version would have ${error.count} bindings; at most ${error.max} are allowed. Put several variables into one JSON variable.`,
      );
    case "service_worker_version":
      return refusal(
        400,
        130010,
        "A version has to be in ES module syntax; this one is in service worker syntax. Export a default handler, or deploy it at once with wrangler deploy.",
      );
    case "migration_in_version":
      return refusal(
        400,
        10211,
        "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment. Refer to the documentation for more information.",
      );
    case "service_missing":
      return refusal(
        400,
        10144,
        `The service binding ${error.binding} names the Worker ${JSON.stringify(error.service.slice(0, 80))}, which does not exist on your account. Deploy that one first.`,
      );
  }
}

function deploymentRefusal(
  error: Kind<
    | "no_versions_given"
    | "too_many_versions"
    | "duplicate_version"
    | "bad_percentage"
    | "shares_do_not_sum"
    | "version_of_another_worker"
    | "deployment_moved"
    | "deployment_is_current"
    | "idempotency_key_reused"
  >,
): WireRefusal {
  switch (error.kind) {
    case "no_versions_given":
      return refusal(400, 130020, "A deployment needs at least one version. Nothing was changed.");
    case "too_many_versions":
      return refusal(
        400,
        130021,
        `The deployment names ${error.count} versions; at most ${error.max} may share the traffic. Nothing was changed. The operator can raise it (DEPLOYMENT_VERSIONS_MAX).`,
      );
    case "duplicate_version":
      return refusal(
        400,
        130022,
        `The deployment names the version ${error.versionId} twice. Name it once, with its whole share. Nothing was changed.`,
      );
    case "bad_percentage":
      return refusal(
        400,
        130023,
        `The share of the version ${error.versionId} is ${error.percentage}; it has to be from 0 to 100. Nothing was changed.`,
      );
    case "shares_do_not_sum":
      return refusal(
        400,
        130024,
        `The shares add up to ${error.sum}; they have to add up to 100. Nothing was changed.`,
      );
    case "version_of_another_worker":
      return refusal(
        400,
        130025,
        `The version ${error.versionId} is another Worker's. Deploy a version of this one; GET …/versions lists them. Nothing was changed.`,
      );
    case "deployment_moved":
      return refusal(412, 130026, movedSentence(error), {
        current_deployment_id: error.currentId,
        expected_deployment_id: error.expectedId,
      });
    case "deployment_is_current":
      return refusal(
        400,
        130027,
        `The deployment ${error.deploymentId} is the latest, which is actively serving traffic, and cannot be deleted. Deploy another version first.`,
      );
    case "idempotency_key_reused":
      return refusal(
        422,
        130033,
        "This Idempotency-Key was used for another deployment of this Worker. Use a new key for each deployment you mean to make. Nothing was changed.",
      );
  }
}

function movedSentence(error: Kind<"deployment_moved">): string {
  if (error.currentId === null) {
    return "If-Match asks for a current deployment, and this Worker has none. Nothing was changed. Leave If-Match out for the first one.";
  }
  return `The current deployment is ${error.currentId}, not ${error.expectedId} as If-Match asks. Nothing was changed. Look at what was deployed since, then decide again.`;
}

function lockRefusal(
  error: Kind<
    | "lock_queue_full"
    | "lock_wait_expired"
    | "ledger_unavailable"
    | "outcome_unknown"
    | "superseded_by_rollback"
  >,
): WireRefusal {
  const later = { retryAfterSeconds: LOCK_RETRY_AFTER_SECONDS };
  switch (error.kind) {
    case "lock_queue_full":
      return {
        ...refusal(
          429,
          130030,
          `${error.waiting} changes are already waiting for their turn. Nothing was changed; try again in a moment.`,
        ),
        ...later,
      };
    case "lock_wait_expired":
      return {
        ...refusal(
          503,
          130031,
          `Other changes took their turn for ${error.waitedMs} ms. Nothing was changed; try again in a moment.`,
        ),
        ...later,
      };
    case "ledger_unavailable":
      return {
        ...refusal(
          503,
          130032,
          "The database that keeps the history cannot be written, so nothing was changed. Try again in a moment; if it lasts, look at the host's log.",
        ),
        ...later,
      };
    case "superseded_by_rollback":
      return refusal(
        412,
        130035,
        "A rollback came in while this deployment had not become visible yet, and goes first. Nothing was changed by this one. See why somebody rolled back before you deploy again.",
      );
    case "outcome_unknown":
      // No Retry-After: repeating it unseen could undo what somebody else has done meanwhile.
      return refusal(
        503,
        130034,
        `${error.waitedMs === null ? "The lock went away before it answered" : `The lock gave no answer within ${error.waitedMs} ms`}. The change may or may not have taken effect. See what is current (wrangler deployments status) before you try again, or repeat the call with the same Idempotency-Key.`,
      );
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
      return refusal(
        400,
        10022,
        `${JSON.stringify(error.pattern.slice(0, 200))} cannot be used: ${error.detail}`,
      );
    case "route_taken":
      return refusal(
        400,
        10020,
        `The route ${error.pattern} is already assigned${error.worker === null ? " to no Worker" : ` to the Worker ${error.worker}`}. Take it away there first.`,
      );
    case "domain_taken":
      return refusal(
        400,
        130040,
        `The custom domain ${error.hostname} belongs to the Worker ${error.worker}. Take it away there first, or override it (override_existing_origin).`,
      );
    case "host_reserved":
      return refusal(
        400,
        130041,
        `${error.hostname} is a host of the control plane; no Worker can have it.`,
      );
    case "worker_exists":
      return refusal(400, 130042, `A Worker named ${error.name} already exists on your account.`);
    case "worker_referenced":
      return refusal(
        400,
        130043,
        `Service bindings of these Workers lead to it: ${error.by.join(", ")}. Deploy them without the binding first, or delete with ?force=true.`,
      );
  }
}

const refusal = (
  status: ContentfulStatusCode,
  code: number,
  message: string,
  meta?: WireError["meta"],
): WireRefusal => ({
  status,
  errors: [meta === undefined ? { code, message } : { code, message, meta }],
});
