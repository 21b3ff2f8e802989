import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { deployableVersionsMax } from "../../src/control/config.ts";
import {
  ACCOUNT,
  apiClient,
  SCRIPTS,
  uploadBody,
  type Answer,
  type Client,
} from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

const CODE = "export default { fetch() { return new Response('x'); } };";
const idOf = ({ result }: Answer): string => String(result.deployment_id ?? result.id);
const putScript = async (name: string, metadata: Record<string, unknown> = {}) =>
  idOf(await client.call("PUT", `${SCRIPTS}/${name}`, uploadBody(metadata, { "index.js": CODE })));
const upload = async (name: string, metadata: Record<string, unknown> = {}) =>
  idOf(
    await client.call(
      "POST",
      `${SCRIPTS}/${name}/versions`,
      uploadBody(metadata, { "index.js": CODE }),
    ),
  );
const deploy = (name: string, query: string, ...shares: readonly (readonly [string, number])[]) =>
  client.call("POST", `${SCRIPTS}/${name}/deployments${query}`, {
    versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
  });
const rollBack = (
  name: string,
  body: object = {},
  headers: Record<string, string> = {},
  query = "",
) => client.call("POST", `${SCRIPTS}/${name}/rollbacks${query}`, body, headers);
const codes = ({ status, errors }: Answer) => [status, ...errors.map(({ code }) => code)];
const historyOf = async (name: string) =>
  (await client.call("GET", `${SCRIPTS}/${name}/deployments?per_page=100`)).result.deployments;
const servedBy = async (name: string) => (await historyOf(name))[0].versions[0].version_id;
const tagged = (tag: string) => ({ annotations: { "workers/tag": tag } });
const key = (text: string) => ({ bindings: [{ type: "secret_text", name: "KEY", text }] });

describe("POST …/rollbacks", () => {
  it("goes to what was fully deployed last, and two in a row never return to what was left", async () => {
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push(await putScript("rb-chain"));
    const [one, two, three, four] = ids;
    const first = await rollBack("rb-chain", { message: "it burns" });
    expect(first).toMatchObject({
      status: 200,
      result: {
        annotations: {
          "workers/triggered_by": "rollback",
          "workers/rollback_from": four,
          "workers/message": "it burns",
        },
        versions: [{ version_id: three, percentage: 100 }],
        receipt: { sequence: 5 },
      },
    });
    expect((await rollBack("rb-chain")).result.versions[0].version_id).toBe(two);
    expect((await rollBack("rb-chain")).result.versions[0].version_id).toBe(one);
    const before = await historyOf("rb-chain");
    expect(codes(await rollBack("rb-chain"))).toEqual([404, 130058]);
    expect(await historyOf("rb-chain")).toEqual(before);
    // Forward again: the chain is over.
    await deploy("rb-chain", "", [four ?? "", 100]);
    expect((await rollBack("rb-chain")).result.versions[0].version_id).toBe(one);
  });

  it("never returns to what it left, in whatever order versions were uploaded and deployed; an empty body will do", async () => {
    const one = await putScript("rb-order");
    const two = await upload("rb-order");
    const three = await putScript("rb-order");
    await deploy("rb-order", "", [two, 100]);
    await deploy("rb-order", "", [three, 100]);
    await deploy("rb-order", "", [two, 100]);
    const first = await client.call("POST", `${SCRIPTS}/rb-order/rollbacks`);
    expect(first.result.versions[0].version_id).toBe(one);
    await deploy("rb-order", "", [three, 100]);
    const other = await upload("rb-order");
    expect(other).not.toBe(one);
    await client.call("POST", `${SCRIPTS}/rb-order/rollbacks`);
    expect(await servedBy("rb-order")).toBe(one);
  });

  it("to a version with a higher number leaves what it left all the same", async () => {
    const one = await putScript("rb-up");
    const two = await upload("rb-up");
    const three = await putScript("rb-up");
    await deploy("rb-up", "", [two, 100]);
    const up = await rollBack("rb-up");
    expect(up.result).toMatchObject({
      annotations: { "workers/triggered_by": "rollback", "workers/rollback_from": two },
      versions: [{ version_id: three }],
    });
    expect((await rollBack("rb-up")).result.versions[0].version_id).toBe(one);
  });

  it("goes from a split to the last version that had all of the traffic", async () => {
    const one = await putScript("rb-split");
    const two = await putScript("rb-split");
    const three = await upload("rb-split");
    await deploy("rb-split", "", [two, 90], [three, 10]);
    expect((await rollBack("rb-split")).result.versions[0].version_id).toBe(one);
  });

  it("goes to a version by its id or by a tag that one version has", async () => {
    const one = await putScript("rb-tag", tagged("v1"));
    await putScript("rb-tag", tagged("twice"));
    await putScript("rb-tag", tagged("twice"));
    expect((await rollBack("rb-tag", { target: "v1" })).result.versions[0].version_id).toBe(one);
    const ambiguous = await rollBack("rb-tag", { target: "twice" });
    expect(codes(ambiguous)).toEqual([400, 130028]);
    expect(ambiguous.errors[0]?.meta).toMatchObject({ tag: "twice" });
    expect(codes(await rollBack("rb-tag", { target: "never" }))).toEqual([404, 130059]);
    expect(codes(await rollBack("rb-tag", { target: crypto.randomUUID() }))).toEqual([404, 100146]);
    expect(codes(await rollBack("rb-tag", { target: "" }))).toEqual([400, 130001]);
    expect(codes(await rollBack("rb-tag", { version: one }))).toEqual([400, 130001]);
  });

  it("with an Idempotency-Key is made once, whatever `previous` would be by then", async () => {
    for (let n = 0; n < 3; n++) await putScript("rb-once");
    const headers = { "idempotency-key": "page-1" };
    const first = await rollBack("rb-once", {}, headers);
    const again = await rollBack("rb-once", {}, headers);
    expect(again.result).toEqual(first.result);
    expect(codes(await rollBack("rb-once", { target: "v9" }, headers))).toEqual([422, 130033]);
    expect(await historyOf("rb-once")).toHaveLength(4);
  });

  it("with If-Match is refused once another deployment is current", async () => {
    await putScript("rb-match");
    const stale = (await historyOf("rb-match"))[0].id;
    await putScript("rb-match");
    expect(codes(await rollBack("rb-match", {}, { "if-match": stale }))).toEqual([412, 130026]);
    const fresh = (await historyOf("rb-match"))[0].id;
    expect((await rollBack("rb-match", {}, { "if-match": fresh })).status).toBe(200);
  });

  it("is what rollback-target said, with why, what was skipped, and what would refuse it", async () => {
    const one = await putScript("rb-target", tagged("v1"));
    const two = await putScript("rb-target", key("a"));
    const target = async () =>
      (await client.call("GET", `${SCRIPTS}/rb-target/rollback-target`)).result;
    expect(await target()).toMatchObject({
      version_id: one,
      number: 1,
      tag: "v1",
      last_fully_deployed: { sequence: 1 },
      skipped: [{ version_id: two, reason: "current" }],
      refusals: [{ code: 10220 }],
    });
    expect(codes(await rollBack("rb-target"))).toEqual([400, 10220]);
    expect((await rollBack("rb-target", {}, {}, "?force=true")).result.versions[0].version_id).toBe(
      one,
    );
    const missing = await client.call("GET", `${SCRIPTS}/rb-target/rollback-target`);
    expect(codes(missing)).toEqual([404, 130058]);
  });
});

describe("changed secrets", () => {
  it.each([
    ["a value", key("old"), key("new")],
    ["presence", {}, key("new")],
    ["absence", key("old"), {}],
  ])("ask before going back over them (%s), and force answers", async (what, then, now) => {
    const name = `sc-${what.replace(" ", "-")}`;
    const one = await putScript(name, then);
    const two = await putScript(name, now);
    const refused = await deploy(name, "", [one, 100]);
    expect(codes(refused)).toEqual([400, 10220]);
    expect(refused.errors[0]?.message).toMatch(/The following secrets have changed: KEY$/);
    expect(JSON.stringify(refused)).not.toMatch(/old|new"/);
    expect(await servedBy(name)).toBe(two);
    expect((await deploy(name, "?force=true", [one, 100])).status).toBe(200);
  });

  it("do not stand against a newer version, a version that serves, or the same values", async () => {
    const one = await putScript("sc-forward", key("a"));
    const two = await upload("sc-forward", key("b"));
    const three = await upload("sc-forward", key("a"));
    expect((await deploy("sc-forward", "", [one, 50], [two, 50])).status).toBe(200);
    expect((await deploy("sc-forward", "", [one, 100])).status).toBe(200);
    expect((await deploy("sc-forward", "", [three, 100])).status).toBe(200);
    expect((await deploy("sc-forward", "", [one, 100])).status).toBe(200);
  });

  it("that were revoked are never brought back, forced or not; the code can be uploaded anew", async () => {
    const one = await putScript("sc-revoked", key("leaked"));
    await client.call("PUT", `${SCRIPTS}/sc-revoked/secrets`, {
      name: "KEY",
      text: "fresh",
      type: "secret_text",
    });
    const two = await servedBy("sc-revoked");
    const revoked = await client.call("PUT", `${SCRIPTS}/sc-revoked/revoked-secrets/KEY`);
    expect(revoked).toMatchObject({
      status: 200,
      result: { name: "KEY", revoked_through_number: 2 },
    });
    for (const query of ["", "?force=true"]) {
      const refused = await deploy("sc-revoked", query, [one, 100]);
      expect(refused.errors[0]).toMatchObject({ code: 130054, meta: { secrets: ["KEY"] } });
      expect(refused.status).toBe(400);
    }
    expect(await servedBy("sc-revoked")).toBe(two);
    // A version that has the value that serves restores nothing.
    const three = await putScript("sc-revoked", { keep_bindings: ["secret_text"] });
    expect((await deploy("sc-revoked", "", [two, 100])).status).toBe(200);
    expect(three).not.toBe(two);
    expect((await client.call("DELETE", `${SCRIPTS}/sc-revoked/revoked-secrets/KEY`)).status).toBe(
      200,
    );
    expect((await deploy("sc-revoked", "?force=true", [one, 100])).status).toBe(200);
    const unknown = await client.call("PUT", `${SCRIPTS}/sc-revoked/revoked-secrets/NEVER`);
    expect(codes(unknown)).toEqual([404, 10056]);
  });
});

describe("a revoked value", () => {
  it("does not come back by a detour over a version without the secret, nor in a version that was never deployed", async () => {
    const without = await putScript("sc-detour");
    const leaked = await putScript("sc-detour", key("leaked"));
    const waiting = await upload("sc-detour", key("leaked"));
    await putScript("sc-detour", key("fresh"));
    await client.call("PUT", `${SCRIPTS}/sc-detour/revoked-secrets/KEY`);
    expect((await deploy("sc-detour", "?force=true", [without, 100])).status).toBe(200);
    for (const target of [leaked, waiting]) {
      expect(codes(await deploy("sc-detour", "?force=true", [target, 100]))).toEqual([400, 130054]);
    }
    expect(await servedBy("sc-detour")).toBe(without);
    const anew = await upload("sc-detour", key("newer"));
    expect((await deploy("sc-detour", "", [anew, 100])).status).toBe(200);
  });

  it("is not what altered secrets are: those are refused with 130057, not with a fault", async () => {
    const one = await putScript("sc-altered", key("a"));
    await putScript("sc-altered", key("a"));
    await env.DB.prepare("UPDATE versions SET sealed_secrets = ? WHERE id = ?")
      .bind('{"keyId":"k1","wrappedKey":"AAAA","values":{}}', one)
      .run();
    expect(codes(await deploy("sc-altered", "?force=true", [one, 100]))).toEqual([400, 130057]);
  });
});

describe("what a version is bound to and is gone", () => {
  it("refuses it, names all of it with a way back each, and the decisive reason first", async () => {
    const kv = await client.call("POST", `${ACCOUNT}/storage/kv/namespaces`, { title: "sessions" });
    await client.call("POST", `${ACCOUNT}/r2/buckets`, { name: "gone-bucket" });
    await client.call("POST", `${ACCOUNT}/queues`, { queue_name: "gone-queue" });
    await putScript("gone-service");
    const bindings = [
      { type: "kv_namespace", name: "KV", namespace_id: kv.result.id },
      { type: "r2_bucket", name: "FILES", bucket_name: "gone-bucket" },
      { type: "queue", name: "QUEUE", queue_name: "gone-queue" },
      { type: "service", name: "OTHER", service: "gone-service" },
      { type: "service", name: "SELF", service: "gone" },
      { type: "secret_text", name: "KEY", text: "a" },
    ];
    await putScript("gone");
    const one = await putScript("gone", { bindings });
    const two = await putScript("gone");
    expect((await deploy("gone", "?force=true", [one, 50], [two, 50])).status).toBe(200);
    await client.call("DELETE", `${ACCOUNT}/storage/kv/namespaces/${kv.result.id}?force=true`);
    await client.call("DELETE", `${ACCOUNT}/r2/buckets/gone-bucket?force=true`);
    const queues = await client.call("GET", `${ACCOUNT}/queues?name=gone-queue`);
    await client.call("DELETE", `${ACCOUNT}/queues/${queues.result[0].queue_id}?force=true`);
    await client.call("DELETE", `${SCRIPTS}/gone-service?force=true`);
    // It serves, so its share may change.
    expect((await deploy("gone", "", [one, 10], [two, 90])).status).toBe(200);
    expect((await deploy("gone", "", [two, 100])).status).toBe(200);

    const refused = await deploy("gone", "", [one, 100]);
    expect(codes(refused)).toEqual([400, 130053, 10220]);
    expect(refused.errors[0]?.meta).toMatchObject({
      version_id: one,
      missing: [
        { binding: "FILES", type: "r2_bucket", resource: "gone-bucket" },
        { binding: "KV", type: "kv_namespace", title: "sessions" },
        { binding: "OTHER", type: "service", resource: "gone-service" },
        { binding: "QUEUE", type: "queue", resource: "gone-queue" },
      ],
    });
    expect(refused.errors[0]?.message).toMatch(/wrangler r2 bucket create gone-bucket/);
    expect(codes(await deploy("gone", "?force=true", [one, 100]))).toEqual([400, 130053]);
    expect(await servedBy("gone")).toBe(two);

    await client.call("POST", `${ACCOUNT}/r2/buckets`, { name: "gone-bucket" });
    const less = await deploy("gone", "?force=true", [one, 100]);
    expect(less.errors[0]?.message).not.toContain("gone-bucket");
  });
});

describe("the most recently uploaded versions", () => {
  it.each([10, 100])(
    "are those that may be deployed where %i is the limit, and no others",
    async (max) => {
      const name = `recent-${max}`;
      const oldest = await putScript(name);
      const second = await upload(name);
      for (let n = 2; n < max; n++) await upload(name);
      const newest = await putScript(name);
      await client.call("PUT", `${SCRIPTS}/${name}/deployable-versions`, { max });
      const state = await client.call("GET", `${SCRIPTS}/${name}/deployable-versions`);
      expect(state.result).toEqual({
        max,
        effective_max: max,
        newest_number: max + 1,
        oldest_number: 2,
      });
      const refused = await deploy(name, "?force=true", [oldest, 100]);
      expect(codes(refused)).toEqual([400, 130052]);
      expect(refused.errors[0]?.meta).toMatchObject({ number: 1, max, oldest_number: 2 });
      expect(await servedBy(name)).toBe(newest);
      const listed = await client.call("GET", `${SCRIPTS}/${name}/versions?deployable=true`);
      const ids = listed.result.items.map(({ id }: { id: string }) => id);
      expect(ids).toHaveLength(max);
      expect(ids.at(-1)).toBe(second);
      expect((await deploy(name, "", [second, 100])).status).toBe(200);
      await client.call("PUT", `${SCRIPTS}/${name}/deployable-versions`, { max: null });
      expect((await deploy(name, "", [oldest, 100])).status).toBe(200);
    },
  );

  it("are limited by the installation where the Worker says nothing", async () => {
    const limited = await apiClient({}, { DEPLOYABLE_VERSIONS_MAX: "1" } as Partial<Env>);
    const state = await limited.call("GET", `${SCRIPTS}/recent-10/deployable-versions`);
    expect(state.result).toMatchObject({ max: null, effective_max: 1, oldest_number: 11 });
    expect(deployableVersionsMax({ DEPLOYABLE_VERSIONS_MAX: "1000000" })).toBe(1_000_000);
    expect(() => deployableVersionsMax({ DEPLOYABLE_VERSIONS_MAX: "1000001" })).toThrow(/0 to/);
    const bad = await limited.call("PUT", `${SCRIPTS}/recent-10/deployable-versions`, { max: -1 });
    expect(codes(bad)).toEqual([400, 130001]);
  });
});

describe("a rollback's warnings", () => {
  it("are in its answer and stay with the deployment", async () => {
    const kv = await client.call("POST", `${ACCOUNT}/storage/kv/namespaces`, { title: "kept" });
    const bindings = [{ type: "kv_namespace", name: "KV", namespace_id: kv.result.id }];
    await putScript("warned", { bindings, compatibility_date: "2026-01-01" });
    await putScript("warned", { bindings, compatibility_date: "2026-09-01" });
    await client.call("PUT", `${SCRIPTS}/warned/schedules`, [{ cron: "0 3 * * *" }]);
    const made = await rollBack("warned");
    expect(made.messages.map(({ code }) => code)).toEqual([130101, 130104, 130106]);
    expect(made.messages[1]?.message).toContain("from 2026-09-01 to 2026-01-01");
    const [kept] = await historyOf("warned");
    expect(kept.warnings).toMatchObject([
      { code: 130101, resources: [{ binding: "KV", type: "kv_namespace" }] },
      { code: 130104 },
      { code: 130106, crons: 1, routes: 0 },
    ]);
    const forward = await putScript("warned", { bindings });
    expect((await deploy("warned", "", [forward, 100])).messages).toEqual([]);
  });
});
