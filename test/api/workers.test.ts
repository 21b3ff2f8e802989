import { beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  MODULE,
  SCRIPTS,
  stateOf,
  type Client,
} from "./api-fixture.ts";

const WORKERS = `${ACCOUNT}/workers/workers`;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

describe("…/workers/workers", () => {
  it("shows a Worker by name and by id, with the addresses that wrangler prints", async () => {
    await deployedWorker(client, "b-show");
    const byName = await client.call("GET", `${WORKERS}/b-show`);
    expect(byName.result).toMatchObject({
      name: "b-show",
      deployed_on: expect.stringMatching(/000Z$/) as string,
      logpush: false,
      tags: [],
      references: { domains: [], workers: [] },
      subdomain: {
        enabled: false,
        previews_enabled: false,
        url: "http://b-show.localhost:8787",
        preview_url_suffix: "-b-show.localhost:8787",
      },
    });
    expect((await client.call("GET", `${WORKERS}/${byName.result.id}`)).result).toEqual(
      byName.result,
    );
  });

  it("leaves the scheme's own port out of addresses", async () => {
    const https = await apiClient(
      {},
      {
        PUBLIC_SCHEME: "https",
        PUBLIC_PORT: "443",
        WORKERS_DOMAIN: "acme.workers.example",
      },
    );
    await deployedWorker(https, "b-port");
    expect((await https.call("GET", `${WORKERS}/b-port`)).result.subdomain).toMatchObject({
      url: "https://b-port.acme.workers.example",
      preview_url_suffix: "-b-port.acme.workers.example",
    });
    const subdomain = await https.call("GET", `${ACCOUNT}/workers/subdomain`);
    expect(subdomain.result).toEqual({ subdomain: "acme" });
  });

  it("makes a Worker without versions, once", async () => {
    const body = { name: "b-made", subdomain: { enabled: true }, tags: ["x"] };
    const made = await client.call("POST", WORKERS, body);
    expect(made.result).toMatchObject({
      name: "b-made",
      deployed_on: null,
      tags: ["x"],
      subdomain: { enabled: true, previews_enabled: false },
    });
    expect(await client.call("POST", WORKERS, body)).toMatchObject({
      status: 400,
      errors: [{ code: 130042 }],
    });
    expect((await client.call("POST", WORKERS, { name: "No" })).errors[0]?.code).toBe(10016);
    expect((await client.call("GET", `${SCRIPTS}/b-made/versions`)).result).toEqual({ items: [] });
  });

  it("PATCH leaves what it does not name, PUT takes it back; neither renames", async () => {
    await client.call("POST", WORKERS, { name: "b-edit", logpush: true, tags: ["x"] });
    const at = `${WORKERS}/b-edit`;
    const patched = await client.call("PATCH", at, { tags: ["y"], subdomain: { enabled: true } });
    expect(patched.result).toMatchObject({
      logpush: true,
      tags: ["y"],
      subdomain: { enabled: true },
    });
    const put = await client.call("PUT", at, { name: "b-edit", tags: ["z"] });
    expect(put.result).toMatchObject({ logpush: false, tags: ["z"], subdomain: { enabled: true } });
    const renamed = await client.call("PATCH", at, { name: "b-other" });
    expect(renamed).toMatchObject({ status: 400, errors: [{ code: 130090 }] });
    expect((await client.call("DELETE", at)).status).toBe(200);
    expect((await client.call("GET", at)).errors[0]?.code).toBe(10007);
  });

  it("lists in pages and in the order asked for", async () => {
    const names = async (query: string) => {
      const { result, result_info } = await client.call("GET", `${WORKERS}?${query}`);
      return { names: result.map((worker: { name: string }) => worker.name), info: result_info };
    };
    const all = (await names("per_page=100")).names as string[];
    expect(all).toEqual(all.toSorted());
    expect((await names("per_page=2&page=1")).names).toEqual(all.slice(0, 2));
    expect((await names(`per_page=2&page=${all.length}`)).names).toEqual([]);
    expect((await names("per_page=100&order=desc")).names).toEqual(all.toReversed());
    expect((await names("order_by=deployed_on&order=desc")).info).toMatchObject({
      total_count: all.length,
    });
    expect((await client.call("GET", `${WORKERS}?order_by=size`)).status).toBe(400);
  });
});

describe("…/workers/workers/:id/versions", () => {
  const body = (code: string) => ({
    main_module: "w.mjs",
    compatibility_date: "2026-10-01",
    modules: [
      { name: "w.mjs", content_type: "application/javascript+module", content_base64: btoa(code) },
    ],
  });

  it("adds a version of base64 modules, and gives their bytes back when asked", async () => {
    await client.call("POST", WORKERS, { name: "b-versions" });
    const posted = await client.call("POST", `${WORKERS}/b-versions/versions`, body(MODULE));
    expect(posted.result).toMatchObject({
      number: 1,
      main_module: "w.mjs",
      source: "api",
      urls: [],
      annotations: { "workers/triggered_by": "version_upload" },
    });
    expect(posted.result).not.toHaveProperty("modules");
    const at = `${WORKERS}/b-versions/versions/${posted.result.id}`;
    expect((await client.call("GET", `${at}?include=modules`)).result.modules).toEqual(
      body(MODULE).modules,
    );
    expect(
      (await client.call("GET", `${SCRIPTS}/b-versions/deployments`)).result.deployments,
    ).toEqual([]);
    const listed = await client.call("GET", `${WORKERS}/b-versions/versions`);
    expect(listed.result).toMatchObject([{ id: posted.result.id }]);
    expect((await client.call("GET", `${WORKERS}/b-versions/versions?page=2`)).result).toEqual([]);
  });

  it("deploys it at 100 % with ?deploy=true", async () => {
    await client.call("POST", WORKERS, { name: "b-deploy" });
    const posted = await client.call(
      "POST",
      `${WORKERS}/b-deploy/versions?deploy=true`,
      body(MODULE),
    );
    const { deployments } = (await client.call("GET", `${SCRIPTS}/b-deploy/deployments`)).result;
    expect(deployments[0].versions).toEqual([{ version_id: posted.result.id, percentage: 100 }]);
  });

  it.each([
    ["not base64", { modules: [{ name: "w.mjs", content_base64: "%%%" }] }, 10021],
    ["modules of another shape", { modules: "w.mjs" }, 130001],
    ["no modules", {}, 10021],
  ])("refuses %s and changes nothing", async (_what, wrong, code) => {
    const { path } = await deployedWorker(client, "b-refused");
    const before = await stateOf(client, path);
    const at = `${WORKERS}/b-refused/versions?deploy=true`;
    const refused = await client.call("POST", at, { main_module: "w.mjs", ...wrong });
    expect(refused).toMatchObject({ status: 400, errors: [{ code }] });
    expect(await stateOf(client, path)).toEqual(before);
  });
});

describe("…/scripts/:name/subdomain", () => {
  it("switches the Worker's host on and off; previews go with it unless said otherwise", async () => {
    const { path, versionId } = await deployedWorker(client, "b-sub");
    const at = `${path}/subdomain`;
    expect((await client.call("GET", at)).result).toEqual({
      enabled: false,
      previews_enabled: false,
    });
    const both = { enabled: true, previews_enabled: true };
    expect((await client.call("POST", at, { enabled: true })).result).toEqual(both);
    expect((await client.call("GET", at)).result).toEqual(both);
    const version = await client.call("GET", `${path}/versions/${versionId}`);
    expect(version.result.metadata).toMatchObject({ has_preview: true, hasPreview: true });
    const beta = await client.call("GET", `${WORKERS}/b-sub/versions/${versionId}`);
    expect(beta.result.urls).toEqual([`http://${versionId.slice(0, 8)}-b-sub.localhost:8787`]);
    const host = { enabled: true, previews_enabled: false };
    expect((await client.call("POST", at, host)).result).toEqual(host);
    const off = { enabled: false, previews_enabled: false };
    expect((await client.call("DELETE", at)).result).toEqual(off);
    expect((await client.call("GET", at)).result).toEqual(off);
  });

  it("refuses what is no switch, and a Worker that is not there", async () => {
    await addVersion(client, (await deployedWorker(client, "b-sub2")).path);
    const refused = await client.call("POST", `${SCRIPTS}/b-sub2/subdomain`, { enabled: "yes" });
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
    const missing = await client.call("POST", `${SCRIPTS}/nobody/subdomain`, { enabled: true });
    expect(missing).toMatchObject({ status: 404, errors: [{ code: 10007 }] });
  });

  it("keeps the account's domain as the operator set it", async () => {
    const at = `${ACCOUNT}/workers/subdomain`;
    expect((await client.call("PUT", at, { subdomain: "localhost" })).status).toBe(200);
    expect((await client.call("PUT", at, { subdomain: "acme" })).errors[0]?.code).toBe(130090);
  });
});
