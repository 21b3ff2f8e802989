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
  service_missing: { kind: "service_missing", binding: "A", service: "b" },
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
  worker_exists: { kind: "worker_exists", name: "w" },
  worker_referenced: { kind: "worker_referenced", by: ["a", "b"] },
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
    expect(shared.toSorted((a, b) => a - b)).toEqual([10021, 10026, 10057]);
  });

  it("never has a status or code by which clients would try or force what stays refused", () => {
    for (const refusal of all) {
      expect([409, 500, 502, 504]).not.toContain(refusal.status);
      expect([10000, 9106, 10220]).not.toContain(codeOf(refusal));
      const isTemporary = refusal.retryAfterSeconds !== undefined;
      if (isTemporary) expect([429, 503]).toContain(refusal.status);
      else if (refusal.kind !== "outcome_unknown") expect(refusal.status).toBeLessThan(429);
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
