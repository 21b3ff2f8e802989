import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/store/blobs.ts";
import { accountId } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, SCRIPTS, TOKEN, type Client } from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

describe("without the right token", () => {
  it.each([
    ["no header", ""],
    ["a wrong token", "Bearer wrong"],
    ["another scheme", `Basic ${TOKEN}`],
    ["no token", "Bearer "],
    ["two tokens", `Bearer ${TOKEN} ${TOKEN}`],
    ["a token with an end too many", `Bearer ${TOKEN}x`],
    ["the digest itself", `Bearer ${"0".repeat(64)}`],
    ["an endless token", `Bearer ${"x".repeat(10_000)}`],
  ])("refuses %s: 403, 10000", async (_what, authorization) => {
    const answer = await client.call("GET", `${SCRIPTS}`, undefined, { authorization });
    expect(answer).toMatchObject({
      status: 403,
      success: false,
      errors: [{ code: 10000, message: "Authentication error" }],
      result: null,
    });
  });

  it("answers tokens/verify with 401, 1000: what clients take for a wrong token", async () => {
    const authorization = "Bearer wrong";
    const answer = await client.call("GET", "/client/v4/user/tokens/verify", undefined, {
      authorization,
    });
    expect(answer).toMatchObject({
      status: 401,
      errors: [{ code: 1000, message: "Invalid API Token" }],
    });
  });

  it("says nothing about which paths exist", async () => {
    const authorization = "Bearer wrong";
    const paths = [`${ACCOUNT}/nothing`, "/client/v4/nothing", `${SCRIPTS}/nobody`];
    for (const path of paths) {
      expect((await client.call("GET", path, undefined, { authorization })).status).toBe(403);
    }
  });
});

describe("with another account's id", () => {
  it("answers exactly as to a wrong token", async () => {
    const other = "/client/v4/accounts/ffffffffffffffffffffffffffffffff/workers/scripts";
    const wrongAccount = await client.call("GET", other);
    const wrongToken = await client.call("GET", SCRIPTS, undefined, { authorization: "Bearer no" });
    expect(wrongAccount).toEqual({
      ...wrongToken,
      headers: expect.any(Headers) as Headers,
    });
    expect((await client.call("GET", "/client/v4/accounts/other")).status).toBe(403);
  });
});

describe("a token of the database", () => {
  const token = "deploy-token-of-the-tests";
  const insert = async (
    id: string,
    text: string,
    expiresOn: number | null,
    revokedOn: number | null,
  ) =>
    env.DB.prepare(
      "INSERT INTO tokens (id, account_id, name, sha256, created_on, expires_on, revoked_on) VALUES (?, ?, 'ci', ?, 1, ?, ?)",
    )
      .bind(id, accountId, await sha256Hex(text), expiresOn, revokedOn)
      .run();

  it("opens the API while it is neither expired nor revoked, and is the author of what it does", async () => {
    await insert("a".repeat(32), token, null, null);
    const authorization = `Bearer ${token}`;
    const user = await client.call("GET", "/client/v4/user", undefined, { authorization });
    expect(user.result).toEqual({ id: "a".repeat(32), email: "ci@switchback.local" });
  });

  it("is refused once it is expired or revoked", async () => {
    await insert("b".repeat(32), "expired-token", Date.now() - 1, null);
    await insert("c".repeat(32), "revoked-token", null, Date.now());
    for (const text of ["expired-token", "revoked-token"]) {
      const authorization = `Bearer ${text}`;
      expect((await client.call("GET", SCRIPTS, undefined, { authorization })).status).toBe(403);
    }
  });
});

describe("whoami", () => {
  it("tells wrangler who it is and which account it has, in its pages", async () => {
    const get = async (path: string) => client.call("GET", `/client/v4${path}`);
    expect((await get("/user/tokens/verify")).result).toMatchObject({ status: "active" });
    expect((await get("/user")).result).toMatchObject({ email: "root@switchback.local" });
    const accounts = await get("/accounts?page=1");
    expect(accounts.result).toMatchObject([{ id: accountId, name: "Switchback" }]);
    expect(accounts.result_info).toMatchObject({ page: 1, per_page: 20, count: 1, total_count: 1 });
    expect((await get("/accounts?page=2")).result).toEqual([]);
    expect((await get(`/accounts/${accountId}`)).result).toMatchObject({ id: accountId });
    expect((await get("/memberships?page=1")).result).toMatchObject([
      { account: { id: accountId }, roles: ["Administrator"] },
    ]);
  });
});

describe("the control host", () => {
  it("says that it is well without asking for a token", async () => {
    const response = await client.raw("GET", "/healthz", { headers: { authorization: "none" } });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok", version: "0.1.0" });
  });

  it("is not well when the database does not answer", async () => {
    const broken = await apiClient({}, { DB: {} as D1Database });
    expect((await broken.raw("GET", "/healthz")).status).toBe(503);
  });

  it("says what it is at /", async () => {
    const response = await client.raw("GET", "/");
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(await response.text()).toMatch(/^Switchback \S+: .*\/client\/v4.*\n$/);
  });
});

describe("paths and methods that there are not", () => {
  it("answers an unknown path with 404, 7003 and its name", async () => {
    expect(await client.call("GET", `${ACCOUNT}/workers/nothing/here`)).toMatchObject({
      status: 404,
      errors: [
        {
          code: 7003,
          message: `Could not route to /accounts/${accountId}/workers/nothing/here, perhaps your object identifier is invalid?`,
        },
      ],
    });
    expect((await client.call("GET", "/favicon.ico")).errors[0]?.code).toBe(7003);
  });

  it("answers a known path's unknown method with 405", async () => {
    expect(await client.call("PATCH", `${SCRIPTS}/some/deployments`)).toMatchObject({
      status: 405,
      errors: [{ code: 7001 }],
    });
  });

  it("survives a path that is not UTF-8", async () => {
    expect((await client.call("GET", `${SCRIPTS}/%E0%A4%A/versions`)).status).toBe(404);
  });
});

describe("a bug of ours", () => {
  it("answers 500 with the request's id and nothing of the inside", async () => {
    const broken = await apiClient({
      workerLock: () => {
        throw new Error("SELECT secret FROM inside");
      },
    });
    await broken.call("POST", `${ACCOUNT}/workers/workers`, { name: "auth-bug" });
    const answer = await broken.call("GET", `${SCRIPTS}/auth-bug/deployments`);
    expect(answer).toMatchObject({ status: 500, errors: [{ code: 10013 }] });
    expect(answer.errors[0]?.message).toContain(answer.headers.get("x-request-id"));
    expect(JSON.stringify(answer)).not.toContain("inside");
  });
});
