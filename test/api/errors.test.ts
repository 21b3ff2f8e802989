import { describe, expect, it } from "vitest";
import page from "../../docs/errors.md?raw";
import packageJson from "../../package.json" with { type: "json" };
import { toWireRefusal } from "../../src/api/errors.ts";
import { RELEASE } from "../../src/api/release.ts";
import type { DomainError } from "../../src/domain/errors.ts";
import { UPLOAD_BODY_BYTES_MAX } from "../../src/domain/limits.ts";

/** One of each kind; a new kind does not compile until it is here. */
const EACH: { readonly [K in DomainError["kind"]]: Extract<DomainError, { kind: K }> } = {
  worker_not_found: { kind: "worker_not_found" },
  version_not_found: { kind: "version_not_found", versionId: "v" },
  receipt_missing: { kind: "receipt_missing", deploymentId: "d" },
  deployment_not_found: { kind: "deployment_not_found", deploymentId: "d" },
  breaker_not_found: { kind: "breaker_not_found", versionId: "v" },
  worker_has_no_versions: { kind: "worker_has_no_versions" },
  route_not_found: { kind: "route_not_found", routeId: "r" },
  domain_not_found: { kind: "domain_not_found", domainId: "d" },
  zone_not_found: { kind: "zone_not_found", zone: "z" },
  bad_json: { kind: "bad_json", detail: "It ends early." },
  bad_multipart: { kind: "bad_multipart", detail: "It has no boundary." },
  bad_request: { kind: "bad_request", detail: "page has to be a number." },
  bad_worker_name: { kind: "bad_worker_name", name: "No" },
  body_too_large: { kind: "body_too_large", bytesMax: 10 },
  not_supported: { kind: "not_supported", what: "A thing", instead: "Do without." },
  upload_invalid: { kind: "upload_invalid", detail: "The upload has no modules." },
  upload_too_large: { kind: "upload_too_large", bytes: 11, bytesMax: 10 },
  start_failed: { kind: "start_failed", detail: "Uncaught Error: boom" },
  no_handlers: { kind: "no_handlers" },
  inherit_missing: { kind: "inherit_missing", names: ["A"] },
  inherit_version_id: { kind: "inherit_version_id", versionId: "v" },
  binding_without_name: { kind: "binding_without_name", index: 5 },
  binding_value_too_large: { kind: "binding_value_too_large", name: "A", bytesMax: 10 },
  too_many_bindings: { kind: "too_many_bindings", count: 11, max: 10 },
  service_worker_version: { kind: "service_worker_version" },
  migration_in_version: { kind: "migration_in_version" },
  resources_missing: {
    kind: "resources_missing",
    missing: [{ binding: "A", kind: "service", resourceId: "b" }],
  },
  binding_type_unsupported: { kind: "binding_type_unsupported", name: "A", type: "send_email" },
  asset_session_invalid: { kind: "asset_session_invalid", detail: "It has expired." },
  assets_invalid: { kind: "assets_invalid", detail: "The manifest must be an object." },
  assets_incomplete: { kind: "assets_incomplete", missing: 2, example: "/index.html" },
  asset_rules_invalid: {
    kind: "asset_rules_invalid",
    file: "_redirects",
    lines: ["Line 1: Expected exactly 2 or 3 whitespace-separated tokens. Got 1."],
  },
  too_many_tails: { kind: "too_many_tails", max: 10 },
  resource_in_use: {
    kind: "resource_in_use",
    what: "KV namespace",
    name: "sessions",
    users: [{ worker: "shop", binding: "KV" }],
  },
  store_unavailable: { kind: "store_unavailable", what: "KV" },
  kv_namespace_not_found: { kind: "kv_namespace_not_found", doing: "get namespace" },
  kv_key_not_found: { kind: "kv_key_not_found" },
  kv_title_taken: { kind: "kv_title_taken", doing: "create namespace" },
  kv_title_missing: { kind: "kv_title_missing" },
  too_many_kv_namespaces: { kind: "too_many_kv_namespaces", max: 1_000 },
  kv_refused: { kind: "kv_refused", status: 400, message: "Key names must not be empty" },
  r2_bucket_not_found: { kind: "r2_bucket_not_found" },
  r2_bucket_exists: { kind: "r2_bucket_exists" },
  r2_bad_bucket_name: { kind: "r2_bad_bucket_name", name: "No" },
  r2_bucket_not_empty: { kind: "r2_bucket_not_empty", name: "files" },
  too_many_r2_buckets: { kind: "too_many_r2_buckets", max: 10_000 },
  r2_object_not_found: { kind: "r2_object_not_found" },
  r2_length_missing: { kind: "r2_length_missing" },
  r2_refused: { kind: "r2_refused", code: 10012, message: "Your metadata headers exceed it." },
  analytics_query_refused: { kind: "analytics_query_refused", detail: "it has no FROM." },
  queue_not_found: { kind: "queue_not_found", queue: "q" },
  bad_queue_name: { kind: "bad_queue_name", name: "-q" },
  queue_name_taken: { kind: "queue_name_taken", name: "orders" },
  queue_settings_invalid: { kind: "queue_settings_invalid", detail: "delivery_delay is odd." },
  too_many_queues: { kind: "too_many_queues", max: 10 },
  consumer_settings_invalid: { kind: "consumer_settings_invalid", detail: "batch_size is odd." },
  consumer_not_found: { kind: "consumer_not_found", consumerId: "c" },
  consumer_exists: { kind: "consumer_exists", queue: "orders", worker: "shop" },
  message_refused: { kind: "message_refused", detail: "the queue is full" },
  bad_cron: { kind: "bad_cron", cron: "* *", detail: "It has to have five fields." },
  too_many_schedules: { kind: "too_many_schedules", max: 10, of: "worker" },
  no_versions_given: { kind: "no_versions_given" },
  too_many_versions: { kind: "too_many_versions", count: 3, max: 2 },
  duplicate_version: { kind: "duplicate_version", versionId: "v" },
  bad_percentage: { kind: "bad_percentage", versionId: "v", percentage: 101 },
  shares_do_not_sum: { kind: "shares_do_not_sum", sum: 99 },
  version_of_another_worker: { kind: "version_of_another_worker", versionId: "v" },
  deployment_moved: { kind: "deployment_moved", currentId: "c", expectedId: "e" },
  deployment_is_current: { kind: "deployment_is_current", deploymentId: "d" },
  lock_queue_full: { kind: "lock_queue_full", waiting: 8 },
  lock_wait_expired: { kind: "lock_wait_expired", waitedMs: 15_000 },
  ledger_unavailable: { kind: "ledger_unavailable" },
  superseded_by_rollback: { kind: "superseded_by_rollback" },
  outcome_unknown: { kind: "outcome_unknown", waitedMs: 25_000 },
  idempotency_key_reused: { kind: "idempotency_key_reused", key: "k" },
  uploaded_not_deployed: {
    kind: "uploaded_not_deployed",
    versionId: "v",
    reason: { kind: "lock_queue_full", waiting: 8 },
  },
  bad_route_pattern: { kind: "bad_route_pattern", pattern: "p", detail: "it has no host." },
  route_taken: { kind: "route_taken", pattern: "p", worker: "w" },
  domain_taken: { kind: "domain_taken", hostname: "h", worker: "w" },
  host_reserved: { kind: "host_reserved", hostname: "h" },
  d1_not_found: { kind: "d1_not_found", database: "d" },
  d1_bad_name: { kind: "d1_bad_name", name: "a b" },
  d1_name_taken: { kind: "d1_name_taken", name: "d" },
  too_many_d1_databases: { kind: "too_many_d1_databases", max: 10 },
  d1_query_failed: { kind: "d1_query_failed", detail: "no such table: t: SQLITE_ERROR" },
  d1_outcome_unknown: { kind: "d1_outcome_unknown" },
  d1_link_invalid: { kind: "d1_link_invalid" },
  d1_file_not_found: { kind: "d1_file_not_found", file: "f.sql" },
  worker_exists: { kind: "worker_exists", name: "w" },
  worker_referenced: { kind: "worker_referenced", by: ["a", "b"] },
  migration_tag_moved: { kind: "migration_tag_moved", currentTag: "v1" },
  migration_between: { kind: "migration_between", versionId: "v", tag: null, currentTag: "v1" },
  durable_class_unknown: {
    kind: "durable_class_unknown",
    migration: "delete-class",
    className: "A",
  },
  durable_class_taken: { kind: "durable_class_taken", migration: "new-class", className: "A" },
  durable_class_not_exported: { kind: "durable_class_not_exported", className: "A" },
  durable_binding_unknown: {
    kind: "durable_binding_unknown",
    binding: "B",
    className: "A",
    script: null,
  },
  durable_class_still_bound: { kind: "durable_class_still_bound", binding: "B", className: "A" },
  durable_class_bound: {
    kind: "durable_class_bound",
    className: "A",
    users: [{ worker: "w", binding: "B" }],
  },
  transfer_refused: { kind: "transfer_refused", className: "A", script: "w", why: "no_class" },
  transfer_overtaken: { kind: "transfer_overtaken", className: "A" },
  durable_namespace_not_found: { kind: "durable_namespace_not_found", namespaceId: "n" },
};

const { uploaded_not_deployed: _, ...withCodeOfTheirOwn } = EACH;
const all = Object.values(withCodeOfTheirOwn).map((error) => ({
  kind: error.kind,
  ...toWireRefusal(error),
}));
const codeOf = (refusal: (typeof all)[number]) => refusal.errors[0]?.code ?? 0;
const isOurs = (code: number) => code >= 130_000;

/** What the host answers when the process of the control plane cannot: its own test holds it to the page. */
const HOSTS_OWN = ["130036 control_away 503"];

/** The page's rows as `code kind status`. */
const documented = [...page.matchAll(/^\| (\d+) \| `(\w+)` \| (\d+) \|/gm)].map(
  ([, code, kind, status]) => `${code} ${kind} ${status}`,
);

describe("every refusal", () => {
  it("is documented with its code and status, and nothing else is", () => {
    const real = all.map((refusal) => `${codeOf(refusal)} ${refusal.kind} ${refusal.status}`);
    expect(documented.toSorted()).toEqual([...real, ...HOSTS_OWN].toSorted());
  });

  it("has a code of its own where the code is ours; Cloudflare's stand for what they do there", () => {
    const codes = [...all.map(codeOf), ...HOSTS_OWN.map((row) => Number.parseInt(row, 10))];
    expect(new Set(codes.filter(isOurs)).size).toBe(codes.filter(isOurs).length);
    const shared = codes.filter((code, at) => codes.indexOf(code) !== at);
    expect(shared.toSorted((a, b) => a - b)).toEqual([
      10007, 10009, 10021, 10026, 10057, 10061, 10061, 10074, 10074, 10074,
    ]);
  });

  it("never has a status or code by which clients would try or force what stays refused", () => {
    for (const refusal of all) {
      expect([409, 500, 502, 504]).not.toContain(refusal.status);
      expect([10000, 9106, 10220]).not.toContain(codeOf(refusal));
      const isTemporary = refusal.retryAfterSeconds !== undefined;
      if (isTemporary) expect([429, 503]).toContain(refusal.status);
      else if (!refusal.kind.endsWith("outcome_unknown")) expect(refusal.status).toBeLessThan(429);
    }
  });

  it("is one plain sentence or more, with no link for wrangler to put into its middle", () => {
    for (const { errors } of all) {
      expect(errors[0]?.message).toMatch(/\S{2}/);
      expect(JSON.stringify(errors)).not.toMatch(
        /documentation_url|https?:\/\/|undefined|\[object/,
      );
    }
  });

  it("after an upload has its own code, and says that the version is there and how to deploy it", () => {
    for (const reason of Object.values(withCodeOfTheirOwn)) {
      const alone = toWireRefusal(reason);
      const after = toWireRefusal({ kind: "uploaded_not_deployed", versionId: "v-1", reason });
      const message = after.errors[0]?.message ?? "";
      expect({ ...after, errors: [] }).toEqual({ ...alone, errors: [] });
      expect(after.errors.map(({ code }) => code)).toEqual(alone.errors.map(({ code }) => code));
      expect(message).toMatch(
        /^The version v-1 was uploaded, but .*wrangler versions deploy v-1@100%/s,
      );
      expect(message).not.toMatch(/nothing was changed/i);
      expect(after.errors[0]?.meta).toMatchObject({ version_id: "v-1" });
    }
    const reason = { kind: "outcome_unknown", waitedMs: 1 } as const;
    expect(
      toWireRefusal({ kind: "uploaded_not_deployed", versionId: "v-1", reason }).errors[0]?.message,
    ).toMatch(/not known/);
  });

  it("about a body names the Worker's size when it was an upload", () => {
    const upload = toWireRefusal({ kind: "body_too_large", bytesMax: UPLOAD_BODY_BYTES_MAX });
    expect(upload).toMatchObject({ status: 413, errors: [{ code: 10027 }] });
  });
});

it("the release says of itself what package.json says", () => {
  expect(RELEASE).toBe(packageJson.version);
});
