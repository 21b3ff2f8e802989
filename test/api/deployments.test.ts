import { beforeAll, describe, expect, it } from "vitest";
import {
  addVersion,
  apiClient,
  deployedWorker,
  SCRIPTS,
  split,
  stateOf,
  type Client,
} from "./api-fixture.ts";

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";

let client: Client;
let path: string;
let first: string;
let second: string;
let other: string;
beforeAll(async () => {
  client = await apiClient();
  ({ path, versionId: first } = await deployedWorker(client, "d-main"));
  second = await addVersion(client, path);
  other = (await deployedWorker(client, "d-other")).versionId;
});

const deploy = (body: unknown, headers: Record<string, string> = {}, at = path) =>
  client.call("POST", `${at}/deployments`, body, headers);
const list = async (query = "", at = path) => client.call("GET", `${at}/deployments${query}`);
const currentId = async (at = path): Promise<string> =>
  (await list("", at)).result.deployments[0].id as string;

describe("POST …/deployments", () => {
  it("deploys, and history's first line is what it answered", async () => {
    const made = await deploy({
      ...split([first, 90], [second, 10]),
      annotations: { "workers/message": "canary" },
      code_update_strategy: { mode: "deferred", max_delay: 300 },
    });
    expect(made).toMatchObject({ status: 200, errors: [], messages: [] });
    const { receipt, ...deployment } = made.result;
    expect(deployment).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      source: "api",
      strategy: "percentage",
      author_email: "root@switchback.local",
      annotations: { "workers/triggered_by": "deployment", "workers/message": "canary" },
      created_on: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      versions: [
        { version_id: first, percentage: 90 },
        { version_id: second, percentage: 10 },
      ],
    });
    expect((await list()).result.deployments[0]).toEqual(deployment);
    const at = `${path}/deployments/${deployment.id}`;
    expect((await client.call("GET", at)).result).toEqual(deployment);
    expect((await client.call("GET", `${at}/receipt`)).result).toEqual(receipt);
    expect(receipt).toMatchObject({ deployment_id: deployment.id, versions: deployment.versions });
  });

  it("reads its body whatever type it says it has, and an empty message as none", async () => {
    const body = { ...split([first, 100]), annotations: { "workers/message": "" } };
    const made = await deploy(JSON.stringify(body), { "content-type": "text/plain" });
    expect(made.status).toBe(200);
    expect(made.result.annotations).not.toHaveProperty("workers/message");
  });

  it.each([[99.999], [100.001]])("takes shares that add up to %f", async (sum) => {
    expect((await deploy(split([first, sum / 2], [second, sum / 2]))).status).toBe(200);
  });

  it("takes a version at 0 %", async () => {
    expect((await deploy(split([first, 100], [second, 0]))).status).toBe(200);
  });

  it("knows who deploys with what by the User-Agent", async () => {
    const as = async (agent: string) =>
      (await deploy(split([first, 100]), { "user-agent": agent })).result.source as string;
    expect(await as("wrangler/4.155.0")).toBe("wrangler");
    expect(await as("cloudflare-terraform-provider/5")).toBe("terraform");
    expect(await as("curl/8")).toBe("api");
  });

  it("cuts a message of 1,001 bytes with a notice", async () => {
    const made = await deploy({
      ...split([first, 100]),
      annotations: { "workers/message": "m".repeat(1_001) },
    });
    expect(made.messages).toMatchObject([{ code: 130100 }]);
    expect(made.result.annotations["workers/message"]).toHaveLength(1_000);
  });
});

describe("a refused deployment changes nothing and says why", () => {
  const cases: [string, number, number, RegExp, () => unknown][] = [
    ["bad JSON", 400, 10026, /JSON/, () => "{"],
    ["an empty body", 400, 10026, /empty/, () => ""],
    ["a list", 400, 130001, /object/, () => []],
    ["no versions field", 400, 130001, /^The request is not understood: versions/, () => ({})],
    [
      "a share that is text",
      400,
      130001,
      /versions\.0\.percentage/,
      () => ({
        versions: [{ version_id: first, percentage: "100" }],
      }),
    ],
    [
      "another strategy",
      400,
      130001,
      /percentage/,
      () => ({ ...split([first, 100]), strategy: "hash" }),
    ],
    ["no versions", 400, 130020, /at least one/, () => split()],
    [
      "three versions",
      400,
      130021,
      /3 versions; at most 2/,
      () => split([first, 50], [second, 25], [other, 25]),
    ],
    [
      "a thousand versions",
      400,
      130021,
      /1000 versions/,
      () => split(...Array.from({ length: 1_000 }, () => [first, 0.1] as const)),
    ],
    [
      "the same version twice",
      400,
      130022,
      /twice/,
      () => split([first, 50], [first.toUpperCase(), 50]),
    ],
    ["a negative share", 400, 130023, /from 0 to 100/, () => split([first, 110], [second, -10])],
    [
      "shares that add up to 99",
      400,
      130024,
      /add up to 99;/,
      () => split([first, 50], [second, 49]),
    ],
    ["shares that add up to 99.99", 400, 130024, /99\.99/, () => split([first, 99.99])],
    ["another Worker's version", 400, 130025, /another Worker's/, () => split([other, 100])],
    ["an unknown version", 404, 100146, /could not be found/, () => split([UNKNOWN_ID, 100])],
    ["a version id that is none", 404, 100146, /could not be found/, () => split(["latest", 100])],
    [
      "a message that is no text",
      400,
      130001,
      /workers\/message/,
      () => ({
        ...split([first, 100]),
        annotations: { "workers/message": 7 },
      }),
    ],
  ];

  it.each(cases)("%s: %i, %i", async (_what, status, code, message, body) => {
    const before = await stateOf(client, path);
    const refused = await deploy(body());
    expect(refused).toMatchObject({ status, success: false, result: null });
    expect(refused.errors[0]?.code).toBe(code);
    expect(refused.errors[0]?.message).toMatch(message);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await stateOf(client, path)).toEqual(before);
  });

  it("a body of more than 1 MiB: 413", async () => {
    const refused = await deploy({ filler: "x".repeat(1024 * 1024) });
    expect(refused).toMatchObject({ status: 413, errors: [{ code: 130002 }] });
  });

  it("a Worker that is not there: 404, 10007", async () => {
    const refused = await deploy(split([first, 100]), {}, `${SCRIPTS}/nobody`);
    expect(refused).toMatchObject({ status: 404, errors: [{ code: 10007 }] });
  });
});

describe("If-Match", () => {
  it("refuses with 412 and the current id when another deployment came first", async () => {
    const seen = await currentId();
    await deploy(split([second, 100]));
    const now = await currentId();
    const before = await stateOf(client, path);
    const refused = await deploy(split([first, 100]), { "if-match": `"${seen}"` });
    expect(refused).toMatchObject({
      status: 412,
      errors: [
        { code: 130026, meta: { current_deployment_id: now, expected_deployment_id: seen } },
      ],
    });
    expect(refused.errors[0]?.message).toContain(now);
    expect(await stateOf(client, path)).toEqual(before);
  });

  it.each([
    [(id: string) => `"${id}"`],
    [(id: string) => `W/"${id}"`],
    [(id: string) => id],
    [() => "*"],
  ])("lets the one pass who saw the current deployment (%#)", async (header) => {
    const made = await deploy(split([first, 100]), { "if-match": header(await currentId()) });
    expect(made.status).toBe(200);
  });

  it("with * refuses a Worker that was never deployed, and a list of ids always", async () => {
    const account = SCRIPTS.replace("/scripts", "/workers");
    await client.call("POST", account, { name: "d-never" });
    const never = `${SCRIPTS}/d-never`;
    const refused = await deploy(split([first, 100]), { "if-match": "*" }, never);
    expect(refused).toMatchObject({ status: 412, errors: [{ code: 130026 }] });
    const listed = await deploy(split([first, 100]), {
      "if-match": `"${UNKNOWN_ID}", "${UNKNOWN_ID}"`,
    });
    expect(listed).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
  });
});

describe("Idempotency-Key", () => {
  it("answers a repeated call with the first deployment and makes no second", async () => {
    const key = { "idempotency-key": "ci-1" };
    const made = await deploy(split([first, 100]), key);
    await deploy(split([second, 100]));
    const before = await stateOf(client, path);
    const again = await deploy(JSON.stringify({ ...split([first, 100]) }, null, 2), key);
    expect(again.result).toEqual(made.result);
    expect(await stateOf(client, path)).toEqual(before);
  });

  it("refuses a key that was used for something else: 422", async () => {
    const key = { "idempotency-key": "ci-2" };
    await deploy(split([first, 100]), key);
    const before = await stateOf(client, path);
    expect(await deploy(split([second, 100]), key)).toMatchObject({
      status: 422,
      errors: [{ code: 130033 }],
    });
    expect(await stateOf(client, path)).toEqual(before);
  });

  it("refuses a key of more than 255 characters", async () => {
    const refused = await deploy(split([first, 100]), { "idempotency-key": "k".repeat(256) });
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
  });
});

describe("GET …/deployments", () => {
  it("gives the ten newest unless asked otherwise, newest first, and pages two ways", async () => {
    const { path: at, versionId } = await deployedWorker(client, "d-pages");
    for (let n = 0; n < 11; n += 1) await deploy(split([versionId, 100]), {}, at);
    const ids = async (query: string) => {
      const { result, result_info } = await list(query, at);
      const deployments = result.deployments as { id: string; created_on: string }[];
      return { ids: deployments.map(({ id }) => id), deployments, info: result_info };
    };
    const all = await ids("?per_page=100");
    expect(all.ids).toHaveLength(12);
    const times = all.deployments.map((deployment) => deployment.created_on);
    expect(times.toSorted().toReversed()).toEqual(times);
    const newest = await ids("");
    expect(newest.ids).toEqual(all.ids.slice(0, 10));
    expect((await ids("?page=2")).ids).toEqual(all.ids.slice(10));
    expect((await ids("?page=3")).ids).toEqual([]);
    const next = await ids(`?cursor=${String(newest.info?.["cursor"])}`);
    expect(next.ids).toEqual(all.ids.slice(10));
    expect(next.info).toMatchObject({ cursor: "" });
    const since = await ids(`?since=${all.deployments[2]?.created_on}`);
    expect(since.ids).toEqual(all.ids.slice(0, 3));
    const until = await ids(`?until=${all.deployments[9]?.created_on}`);
    expect(until.ids).toEqual(all.ids.slice(9));
  });

  it.each(["since=yesterday", "until=x", "cursor=abc", "per_page=many", "page=0"])(
    "refuses ?%s with 400",
    async (query) => {
      expect(await list(`?${query}`)).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
    },
  );

  it("knows a deployment that is not the Worker's by 10336", async () => {
    const foreign = await currentId(`${SCRIPTS}/d-other`);
    for (const id of [UNKNOWN_ID, foreign, "x"]) {
      expect(await client.call("GET", `${path}/deployments/${id}`)).toMatchObject({
        status: 404,
        errors: [{ code: 10336 }],
      });
    }
  });
});

describe("DELETE …/deployments/:id", () => {
  it("takes a past deployment out of the lists", async () => {
    const past = await currentId();
    await deploy(split([second, 100]));
    const removed = await client.call("DELETE", `${path}/deployments/${past}`);
    expect(removed).toMatchObject({ status: 200, success: true, errors: [], result: null });
    expect((await client.call("GET", `${path}/deployments/${past}`)).status).toBe(404);
    expect((await client.call("DELETE", `${path}/deployments/${past}`)).status).toBe(404);
  });

  it("refuses the one that serves traffic, and it goes on serving", async () => {
    const before = await stateOf(client, path);
    const refused = await client.call("DELETE", `${path}/deployments/${await currentId()}`);
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130027 }] });
    expect(await stateOf(client, path)).toEqual(before);
  });
});
