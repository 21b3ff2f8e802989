/** The official `cloudflare` SDK, unmodified: its requests as it sends them, its errors by HTTP status. */
import {
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  toFile,
  type Uploadable,
} from "cloudflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf, versionsOf } from "./support/api-state.ts";
import { says } from "./support/project.ts";
import { ACCOUNT_ID, TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const account_id = ACCOUNT_ID;
const NAME = "sdk-made";
const UNKNOWN = "00000000-0000-4000-8000-000000000000";
const body = async () => (await host.visit(`${NAME}.localhost`)).body;
const all = (versionId: string | undefined) => [{ percentage: 100, version_id: versionId ?? "" }];

const module = (source: string): Promise<Uploadable> =>
  toFile(Buffer.from(source), "worker.mjs", { type: "application/javascript+module" });

describe("the cloudflare SDK", () => {
  let first = "";
  let second = "";

  test("scripts.update uploads and deploys, though its body calls itself JavaScript", async () => {
    const script = await host.sdk().workers.scripts.update(NAME, {
      account_id,
      metadata: { main_module: "worker.mjs", compatibility_date: "2026-10-01" },
      files: [await module(says("first"))],
    });
    expect(script).toMatchObject({ id: NAME, handlers: ["fetch"] });
    const made = await versionsOf(host, NAME);
    expect(made).toHaveLength(1);
    first = made[0]?.id ?? "";
    await host.sdk().workers.scripts.subdomain.create(NAME, {
      account_id,
      enabled: true,
      previews_enabled: true,
    });
    expect(await body()).toBe("first");
  });

  test("versions.create understands its bracketed fields, bindings and annotations among them", async () => {
    const source = `export default { fetch: (request, env) => Response.json([env.ONE, env.TWO]) };`;
    const version = await host.sdk().workers.scripts.versions.create(NAME, {
      account_id,
      metadata: {
        main_module: "worker.mjs",
        compatibility_date: "2026-10-01",
        compatibility_flags: ["nodejs_compat"],
        annotations: { "workers/message": "by the SDK", "workers/tag": "v2" },
        bindings: [
          { name: "ONE", type: "plain_text", text: "1" },
          { name: "TWO", type: "plain_text", text: "2" },
        ],
      },
      files: [await module(source)],
    });
    second = version.id ?? "";
    expect(await body()).toBe("first");
    expect((await host.visit(`${second.slice(0, 8)}-${NAME}.localhost`)).body).toBe('["1","2"]');
    const got = await host
      .sdk()
      .workers.scripts.versions.get(second, { account_id, script_name: NAME });
    expect(got).toMatchObject({
      id: second,
      number: 2,
      annotations: { "workers/message": "by the SDK", "workers/tag": "v2" },
      resources: { script_runtime: { compatibility_flags: ["nodejs_compat"] } },
    });
  });

  test("versions.list walks all pages and ends", async () => {
    const numbers: (number | undefined)[] = [];
    const pages = host.sdk().workers.scripts.versions.list(NAME, { account_id, per_page: 1 });
    for await (const { number } of pages) numbers.push(number);
    expect(numbers).toEqual([2, 1]);
  });

  test("deployments.create splits and moves traffic, with an answer that names the deployment", async () => {
    const made = await host.sdk().workers.scripts.deployments.create(NAME, {
      account_id,
      strategy: "percentage",
      versions: all(second),
      annotations: { "workers/message": "go" },
    });
    const visit = await host.visit(`${NAME}.localhost`);
    expect(visit.body).toBe('["1","2"]');
    expect(visit.headers["x-switchback-deployment"]).toBe(made.id);
    expect(made).toMatchObject({
      strategy: "percentage",
      source: "api",
      versions: all(second),
      annotations: { "workers/message": "go" },
    });
    const got = await host
      .sdk()
      .workers.scripts.deployments.get(made.id, { account_id, script_name: NAME });
    // Beside its receipt, which has a path of its own, the answer is the deployment.
    expect(made).toMatchObject({ ...got });
    const listed = await host.sdk().workers.scripts.deployments.list(NAME, { account_id });
    // The SDK's type has no `deployments` there, though that is where its users find them.
    expect(listed.result).toMatchObject({
      deployments: (await deploymentsOf(host, NAME)).map(({ id }) => ({ id })),
    });
  });

  test("deployments.delete removes a past one and refuses the current one", async () => {
    const [current, past] = await deploymentsOf(host, NAME);
    const sdk = host.sdk().workers.scripts.deployments;
    await expect(
      sdk.delete(current?.id ?? "", { account_id, script_name: NAME }),
    ).rejects.toBeInstanceOf(BadRequestError);
    expect(await deploymentsOf(host, NAME)).toHaveLength(2);
    await sdk.delete(past?.id ?? "", { account_id, script_name: NAME });
    expect((await deploymentsOf(host, NAME)).map(({ id }) => id)).toEqual([current?.id]);
    expect(await body()).toBe('["1","2"]');
  });

  test("refusals are the SDK's error classes, and change nothing", async () => {
    const before = await deploymentsOf(host, NAME);
    const deploy = (versions: { percentage: number; version_id: string }[]) =>
      host
        .sdk()
        .workers.scripts.deployments.create(NAME, { account_id, strategy: "percentage", versions });
    await expect(
      deploy([
        { percentage: 50, version_id: first },
        { percentage: 49, version_id: second },
      ]),
    ).rejects.toBeInstanceOf(BadRequestError);
    await expect(
      deploy([
        { percentage: 50, version_id: first },
        { percentage: 50, version_id: first },
      ]),
    ).rejects.toBeInstanceOf(BadRequestError);
    await expect(deploy(all(UNKNOWN))).rejects.toBeInstanceOf(NotFoundError);
    await expect(
      host.sdk().workers.scripts.versions.get(UNKNOWN, { account_id, script_name: NAME }),
    ).rejects.toBeInstanceOf(NotFoundError);
    await expect(
      host.sdk().workers.scripts.deployments.list("nobody", { account_id }),
    ).rejects.toBeInstanceOf(NotFoundError);
    await expect(
      host.sdk({ token: "wrong" }).workers.scripts.deployments.list(NAME, { account_id }),
    ).rejects.toBeInstanceOf(PermissionDeniedError);
    expect(await deploymentsOf(host, NAME)).toEqual(before);
  });

  test("scripts.list and scripts.get know the Worker and its code", async () => {
    const names: (string | undefined)[] = [];
    for await (const { id } of host.sdk().workers.scripts.list({ account_id })) names.push(id);
    expect(names).toEqual([NAME]);
    expect(await host.sdk().workers.scripts.get(NAME, { account_id })).toContain("env.TWO");
  });

  test("subdomain switches the Worker's own host and its previews off and on", async () => {
    const { subdomain } = host.sdk().workers.scripts;
    await subdomain.create(NAME, { account_id, enabled: false, previews_enabled: false });
    expect((await host.visit(`${NAME}.localhost`)).status).toBe(404);
    expect((await host.visit(`${second.slice(0, 8)}-${NAME}.localhost`)).status).toBe(404);
    await subdomain.create(NAME, { account_id, enabled: true, previews_enabled: true });
    expect(await subdomain.get(NAME, { account_id })).toMatchObject({
      enabled: true,
      previews_enabled: true,
    });
    expect(await body()).toBe('["1","2"]');
  });

  test("routes and domains serve the Worker as soon as their call returns", async () => {
    const zone = await host
      .sdk()
      .zones.create({ account: { id: account_id }, name: "sdk.example" });
    const route = await host
      .sdk()
      .workers.routes.create({ zone_id: zone.id, pattern: "www.sdk.example/*", script: NAME });
    expect((await host.visit("www.sdk.example")).body).toBe('["1","2"]');
    const listed = await host.sdk().workers.routes.list({ zone_id: zone.id });
    expect(listed.result).toMatchObject([{ pattern: "www.sdk.example/*", script: NAME }]);
    await host.sdk().workers.routes.delete(route.id, { zone_id: zone.id });
    expect((await host.visit("www.sdk.example")).status).toBe(404);

    const domain = await host
      .sdk()
      .workers.domains.update({ account_id, hostname: "app.sdk.example", service: NAME });
    expect((await host.visit("app.sdk.example", "/any")).body).toBe('["1","2"]');
    await host.sdk().workers.domains.delete(domain.id ?? "", { account_id });
    expect((await host.visit("app.sdk.example")).status).toBe(404);
  });

  test("the beta API makes a Worker and deploys a version of base64 modules", async () => {
    const { workers } = host.sdk().workers.beta;
    const worker = await workers.create({
      account_id,
      name: "beta-made",
      subdomain: { enabled: true },
    });
    expect((await host.visit("beta-made.localhost")).headers["x-switchback-error"]).toBe(
      "no_deployment",
    );
    const version = await workers.versions.create(worker.id, {
      account_id,
      deploy: true,
      main_module: "worker.mjs",
      compatibility_date: "2026-10-01",
      modules: [
        {
          name: "worker.mjs",
          content_type: "application/javascript+module",
          content_base64: Buffer.from(says("beta")).toString("base64"),
        },
      ],
    });
    const visit = await host.visit("beta-made.localhost");
    expect(visit.body).toBe("beta");
    expect(visit.headers["x-switchback-version"]).toBe(version.id);
    expect((await workers.get("beta-made", { account_id })).id).toBe(worker.id);
    await workers.delete(worker.id, { account_id });
    expect((await host.visit("beta-made.localhost")).headers["x-switchback-error"]).toBe(
      "no_such_host",
    );
  });

  test("scripts.delete ends the Worker", async () => {
    await host.sdk().workers.scripts.delete(NAME, { account_id });
    expect((await host.visit(`${NAME}.localhost`)).status).toBe(404);
    await expect(
      host.sdk().workers.scripts.versions.get(first, { account_id, script_name: NAME }),
    ).rejects.toBeInstanceOf(NotFoundError);
  });
});
