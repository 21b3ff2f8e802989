import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { ControlContext } from "../../src/control/context.ts";
import type { DomainError } from "../../src/domain/errors.ts";
import { accountId, workerLock } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, deployedWorker, SCRIPTS, uploadBody } from "./api-fixture.ts";

type Calls = Record<string, (...args: unknown[]) => unknown>;

/** Locks that refuse what they are asked to deploy, as soon as `because` says why. */
function refusingLocks() {
  const refusing: { because: DomainError | null } = { because: null };
  const overrides: Partial<ControlContext> = {
    workerLock: (id) =>
      new Proxy(workerLock(id), {
        get: (lock, name) =>
          name === "begin" && refusing.because !== null
            ? () => Promise.resolve({ state: "refused", error: refusing.because })
            : (...args: unknown[]) => (lock as unknown as Calls)[name as string]?.(...args),
      }),
  };
  return { refusing, overrides };
}

const auditOf = async (action: string, target: string) => {
  const { results } = await env.DB.prepare(
    "SELECT actor_email, details FROM audit WHERE account_id = ? AND action = ? AND target LIKE ? ORDER BY at, rowid",
  )
    .bind(accountId, action, target)
    .all<{ actor_email: string; details: string }>();
  return results.map((row) => ({ ...row, details: JSON.parse(row.details) as unknown }));
};

describe("an upload whose deployment is refused", () => {
  const paths: [string, (name: string) => [string, string], (tag: string) => unknown][] = [
    [
      "PUT …/scripts/:name",
      (name) => ["PUT", `${SCRIPTS}/${name}`],
      (tag) => uploadBody({ tags: [tag], logpush: true }),
    ],
    [
      "POST …/workers/:name/versions?deploy=true",
      (name) => ["POST", `${ACCOUNT}/workers/workers/${name}/versions?deploy=true`],
      (tag) => ({
        main_module: "index.js",
        compatibility_date: "2026-10-01",
        tags: [tag],
        logpush: true,
        modules: [
          {
            name: "index.js",
            content_type: "application/javascript+module",
            content_base64: btoa("export default { fetch: () => new Response('x') };"),
          },
        ],
      }),
    ],
  ];

  it.each(paths)("%s: leaves settings and traffic, and names its version", async (_, at, body) => {
    const { refusing, overrides } = refusingLocks();
    const client = await apiClient(overrides);
    const name = `p-refused-${paths.findIndex(([, other]) => other === at)}`;
    const { path } = await deployedWorker(client, name, { tags: ["before"] });
    const observe = async () => [
      (await client.call("GET", `${path}/script-settings`)).result,
      (await client.call("GET", `${path}/deployments`)).result,
    ];
    const before = await observe();

    refusing.because = { kind: "lock_queue_full", waiting: 8 };
    const refused = await client.call(...at(name), body("after"));
    expect(refused).toMatchObject({ status: 429, result: null, errors: [{ code: 130030 }] });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await observe()).toEqual(before);
    const { items } = (await client.call("GET", `${path}/versions`)).result;
    const id = items[0].id as string;
    expect(items).toHaveLength(2);
    expect(refused.errors[0]?.meta).toEqual({ version_id: id });
    expect(refused.errors[0]?.message).toBe(
      `The version ${id} was uploaded, but not deployed: 8 changes are already waiting for their turn. Deploy it with wrangler versions deploy ${id}@100%.`,
    );

    refusing.because = null;
    expect(await client.call(...at(name), body("after"))).toMatchObject({ status: 200 });
    const settings = await client.call("GET", `${path}/script-settings`);
    expect(settings.result).toMatchObject({ tags: ["after"], logpush: true });
  });
});

describe("PUT …/scripts/:name", () => {
  it("answers with the deployment's receipt and the settings as they are then", async () => {
    const client = await apiClient();
    const { path } = await deployedWorker(client, "p-receipt", { tags: ["before"] });
    const put = await client.call("PUT", path, uploadBody({ tags: ["after"] }));
    expect(put.result).toMatchObject({ tags: ["after"] });
    const [deployment] = (await client.call("GET", `${path}/deployments`)).result.deployments;
    const receipt = await client.call("GET", `${path}/deployments/${deployment.id}/receipt`);
    expect(put.result.receipt).toEqual(receipt.result);
    expect(put.result.receipt).toMatchObject({ sequence: 2, versions: deployment.versions });
  });

  it("has an etag that says nothing of secret values, and another version id for each", async () => {
    const client = await apiClient();
    const secret = (text: string, name = "KEY") =>
      uploadBody({ bindings: [{ type: "secret_text", name, text }] });
    const put = async (body: FormData) =>
      (await client.call("PUT", `${SCRIPTS}/p-etag`, body)).result;
    const first = await put(secret("0000"));
    const second = await put(secret("0001"));
    expect(second.etag).toBe(first.etag);
    expect(second.deployment_id).not.toBe(first.deployment_id);
    expect((await put(secret("0001", "OTHER"))).etag).not.toBe(first.etag);
  });
});

describe("the audit tells who changed", () => {
  it("a Worker's settings, by whatever call", async () => {
    const client = await apiClient();
    const { path } = await deployedWorker(client, "p-audit");
    const beta = `${ACCOUNT}/workers/workers/p-audit`;
    const { id } = (await client.call("GET", beta)).result;
    await client.call("PATCH", `${path}/script-settings`, { logpush: true });
    await client.call("PUT", `${path}/lease`, { lease_ms: 50 });
    await client.call("PATCH", beta, { tags: ["a"] });
    await client.call("PUT", beta, { name: "p-audit", logpush: true });
    await client.call("PUT", path, uploadBody({ tags: ["b"] }));
    const by = (settings: unknown) => ({
      actor_email: "root@switchback.local",
      details: { worker: "p-audit", settings },
    });
    expect(await auditOf("worker.settings", `worker:${id}`)).toEqual([
      by({ logpush: true }),
      by({ lease: { leaseMs: 50, onIsolation: "last-known", staleMsMax: 600_000 } }),
      by({ tags: ["a"] }),
      by({ logpush: true }),
      by({ tags: ["b"] }),
    ]);
  });

  it("the zones, once for each that was made", async () => {
    const client = await apiClient();
    const made = await client.call("POST", "/client/v4/zones", { name: "audited.example" });
    const again = await client.call("POST", "/client/v4/zones", { name: "audited.example" });
    expect(again.result.id).toBe(made.result.id);
    const rows = await auditOf("zone.create", "zone:%");
    expect(rows.filter(({ details }) => JSON.stringify(details).includes("audited"))).toEqual([
      { actor_email: "root@switchback.local", details: { zone: "audited.example" } },
    ]);
    expect(await auditOf("zone.create", `zone:${made.result.id}`)).toHaveLength(1);
  });
});

it("a Worker's lease settings stay when its other settings are replaced", async () => {
  const client = await apiClient();
  const { path } = await deployedWorker(client, "p-lease");
  await client.call("PUT", `${path}/lease`, { lease_ms: 50 });
  await client.call("PUT", `${ACCOUNT}/workers/workers/p-lease`, { name: "p-lease" });
  const row = await env.DB.prepare("SELECT settings FROM workers WHERE name = 'p-lease'").first<{
    settings: string;
  }>();
  expect(JSON.parse(row?.settings ?? "")).toMatchObject({ lease: { leaseMs: 50 } });
});
