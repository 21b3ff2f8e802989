import type { KvRefusal } from "./kv.ts";
import type { MissingResource, VersionResource } from "./version-resources.ts";

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
  // Bindings to what is not there.
  | { readonly kind: "resources_missing"; readonly missing: readonly VersionResource[] }
  // A binding of a type that this Switchback cannot run.
  | { readonly kind: "binding_type_unsupported"; readonly name: string; readonly type: string }
  // Deleting what current deployments are bound to. `what`: e.g. "KV namespace".
  | {
      readonly kind: "resource_in_use";
      readonly what: string;
      readonly name: string;
      readonly users: readonly { readonly worker: string; readonly binding: string }[];
    }
  // The process that keeps a kind of resource does not answer. `what`: e.g. "KV".
  | { readonly kind: "store_unavailable"; readonly what: string }
  // KV. `doing` begins Cloudflare's sentence: "get namespace".
  | { readonly kind: "kv_namespace_not_found"; readonly doing: string }
  | { readonly kind: "kv_key_not_found" }
  | { readonly kind: "kv_title_taken"; readonly doing: string }
  | { readonly kind: "kv_title_missing" }
  | { readonly kind: "too_many_kv_namespaces"; readonly max: number }
  | ({ readonly kind: "kv_refused" } & KvRefusal)
  // An analytics query that is not understood, or asks for too much.
  | { readonly kind: "analytics_query_refused"; readonly detail: string }
  // D1. `database`: as it was asked for, by id or name. `detail`: what SQLite says.
  | { readonly kind: "d1_not_found"; readonly database: string }
  | { readonly kind: "d1_bad_name"; readonly name: string }
  | { readonly kind: "d1_name_taken"; readonly name: string }
  | { readonly kind: "too_many_d1_databases"; readonly max: number }
  | { readonly kind: "d1_query_failed"; readonly detail: string }
  // The process was lost while it ran the query; perhaps it was done.
  | { readonly kind: "d1_outcome_unknown" }
  | { readonly kind: "d1_link_invalid" }
  | { readonly kind: "d1_file_not_found"; readonly file: string }
  // R2. `code` and `message`: what R2 itself says of a key, metadata or a cursor.
  | { readonly kind: "r2_bucket_not_found" }
  | { readonly kind: "r2_bucket_exists" }
  | { readonly kind: "r2_bad_bucket_name"; readonly name: string }
  | { readonly kind: "r2_bucket_not_empty"; readonly name: string }
  | { readonly kind: "too_many_r2_buckets"; readonly max: number }
  | { readonly kind: "r2_object_not_found" }
  | { readonly kind: "r2_length_missing" }
  | { readonly kind: "r2_refused"; readonly code: number; readonly message: string }
  // Live tails.
  | { readonly kind: "too_many_tails"; readonly max: number }
  // Static assets: the token of an upload session, what is to be uploaded, what was not, and their rules.
  | { readonly kind: "asset_session_invalid"; readonly detail: string }
  | { readonly kind: "assets_invalid"; readonly detail: string }
  | { readonly kind: "assets_incomplete"; readonly missing: number; readonly example: string }
  | {
      readonly kind: "asset_rules_invalid";
      readonly file: "_headers" | "_redirects";
      readonly lines: readonly string[];
    }
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
  // Several stand against a deployment, the decisive one first.
  | { readonly kind: "refused_for_several"; readonly reasons: readonly DomainError[] }
  // `oldest`: number of the oldest version that may be deployed.
  | {
      readonly kind: "version_too_old";
      readonly versionId: string;
      readonly number: number;
      readonly max: number;
      readonly oldest: number;
    }
  | {
      readonly kind: "bound_resources_missing";
      readonly versionId: string;
      readonly missing: readonly MissingResource[];
    }
  | {
      readonly kind: "secret_revoked";
      readonly versionId: string;
      readonly names: readonly string[];
    }
  // Cloudflare's 10220, the only refusal that `force` overrides.
  | { readonly kind: "secrets_changed"; readonly names: readonly string[] }
  // `keyId`: of the key that there is no more; null: what is stored was altered.
  | {
      readonly kind: "secrets_unreadable";
      readonly versionId: string;
      readonly keyId: string | null;
    }
  // `name`: of a secret that the Worker has not, or never had.
  | { readonly kind: "secret_not_found"; readonly name: string }
  // A secret is to be changed alone, but the latest version is not what serves all of the traffic.
  | { readonly kind: "latest_not_deployed"; readonly changing: "secret" | "settings" }
  // A secret's name is that of a binding of another type.
  | { readonly kind: "binding_is_no_secret"; readonly name: string; readonly type: string }
  // Others changed the latest version again and again meanwhile.
  | { readonly kind: "latest_moved" }
  // A rollback: nothing to go back to, no version of that tag, or several.
  | { readonly kind: "rollback_target_missing" }
  | { readonly kind: "rollback_tag_unknown"; readonly tag: string }
  | {
      readonly kind: "rollback_tag_ambiguous";
      readonly tag: string;
      readonly versionIds: readonly string[];
    }
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
  // Durable Object classes. `currentTag`: of the last migration that was applied; null for none.
  | { readonly kind: "migration_tag_moved"; readonly currentTag: string | null }
  | {
      readonly kind: "migration_between";
      readonly versionId: string;
      readonly tag: string | null;
      readonly currentTag: string | null;
      /** Classes that are not the same for both. */
      readonly classes: readonly string[];
      /** Tags of the migrations that lie between. */
      readonly migrations: readonly string[];
      /** The version nearest to it that no migration separates from what serves. */
      readonly nearest: { readonly versionId: string; readonly number: number } | null;
    }
  | {
      readonly kind: "durable_class_unknown";
      readonly migration: "delete-class" | "rename-class";
      readonly className: string;
    }
  | {
      readonly kind: "durable_class_taken";
      readonly migration: "new-class" | "rename-class" | "transfer-class";
      readonly className: string;
    }
  // `given`: the upload has it from there already.
  | {
      readonly kind: "transfer_refused";
      readonly className: string;
      readonly script: string;
      readonly why: "no_worker" | "no_class" | "own" | "given";
    }
  // Since the version was uploaded, the class was deleted, or went to another Worker.
  | { readonly kind: "transfer_overtaken"; readonly className: string }
  | { readonly kind: "durable_class_not_exported"; readonly className: string }
  // `script`: the other Worker whose class it would be; null: the Worker's own.
  | {
      readonly kind: "durable_binding_unknown";
      readonly binding: string;
      readonly className: string;
      readonly script: string | null;
    }
  // The upload deletes a class and is bound to it.
  | {
      readonly kind: "durable_class_still_bound";
      readonly binding: string;
      readonly className: string;
    }
  // The upload deletes a class that other Workers are bound to.
  | {
      readonly kind: "durable_class_bound";
      readonly className: string;
      readonly users: readonly { readonly worker: string; readonly binding: string }[];
    }
  | { readonly kind: "durable_namespace_not_found"; readonly namespaceId: string }
  // Queues. `queue`: its id.
  | { readonly kind: "queue_not_found"; readonly queue: string }
  | { readonly kind: "bad_queue_name"; readonly name: string }
  | { readonly kind: "queue_name_taken"; readonly name: string }
  | { readonly kind: "queue_settings_invalid"; readonly detail: string }
  | { readonly kind: "too_many_queues"; readonly max: number }
  | { readonly kind: "consumer_settings_invalid"; readonly detail: string }
  | { readonly kind: "consumer_not_found"; readonly consumerId: string }
  | { readonly kind: "consumer_exists"; readonly queue: string; readonly worker: string }
  | { readonly kind: "message_refused"; readonly detail: string }
  // Cron triggers.
  | { readonly kind: "bad_cron"; readonly cron: string; readonly detail: string }
  | {
      readonly kind: "too_many_schedules";
      readonly max: number;
      readonly of: "worker" | "account";
    }
  // Routes and domains.
  | { readonly kind: "bad_route_pattern"; readonly pattern: string; readonly detail: string }
  | { readonly kind: "route_taken"; readonly pattern: string; readonly worker: string | null }
  | { readonly kind: "domain_taken"; readonly hostname: string; readonly worker: string }
  | { readonly kind: "host_reserved"; readonly hostname: string }
  | { readonly kind: "worker_exists"; readonly name: string }
  | { readonly kind: "worker_referenced"; readonly by: readonly string[] };
