import { beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  MODULE,
  SCRIPTS,
  split,
  stateOf,
  uploadBody,
  type Client,
} from "./api-fixture.ts";
import { SDK_SCRIPT_UPDATE } from "./captured-uploads.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

describe("PUT …/scripts/:name", () => {
  it("makes the Worker, its first version and its first deployment in one call", async () => {
    const put = await client.call(
      "PUT",
      `${SCRIPTS}/s-new?excludeScript=true&bindings_inherit=strict`,
      uploadBody({ logpush: true, observability: { enabled: true }, tags: ["team:web"] }),
      { "user-agent": "wrangler/4.155.0" },
    );
    expect(put).toMatchObject({ status: 200, errors: [], messages: [] });
    expect(put.result).toMatchObject({
      id: "s-new",
      tag: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      etag: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      handlers: ["fetch"],
      startup_time_ms: 3,
      entry_point: "index.js",
      last_deployed_from: "wrangler",
      logpush: true,
      tags: ["team:web"],
    });
    const path = `${SCRIPTS}/s-new`;
    const [deployments, versions] = await stateOf(client, path);
    expect(deployments.deployments).toMatchObject([
      {
        annotations: {
          "workers/triggered_by": "upload",
          "workers/message": "Automatic deployment on upload.",
        },
        versions: [{ version_id: put.result.deployment_id, percentage: 100 }],
      },
    ]);
    expect(versions.items).toMatchObject([
      { number: 1, annotations: { "workers/triggered_by": "upload" } },
    ]);
  });

  it("keeps settings that a later upload does not name", async () => {
    const { path } = await deployedWorker(client, "s-again", { logpush: true });
    await deployedWorker(client, "s-again");
    expect((await client.call("GET", `${path}/script-settings`)).result.logpush).toBe(true);
  });

  it("understands the SDK's body, whatever it calls itself", async () => {
    const { body, contentType } = SDK_SCRIPT_UPDATE;
    const put = await client.call("PUT", `${SCRIPTS}/s-sdk`, body, { "content-type": contentType });
    expect(put.result).toMatchObject({ id: "s-sdk", entry_point: "w.mjs" });
  });

  it("takes service worker syntax, which only versions refuse", async () => {
    const form = new FormData();
    form.append("metadata", JSON.stringify({ body_part: "script" }));
    form.append(
      "script",
      new File(["addEventListener('fetch', () => {})"], "script", {
        type: "application/javascript",
      }),
    );
    expect((await client.call("PUT", `${SCRIPTS}/s-sw`, form)).errors).toEqual([]);
  });

  it("lets both of two first uploads at the same time succeed", async () => {
    const puts = await Promise.all([
      client.call("PUT", `${SCRIPTS}/s-race`, uploadBody()),
      client.call("PUT", `${SCRIPTS}/s-race`, uploadBody()),
    ]);
    expect(puts.map((put) => put.status)).toEqual([200, 200]);
    expect(puts[0]?.result.tag).toBe(puts[1]?.result.tag);
    const { result } = await client.call("GET", `${SCRIPTS}/s-race/versions`);
    expect(result.items).toHaveLength(2);
  });

  it.each([["Bad"], ["-dash"], ["a.b"], ["x".repeat(64)], ["%20"]])(
    "refuses the name %s: 400, 10016, and makes nothing",
    async (name) => {
      const refused = await client.call("PUT", `${SCRIPTS}/${name}`, uploadBody());
      expect(refused).toMatchObject({ status: 400, errors: [{ code: 10016 }] });
      expect((await client.call("GET", `${SCRIPTS}/${name}/versions`)).status).toBe(404);
    },
  );

  it("makes no Worker of an upload that cannot start", async () => {
    const refused = await client.call(
      "PUT",
      `${SCRIPTS}/s-broken`,
      uploadBody({}, { "index.js": "throw at start" }),
    );
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 10021 }] });
    expect((await client.call("GET", `${ACCOUNT}/workers/services/s-broken`)).status).toBe(404);
  });
});

describe("GET …/scripts", () => {
  it("lists the Workers by name, with what their latest versions say", async () => {
    await deployedWorker(client, "s-list-b");
    const { path } = await deployedWorker(client, "s-list-a");
    await addVersion(client, path, { compatibility_date: "2026-10-02" });
    const { result, result_info } = await client.call("GET", SCRIPTS);
    const names = result.map((script: { id: string }) => script.id) as string[];
    expect(names).toEqual(names.toSorted());
    expect(result_info).toMatchObject({ total_count: names.length });
    expect(result[names.indexOf("s-list-a")]).toMatchObject({
      handlers: ["fetch"],
      compatibility_date: "2026-10-02",
    });
  });

  it("gives the code of the latest version, by itself and as a form", async () => {
    const { path } = await deployedWorker(client, "s-code");
    const modules = { "index.js": `${MODULE}//2`, "lib/a.js": "export {}" };
    await client.call("POST", `${path}/versions`, uploadBody({}, modules));
    const content = await client.raw("GET", path);
    expect(content.headers.get("content-type")).toBe("application/javascript+module");
    expect(await content.text()).toBe(`${MODULE}//2`);
    const v2 = await client.raw("GET", `${path}/content/v2`);
    expect(v2.headers.get("cf-entrypoint")).toBe("index.js");
    const form = await v2.formData();
    expect([...form.keys()]).toEqual(["index.js", "lib/a.js"]);
  });

  it("has no code of a Worker without versions: 404, 10222", async () => {
    await client.call("POST", `${ACCOUNT}/workers/workers`, { name: "s-empty" });
    expect(await client.call("GET", `${SCRIPTS}/s-empty`)).toMatchObject({
      status: 404,
      errors: [{ code: 10222 }],
    });
  });
});

describe("settings", () => {
  it("PATCH …/script-settings changes what it names and makes no version", async () => {
    const { path } = await deployedWorker(client, "s-settings");
    const tail = { tail_consumers: [{ service: "tail" }] };
    await client.call("PATCH", `${path}/script-settings`, { ...tail, logpush: true });
    const patched = await client.call("PATCH", `${path}/script-settings`, {
      observability: { enabled: false },
      tags: ["cf:service=s"],
    });
    const settings = {
      logpush: true,
      observability: { enabled: false },
      tags: ["cf:service=s"],
      ...tail,
    };
    expect(patched.result).toEqual(settings);
    expect((await client.call("GET", `${path}/script-settings`)).result).toEqual(settings);
    expect((await client.call("GET", `${path}/versions`)).result.items).toHaveLength(1);
    expect((await client.call("GET", `${path}/settings`)).result).toMatchObject({
      ...settings,
      bindings: [],
      compatibility_date: "2026-10-01",
      usage_model: "standard",
    });
  });

  it.each([
    [{ tags: "x" }],
    [{ logpush: "yes" }],
    [{ tail_consumers: [1] }],
    [{ observability: { x: "y".repeat(70_000) } }],
  ])("refuses settings of another shape, and keeps what was (%#)", async (body) => {
    const { path } = await deployedWorker(client, "s-badsettings");
    const before = await stateOf(client, path);
    const refused = await client.call("PATCH", `${path}/script-settings`, body);
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
    expect(await stateOf(client, path)).toEqual(before);
  });
});

describe("…/services", () => {
  it("shows what wrangler reads before a deploy", async () => {
    await deployedWorker(client, "s-service", { tags: ["a"] });
    const { result } = await client.call("GET", `${ACCOUNT}/workers/services/s-service`);
    expect(result).toMatchObject({
      id: "s-service",
      default_environment: {
        environment: "production",
        script: {
          id: "s-service",
          tags: ["a"],
          last_deployed_from: "api",
          tag: expect.any(String) as string,
        },
      },
      environments: [{ environment: "production" }],
    });
    const at = `${ACCOUNT}/workers/services/s-service/environments`;
    expect((await client.call("GET", `${at}/production`)).result).toEqual(
      result.default_environment,
    );
    expect(await client.call("GET", `${at}/staging`)).toMatchObject({
      status: 404,
      errors: [{ code: 10092 }],
    });
  });

  it("knows a Worker that is not there by 10090: wrangler then makes it", async () => {
    expect(await client.call("GET", `${ACCOUNT}/workers/services/nobody`)).toMatchObject({
      status: 404,
      errors: [{ code: 10090, message: "workers.api.error.service_not_found" }],
    });
  });
});

describe("deleting a Worker", () => {
  it.each([[`${ACCOUNT}/workers/services/s-gone?force=false`], [`${SCRIPTS}/s-gone`]])(
    "by %s, it and all that is its are gone, and its name is free",
    async (by) => {
      const { path, versionId } = await deployedWorker(client, "s-gone");
      expect(await client.call("DELETE", by)).toMatchObject({ status: 200, result: null });
      for (const at of [
        `${path}/versions/${versionId}`,
        `${path}/deployments`,
        `${path}/settings`,
      ]) {
        expect((await client.call("GET", at)).status).toBe(404);
      }
      expect((await client.call("DELETE", by)).status).toBe(404);
      const again = await deployedWorker(client, "s-gone");
      expect(again.versionId).not.toBe(versionId);
      const refused = await client.call("POST", `${path}/deployments`, split([versionId, 100]));
      expect(refused.success).toBe(false);
      await client.call("DELETE", by);
    },
  );

  it("is refused while another Worker's service binding leads to it, unless forced", async () => {
    const { path } = await deployedWorker(client, "s-target");
    await deployedWorker(client, "s-caller", {
      bindings: [{ name: "SVC", type: "service", service: "s-target" }],
    });
    const references = (await client.call("GET", `${path}/references`)).result;
    expect(references).toEqual({
      services: {
        incoming: [{ service: "s-caller", environment: "production", name: "SVC" }],
        outgoing: [],
        pages_function: false,
      },
      durable_objects: [],
      dispatch_outbounds: [],
    });
    const before = await stateOf(client, path);
    const refused = await client.call("DELETE", path);
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130043 }] });
    expect(refused.errors[0]?.message).toContain("s-caller");
    expect(await stateOf(client, path)).toEqual(before);
    expect((await client.call("DELETE", `${path}?force=true`)).status).toBe(200);
  });
});

describe("what is not there yet", () => {
  it.each([
    ["PUT", `${SCRIPTS}/s-later/content`],
    ["GET", `${ACCOUNT}/workflows`],
    ["GET", `${ACCOUNT}/event_notifications/r2/bucket/configuration`],
    ["POST", `${ACCOUNT}/event_subscriptions/subscriptions`],
  ])("%s %s says so, and what to do instead: 400, 130090", async (method, path) => {
    const refused = await client.call(method, path, method === "GET" ? undefined : {});
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130090 }] });
    expect(refused.errors[0]?.message).toMatch(/ is not supported by this Switchback yet\. [A-Z]/);
    expect(refused.headers.get("x-should-retry")).toBe("false");
  });

  it.each([
    `${ACCOUNT}/workers/tails/by-consumer/x`,
    `${ACCOUNT}/workers/durable_objects/namespaces?per_page=1000&page=1`,
    `${ACCOUNT}/storage/kv/namespaces?per_page=1000&page=2`,
    `${ACCOUNT}/queues?page=1&name=q`,
  ])("lists nothing at %s", async (path) => {
    expect((await client.call("GET", path)).result).toEqual([]);
  });
});
