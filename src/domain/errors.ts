/**
 * Every refusal of the product, as plain data. `api/errors.ts` gives each its status, code and sentence;
 * a new kind does not compile until it has them.
 */
export type DomainError =
  // Things that are not there.
  | { readonly kind: "worker_not_found" }
  | { readonly kind: "version_not_found"; readonly versionId: string }
  | { readonly kind: "deployment_not_found"; readonly deploymentId: string }
  // The deployment is there and took effect, but what proved it is lost.
  | { readonly kind: "receipt_missing"; readonly deploymentId: string }
  // The version is not stopped, so there is nothing to reset.
  | { readonly kind: "breaker_not_found"; readonly versionId: string }
  | { readonly kind: "worker_has_no_versions" }
  | { readonly kind: "route_not_found"; readonly routeId: string }
  | { readonly kind: "domain_not_found"; readonly domainId: string }
  | { readonly kind: "zone_not_found"; readonly zone: string }
  // The shape of a request.
  | { readonly kind: "bad_json"; readonly detail: string }
  | { readonly kind: "bad_multipart"; readonly detail: string }
  | { readonly kind: "bad_request"; readonly detail: string }
  | { readonly kind: "bad_worker_name"; readonly name: string }
  | { readonly kind: "body_too_large"; readonly bytesMax: number }
  // What Cloudflare has and this release has not. `instead` is a sentence that says what to do.
  | { readonly kind: "not_supported"; readonly what: string; readonly instead: string }
  // What an upload says or does.
  | { readonly kind: "upload_invalid"; readonly detail: string }
  | { readonly kind: "upload_too_large"; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: "start_failed"; readonly detail: string }
  | { readonly kind: "no_handlers" }
  | { readonly kind: "inherit_missing"; readonly names: readonly string[] }
  // An `inherit` binding that names a version; only "latest" can be inherited from.
  | { readonly kind: "inherit_version_id"; readonly versionId: string }
  | { readonly kind: "binding_without_name"; readonly index: number }
  | { readonly kind: "binding_value_too_large"; readonly name: string; readonly bytesMax: number }
  | { readonly kind: "too_many_bindings"; readonly count: number; readonly max: number }
  | { readonly kind: "service_worker_version" }
  | { readonly kind: "migration_in_version" }
  | { readonly kind: "service_missing"; readonly binding: string; readonly service: string }
  // Deployments.
  | { readonly kind: "no_versions_given" }
  | { readonly kind: "too_many_versions"; readonly count: number; readonly max: number }
  | { readonly kind: "duplicate_version"; readonly versionId: string }
  | { readonly kind: "bad_percentage"; readonly versionId: string; readonly percentage: number }
  | { readonly kind: "shares_do_not_sum"; readonly sum: number }
  | { readonly kind: "version_of_another_worker"; readonly versionId: string }
  | {
      readonly kind: "deployment_moved";
      readonly currentId: string | null;
      readonly expectedId: string;
    }
  | { readonly kind: "deployment_is_current"; readonly deploymentId: string }
  // The lock.
  | { readonly kind: "lock_queue_full"; readonly waiting: number }
  | { readonly kind: "lock_wait_expired"; readonly waitedMs: number }
  | { readonly kind: "ledger_unavailable" }
  | { readonly kind: "superseded_by_rollback" }
  // No answer came from a lock: the change may or may not have taken effect. null: the lock went away.
  | { readonly kind: "outcome_unknown"; readonly waitedMs: number | null }
  | { readonly kind: "idempotency_key_reused"; readonly key: string }
  // An upload that deploys at once: its version exists, its deployment was refused or is not known of.
  | {
      readonly kind: "uploaded_not_deployed";
      readonly versionId: string;
      readonly reason: DomainError;
    }
  // Routes and domains.
  | { readonly kind: "bad_route_pattern"; readonly pattern: string; readonly detail: string }
  | { readonly kind: "route_taken"; readonly pattern: string; readonly worker: string | null }
  | { readonly kind: "domain_taken"; readonly hostname: string; readonly worker: string }
  | { readonly kind: "host_reserved"; readonly hostname: string }
  | { readonly kind: "worker_exists"; readonly name: string }
  | { readonly kind: "worker_referenced"; readonly by: readonly string[] };
