import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SecretBox } from "../../src/control/secret-box.ts";
import { BINDING_VALUE_BYTES_MAX } from "../../src/domain/limits.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
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
const secret = (name: string, text: string) => ({ name, text, type: "secret_text" });
const putScript = (name: string, metadata: Record<string, unknown> = {}) =>
  client.call("PUT", `${SCRIPTS}/${name}`, uploadBody(metadata, { "index.js": CODE }));
const upload = (name: string, metadata: Record<string, unknown> = {}) =>
  client.call("POST", `${SCRIPTS}/${name}/versions`, uploadBody(metadata, { "index.js": CODE }));
const put = (name: string, key: string, text: string) =>
  client.call("PUT", `${SCRIPTS}/${name}/secrets`, secret(key, text));
const codes = ({ status, errors }: Answer) => [status, ...errors.map(({ code }) => code)];

interface Latest {
  readonly id: string;
  readonly number: number;
  readonly values: Record<string, string>;
}

/** The latest version with what is sealed in it. */
async function latestOf(name: string): Promise<Latest> {
  const row = await env.DB.prepare(
    `SELECT versions.id AS id, number, worker_id AS workerId, sealed_secrets AS sealed FROM versions
     JOIN workers ON workers.id = worker_id WHERE workers.name = ? ORDER BY number DESC LIMIT 1`,
  )
    .bind(name)
    .first<{ id: string; number: number; workerId: string; sealed: string | null }>();
  if (row === null) throw new Error(`${name} has no version`);
  const owner = { workerId: row.workerId as WorkerId, versionId: row.id as VersionId };
  const opened = await new SecretBox(env.SECRETS_KEY).open(owner, row.sealed);
  return { ...row, values: Object.fromEntries(opened.map(({ name: key, text }) => [key, text])) };
}

const currentOf = async (name: string) =>
  (await client.call("GET", `${SCRIPTS}/${name}/deployments`)).result.deployments[0];

describe("PUT, DELETE and PATCH …/secrets", () => {
  it("make a version of the latest one and deploy it; values are told to nobody", async () => {
    await putScript("sec-basic", {
      bindings: [{ type: "plain_text", name: "MODE", text: "live" }],
    });
    const made = await put("sec-basic", "KEY", "canary-one");
    expect(made).toMatchObject({ status: 200, result: { name: "KEY", type: "secret_text" } });
    const latest = await latestOf("sec-basic");
    expect(latest).toMatchObject({ number: 2, values: { KEY: "canary-one" } });
    const current = await currentOf("sec-basic");
    expect(current).toMatchObject({
      annotations: { "workers/triggered_by": "secret", "workers/message": 'Updated secret "KEY"' },
      versions: [{ version_id: latest.id, percentage: 100 }],
    });
    const version = await client.call("GET", `${SCRIPTS}/sec-basic/versions/${latest.id}`);
    expect(version.result.resources.bindings).toEqual([
      { type: "plain_text", name: "MODE", text: "live" },
      { type: "secret_text", name: "KEY" },
    ]);
    expect(version.result.annotations["workers/triggered_by"]).toBe("secret");
    expect(JSON.stringify(version)).not.toContain("canary");
    const listed = await client.call("GET", `${SCRIPTS}/sec-basic/secrets`);
    expect(listed.result).toEqual([{ name: "KEY", type: "secret_text" }]);

    const bulk = await client.call("PATCH", `${SCRIPTS}/sec-basic/secrets-bulk`, {
      secrets: { KEY: secret("KEY", "two"), OTHER: secret("OTHER", "three"), GONE: null },
    });
    expect(bulk.status).toBe(200);
    expect(await latestOf("sec-basic")).toMatchObject({
      number: 3,
      values: { KEY: "two", OTHER: "three" },
    });
    const removed = await client.call(
      "DELETE",
      `${SCRIPTS}/sec-basic/secrets/KEY?url_encoded=true`,
    );
    expect(removed).toMatchObject({ status: 200, result: null });
    expect(await latestOf("sec-basic")).toMatchObject({ number: 4, values: { OTHER: "three" } });
    expect(codes(await client.call("GET", `${SCRIPTS}/sec-basic/secrets/KEY`))).toEqual([
      404, 10056,
    ]);
    expect(codes(await client.call("DELETE", `${SCRIPTS}/sec-basic/secrets/KEY`))).toEqual([
      404, 10056,
    ]);
    expect((await latestOf("sec-basic")).number).toBe(4);
  });

  it("are refused while the latest version does not serve all of the traffic, and change nothing", async () => {
    await putScript("sec-behind");
    const first = (await latestOf("sec-behind")).id;
    await upload("sec-behind");
    const second = (await latestOf("sec-behind")).id;
    const refusals = async () => [
      codes(await put("sec-behind", "KEY", "x")),
      codes(await client.call("DELETE", `${SCRIPTS}/sec-behind/secrets/KEY`)),
      codes(
        await client.call("PATCH", `${SCRIPTS}/sec-behind/secrets-bulk`, { secrets: { A: null } }),
      ),
      codes(
        await client.call("PATCH", `${SCRIPTS}/sec-behind/settings`, {
          compatibility_date: "2026-09-01",
        }),
      ),
    ];
    const expected = [
      [400, 10215],
      [400, 10215],
      [400, 10215],
      [400, 10214],
    ];
    expect(await refusals()).toEqual(expected);
    await client.call("POST", `${SCRIPTS}/sec-behind/deployments`, {
      versions: [
        { version_id: first, percentage: 50 },
        { version_id: second, percentage: 50 },
      ],
    });
    expect(await refusals()).toEqual(expected);
    expect((await latestOf("sec-behind")).number).toBe(2);
  });

  it("at the same time lose nothing that was acknowledged", async () => {
    await putScript("sec-race");
    const names = Array.from({ length: 6 }, (_, at) => `KEY_${at}`);
    const answers = await Promise.all(names.map((name) => put("sec-race", name, `v-${name}`)));
    const acknowledged = names.filter((_, at) => answers[at]?.status === 200);
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const { status } of answers) expect([200, 503]).toContain(status);
    const { values, number, id } = await latestOf("sec-race");
    expect(Object.keys(values)).toEqual(expect.arrayContaining(acknowledged));
    expect(number).toBe(1 + Object.keys(values).length);
    expect((await currentOf("sec-race")).versions).toEqual([{ version_id: id, percentage: 100 }]);
  });

  it.each([
    ["no text", { name: "A", type: "secret_text" }, 130001],
    ["a text that is a number", { name: "A", text: 7, type: "secret_text" }, 130001],
    ["another type", { name: "A", text: "x", type: "secret_key" }, 130001],
    ["a name that is none", secret("1 A", "x"), 10021],
    ["an empty name", secret("", "x"), 10052],
    ["a reserved name", secret("__switchback_x", "x"), 10021],
    ["a text of one byte too much", secret("A", "x".repeat(BINDING_VALUE_BYTES_MAX + 1)), 10054],
    ["the name of a variable", secret("MODE", "x"), 130029],
    ["no JSON", "{", 10026],
  ])("refuse %s, repeat no value, and change nothing", async (_name, body, code) => {
    await putScript("sec-bad", { bindings: [{ type: "plain_text", name: "MODE", text: "live" }] });
    const before = await latestOf("sec-bad");
    const refused = await client.call("PUT", `${SCRIPTS}/sec-bad/secrets`, body);
    expect(codes(refused)).toEqual([400, code]);
    expect(await latestOf("sec-bad")).toEqual(before);
  });

  it("say that a Worker does not exist, or has nothing that a secret could be added to", async () => {
    expect(codes(await put("sec-nobody", "A", "x"))).toEqual([404, 10007]);
    await client.call("POST", `${ACCOUNT}/workers/workers`, { name: "sec-empty" });
    expect(codes(await put("sec-empty", "A", "x"))).toEqual([404, 10222]);
  });
});

describe("PATCH …/versions/latest", () => {
  const patch = (name: string, body: object) =>
    client.call("PATCH", `${ACCOUNT}/workers/workers/${name}/versions/latest`, body);

  it("makes a version without deploying it, from whatever is the latest", async () => {
    await putScript("sec-latest");
    const served = await currentOf("sec-latest");
    const made = await patch("sec-latest", {
      env: { KEY: { type: "secret_text", text: "one" } },
      annotations: { "workers/message": 'Updated secret "KEY"', "workers/tag": "t1" },
    });
    expect(made).toMatchObject({
      status: 200,
      result: { number: 2, annotations: { "workers/tag": "t1", "workers/triggered_by": "secret" } },
    });
    expect(
      (await patch("sec-latest", { env: { B: { type: "secret_text", text: "two" } } })).status,
    ).toBe(200);
    const removed = await patch("sec-latest", { env: { KEY: null, NEVER: null } });
    expect(removed.result.annotations["workers/tag"]).toBeUndefined();
    expect(await latestOf("sec-latest")).toMatchObject({ number: 4, values: { B: "two" } });
    expect(await currentOf("sec-latest")).toEqual(served);
  });

  it("refuses what it does not know, and Workers without versions", async () => {
    await client.call("POST", `${ACCOUNT}/workers/workers`, { name: "sec-none" });
    expect(codes(await patch("sec-none", { env: {} }))).toEqual([404, 10222]);
    await putScript("sec-fields");
    expect(codes(await patch("sec-fields", { modules: [] }))).toEqual([400, 130001]);
    expect((await latestOf("sec-fields")).number).toBe(1);
  });
});

describe("PATCH …/settings", () => {
  it("makes and deploys a version for what versions carry, and keeps secrets that are inherited", async () => {
    await putScript("sec-settings", { bindings: [secret("KEY", "one")] });
    const form = new FormData();
    const settings = {
      bindings: [
        { type: "inherit", name: "KEY" },
        { type: "plain_text", name: "MODE", text: "dark" },
      ],
      compatibility_date: "2026-09-01",
      tags: ["blue"],
    };
    form.set("settings", new Blob([JSON.stringify(settings)], { type: "application/json" }));
    const edited = await client.call("PATCH", `${SCRIPTS}/sec-settings/settings`, form);
    expect(edited).toMatchObject({
      status: 200,
      result: { compatibility_date: "2026-09-01", tags: ["blue"] },
    });
    const latest = await latestOf("sec-settings");
    expect(latest).toMatchObject({ number: 2, values: { KEY: "one" } });
    expect((await currentOf("sec-settings")).versions[0].version_id).toBe(latest.id);
  });

  it("makes no version for what belongs to the Worker", async () => {
    await putScript("sec-tags");
    const edited = await client.call("PATCH", `${SCRIPTS}/sec-tags/settings`, { tags: ["red"] });
    expect(edited).toMatchObject({ status: 200, result: { tags: ["red"] } });
    expect((await latestOf("sec-tags")).number).toBe(1);
  });
});
