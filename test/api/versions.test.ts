import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  MODULE,
  SCRIPTS,
  stateOf,
  uploadBody,
  type Client,
} from "./api-fixture.ts";

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";
const WIRE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

describe("POST …/versions", () => {
  it("adds a version in Cloudflare's shape and deploys nothing", async () => {
    const { path } = await deployedWorker(client, "v-shape");
    const before = (await client.call("GET", `${path}/deployments`)).result;
    const database = await client.call("POST", `${ACCOUNT}/d1/database`, { name: "v-shape" });
    const id: string = database.result.uuid;
    const posted = await client.call(
      "POST",
      `${path}/versions?bindings_inherit=strict`,
      uploadBody({
        annotations: { "workers/message": "msg", "workers/tag": "t1", "workers/alias": "staging" },
        compatibility_flags: ["nodejs_compat"],
        bindings: [{ name: "DB", type: "d1", id }],
        limits: { cpu_ms: 100 },
      }),
      { "user-agent": "wrangler/4.164.0" },
    );
    expect(posted).toMatchObject({ status: 200, success: true, errors: [], messages: [] });
    expect(posted.result).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      number: 2,
      metadata: {
        created_on: expect.stringMatching(WIRE_TIME) as string,
        modified_on: expect.stringMatching(WIRE_TIME) as string,
        source: "wrangler",
        author_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        author_email: "root@switchback.local",
        has_preview: false,
        hasPreview: false,
      },
      annotations: {
        "workers/triggered_by": "version_upload",
        "workers/message": "msg",
        "workers/tag": "t1",
        "workers/alias": "staging",
      },
      resources: {
        bindings: [{ name: "DB", type: "d1", id, database_id: id }],
        script: {
          etag: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          handlers: ["fetch"],
          named_handlers: [],
          last_deployed_from: "wrangler",
        },
        script_runtime: {
          compatibility_date: "2026-10-01",
          compatibility_flags: ["nodejs_compat"],
          usage_model: "standard",
          limits: { cpu_ms: 100 },
        },
      },
      startup_time_ms: 3,
    });
    const got = await client.call("GET", `${path}/versions/${posted.result.id}`);
    expect(got.result).toEqual(posted.result);
    expect((await client.call("GET", `${path}/deployments`)).result).toEqual(before);
  });

  it("cuts a message of 1,001 bytes and says so; keeps one of 1,000", async () => {
    const { path } = await deployedWorker(client, "v-message");
    const post = (message: string) =>
      client.call(
        "POST",
        `${path}/versions`,
        uploadBody({ annotations: { "workers/message": message } }),
      );
    const whole = await post("m".repeat(1_000));
    expect(whole.messages).toEqual([]);
    expect(whole.result.annotations["workers/message"]).toHaveLength(1_000);
    const cut = await post("m".repeat(1_001));
    expect(cut.messages).toMatchObject([{ code: 130100 }]);
    expect(cut.result.annotations["workers/message"]).toHaveLength(1_000);
  });

  it("keeps secrets of the latest version, and never answers with their text", async () => {
    const canary = "canary-of-the-versions";
    const secret = { name: "KEY", type: "secret_text", text: canary };
    const { path } = await deployedWorker(client, "v-secret", { bindings: [secret] });
    const id = await addVersion(client, path, { keep_bindings: ["secret_text"] });
    const answers = await Promise.all(
      [
        `${path}/versions/${id}`,
        `${path}/versions`,
        `${path}/settings`,
        `${path}/secrets`,
        SCRIPTS,
      ].map((at) => client.raw("GET", at).then((response) => response.text())),
    );
    expect(answers[0]).toContain('{"name":"KEY","type":"secret_text"}');
    expect(answers[3]).toContain('"result":[{"name":"KEY","type":"secret_text"}]');
    for (const answer of answers) expect(answer).not.toContain(canary);
    const rows = await env.DB.prepare("SELECT * FROM versions").all();
    expect(JSON.stringify(rows)).not.toContain(canary);
  });

  it("goes without what cannot be inherited, unless strict", async () => {
    const { path } = await deployedWorker(client, "v-inherit");
    const id = await addVersion(client, path, { bindings: [{ name: "GONE", type: "inherit" }] });
    const { result } = await client.call("GET", `${path}/versions/${id}`);
    expect(result.resources.bindings).toEqual([]);
  });
});

describe("400: an upload that cannot become a version leaves everything as it was", () => {
  const inherit = (...names: string[]) => ({
    bindings: names.map((name) => ({ name, type: "inherit" })),
  });
  const cases: [string, number, string | RegExp, () => FormData | string, string?][] = [
    ["no multipart", 10026, /^The body is not a readable upload\./, () => "hello"],
    ["no metadata part", 10026, /metadata/, () => new FormData()],
    ["metadata that is no JSON", 10026, /JSON/, () => metadataText("{")],
    [
      "a main module that is not there",
      10021,
      /nope\.js/,
      () => uploadBody({ main_module: "nope.js" }),
    ],
    ["no main module at all", 10021, /module/, () => uploadBody({ main_module: undefined })],
    [
      "a module that climbs out",
      10021,
      /\.\.\/x\.js/,
      () => uploadBody({}, { "index.js": MODULE, "../x.js": MODULE }),
    ],
    ["a bad date", 10021, /YYYY-MM-DD/, () => uploadBody({ compatibility_date: "2026-02-30" })],
    ["a tag of 101 bytes", 10021, /101 bytes/, () => tagged("t".repeat(101))],
    ["an alias that is no host name", 10021, /invalid alias: HEAD/, () => aliased("HEAD")],
    [
      "code that throws",
      10021,
      /^Uncaught Error: boom/,
      () => uploadBody({}, { "index.js": "throw at start" }),
    ],
    [
      "a binding without a name",
      10052,
      "Binding at index 1 must have a name.",
      () =>
        uploadBody({
          bindings: [
            { name: "A", type: "json", json: 1 },
            { type: "json", json: 1 },
          ],
        }),
    ],
    [
      "a value that is too large",
      10054,
      /5120 bytes/,
      () => uploadBody({ bindings: [{ name: "A", type: "plain_text", text: "x".repeat(5_121) }] }),
    ],
    [
      "a service that is not there",
      10144,
      /"nobody"/,
      () => uploadBody({ bindings: [{ name: "A", type: "service", service: "nobody" }] }),
    ],
    [
      "a strict inherit of what is not there",
      10057,
      "inherit binding 'X' is invalid, previous version does not have binding of that name",
      () => uploadBody(inherit("X", "Y")),
      "?bindings_inherit=strict",
    ],
    [
      "an inherit from a version by id",
      10057,
      `'version_id' value '${UNKNOWN_ID}' is invalid, only the literal 'latest' is supported by this API`,
      () => uploadBody({ bindings: [{ name: "X", type: "inherit", version_id: UNKNOWN_ID }] }),
    ],
    [
      "an inherit mode that there is not",
      130001,
      /strict/,
      () => uploadBody(),
      "?bindings_inherit=loose",
    ],
    [
      "service worker syntax",
      130010,
      /service worker syntax/,
      () => uploadBody({ main_module: undefined, body_part: "index.js" }),
    ],
    [
      "a migration",
      10211,
      "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment. Refer to the documentation for more information.",
      () => uploadBody({ migrations: { new_tag: "v1", steps: [] } }),
    ],
  ];

  it.each(cases)("%s: %i", async (_what, code, message, body, query = "") => {
    const path = `${SCRIPTS}/v-refused`;
    const exists = await client.call("GET", `${path}/versions`);
    if (exists.status === 404) await deployedWorker(client, "v-refused");
    const before = await stateOf(client, path);
    const refused = await client.call("POST", `${path}/versions${query}`, body());
    expect(refused).toMatchObject({ status: 400, success: false, result: null });
    expect(refused.errors[0]?.code).toBe(code);
    if (typeof message === "string") expect(refused.errors[0]?.message).toBe(message);
    else expect(refused.errors[0]?.message).toMatch(message);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await stateOf(client, path)).toEqual(before);
  });

  it("names each binding that cannot be inherited in an error of its own", async () => {
    const { path } = await deployedWorker(client, "v-inherit-names");
    const refused = await client.call(
      "POST",
      `${path}/versions?bindings_inherit=strict`,
      uploadBody(inherit("X", "Y")),
    );
    expect(refused.errors.map((error) => error.code)).toEqual([10057, 10057]);
    expect(refused.errors[1]?.message).toContain("'Y'");
  });

  it("takes a tag of 100 bytes", async () => {
    const { path } = await deployedWorker(client, "v-tag");
    expect((await client.call("POST", `${path}/versions`, tagged("t".repeat(100)))).status).toBe(
      200,
    );
  });
});

describe("404", () => {
  it("knows a Worker that is not there by 10007, whatever is asked of it", async () => {
    const path = `${SCRIPTS}/nobody`;
    const calls = [
      client.call("GET", `${path}/versions`),
      client.call("POST", `${path}/versions`, uploadBody()),
      client.call("GET", `${path}/versions/${UNKNOWN_ID}`),
      client.call("GET", `${path}/secrets`),
      client.call("GET", `${path}/settings`),
    ];
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({
        status: 404,
        errors: [{ code: 10007, message: "This Worker does not exist on your account." }],
      });
    }
  });

  it("knows a version that is not the Worker's by 100146", async () => {
    const { path } = await deployedWorker(client, "v-mine");
    const { versionId } = await deployedWorker(client, "v-other");
    for (const id of [UNKNOWN_ID, versionId, "not-an-id", "%00"]) {
      expect(await client.call("GET", `${path}/versions/${id}`)).toMatchObject({
        status: 404,
        errors: [
          {
            code: 100146,
            message:
              "The requested Worker version could not be found, please check the ID being passed and try again.",
          },
        ],
      });
    }
  });
});

describe("GET …/versions", () => {
  it("pages newest first, and past the end is empty: clients walk until then", async () => {
    const { path, versionId } = await deployedWorker(client, "v-pages");
    const ids = [
      versionId,
      await addVersion(client, path),
      await addVersion(client, path),
    ].toReversed();
    const page = async (query: string) => {
      const { result, result_info } = await client.call("GET", `${path}/versions${query}`);
      return { ids: result.items.map((item: { id: string }) => item.id), info: result_info };
    };
    expect((await page("")).ids).toEqual(ids);
    expect(await page("?per_page=2")).toEqual({
      ids: ids.slice(0, 2),
      info: { page: 1, per_page: 2, count: 2, total_count: 3, total_pages: 2 },
    });
    expect((await page("?per_page=2&page=2")).ids).toEqual(ids.slice(2));
    expect((await page("?per_page=2&page=3")).ids).toEqual([]);
    expect((await page("?deployable=true&per_page=1")).ids).toEqual(ids);
    expect((await page("?deployable=true&page=2")).ids).toEqual([]);
    expect((await page("?per_page=5000")).info).toMatchObject({ per_page: 100 });
  });

  it.each(["page=0", "page=-1", "page=x", "page=1.5", "per_page=1e3", "deployable=maybe"])(
    "refuses ?%s with 400",
    async (query) => {
      const { path } = await deployedWorker(client, "v-badpage");
      expect(await client.call("GET", `${path}/versions?${query}`)).toMatchObject({
        status: 400,
        errors: [{ code: 130001 }],
      });
    },
  );
});

function metadataText(text: string): FormData {
  const form = uploadBody();
  form.set("metadata", text);
  return form;
}
const tagged = (tag: string) => uploadBody({ annotations: { "workers/tag": tag } });
const aliased = (alias: string) => uploadBody({ annotations: { "workers/alias": alias } });
