/** Why a deployment was not made, or not surely. */
import { LOCK_RETRY_AFTER_SECONDS } from "../domain/limits.ts";
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export function deploymentRefusal(
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
      return bad(130020, "A deployment needs at least one version. Nothing was changed.");
    case "too_many_versions":
      return bad(
        130021,
        `The deployment names ${error.count} versions; at most ${error.max} may share the traffic. Nothing was changed. The operator can raise it (DEPLOYMENT_VERSIONS_MAX).`,
      );
    case "duplicate_version":
      return bad(
        130022,
        `The deployment names the version ${error.versionId} twice. Name it once, with its whole share. Nothing was changed.`,
      );
    case "bad_percentage":
      return bad(
        130023,
        `The share of the version ${error.versionId} is ${error.percentage}; it has to be from 0 to 100. Nothing was changed.`,
      );
    case "shares_do_not_sum":
      return bad(
        130024,
        `The shares add up to ${error.sum}; they have to add up to 100. Nothing was changed.`,
      );
    case "version_of_another_worker":
      return bad(
        130025,
        `The version ${error.versionId} is another Worker's. Deploy a version of this one; GET …/versions lists them. Nothing was changed.`,
      );
    case "deployment_moved":
      return refusal(412, 130026, movedSentence(error), {
        current_deployment_id: error.currentId,
        expected_deployment_id: error.expectedId,
      });
    case "deployment_is_current":
      return bad(
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

export function lockRefusal(
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
          "The database that keeps the history cannot be written. Nothing was changed; try again in a moment, and if it lasts, look at the host's log.",
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
