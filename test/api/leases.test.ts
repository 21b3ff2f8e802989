import { beforeAll, describe, expect, it } from "vitest";
import type { WorkerId } from "../../src/domain/ids.ts";
import {
  ARMED_LEASE_MS,
  ARMED_MS,
  LEASE_MS_DEFAULT,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  STALE_MS_DEFAULT,
  STALE_MS_MAX,
} from "../../src/domain/limits.ts";
import { workerLock } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, deployedWorker, SCRIPTS, type Client } from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

/** A deployed Worker, and how long a lease on it is when somebody asks now. */
async function worker(name: string) {
  const { path } = await deployedWorker(client, name);
  const id = (await client.call("GET", `${ACCOUNT}/workers/workers/${name}`)).result.id as WorkerId;
  const leaseMs = async () => {
    const { grant } = await workerLock(id).lease();
    return grant.kind === "serve" ? grant.leaseMs : null;
  };
  const get = async () => (await client.call("GET", `${path}/lease`)).result as unknown;
  return { path, leaseMs, get, put: (body: unknown) => client.call("PUT", `${path}/lease`, body) };
}

const DEFAULTS = {
  lease_ms: null,
  on_isolation: "last-known",
  stale_ms_max: STALE_MS_DEFAULT,
};

describe("…/lease", () => {
  it("has the installation's length until it is set, and again when it is set to null", async () => {
    const { get, put, leaseMs } = await worker("l-defaults");
    expect(await get()).toEqual(DEFAULTS);
    expect(await leaseMs()).toBe(LEASE_MS_DEFAULT);
    expect((await put({ lease_ms: 50 })).result).toEqual({ ...DEFAULTS, lease_ms: 50 });
    expect(await leaseMs()).toBe(50);
    expect((await put({ lease_ms: null })).result).toEqual(DEFAULTS);
    expect(await leaseMs()).toBe(LEASE_MS_DEFAULT);
  });

  it("changes what is given and leaves the rest", async () => {
    const { get, put } = await worker("l-partial");
    await put({ lease_ms: 50, on_isolation: "refuse" });
    await put({ stale_ms_max: 0 });
    expect(await get()).toEqual({ lease_ms: 50, on_isolation: "refuse", stale_ms_max: 0 });
  });

  it.each([
    { lease_ms: LEASE_MS_MIN },
    { lease_ms: LEASE_MS_MAX },
    { stale_ms_max: 0 },
    { stale_ms_max: STALE_MS_MAX },
  ])("takes %j", async (body) => {
    const { get, put } = await worker(
      `l-takes-${Object.entries(body).flat().join("-")}`.replaceAll("_", "-"),
    );
    expect(await put(body)).toMatchObject({ status: 200, result: body });
    expect(await get()).toMatchObject(body);
  });

  it.each([
    { lease_ms: LEASE_MS_MIN - 1 },
    { lease_ms: LEASE_MS_MAX + 1 },
    { lease_ms: 20.5 },
    { lease_ms: "20" },
    { stale_ms_max: -1 },
    { stale_ms_max: STALE_MS_MAX + 1 },
    { on_isolation: "hope" },
  ])("refuses %j, names the field and changes nothing", async (body) => {
    const field = Object.keys(body)[0] ?? "";
    const { get, put, leaseMs } = await worker(`l-refuses-${crypto.randomUUID()}`);
    const refused = await put({ stale_ms_max: 7, ...body });
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
    expect(refused.errors[0]?.message).toContain(field);
    expect(await get()).toEqual(DEFAULTS);
    expect(await leaseMs()).toBe(LEASE_MS_DEFAULT);
  });

  it.each(["GET", "PUT"])("%s of a Worker that is not there: 404, 10007", async (method) => {
    const body = method === "PUT" ? {} : undefined;
    expect(await client.call(method, `${SCRIPTS}/l-nobody/lease`, body)).toMatchObject({
      status: 404,
      errors: [{ code: 10007 }],
    });
  });
});

describe("POST …/arm", () => {
  it("shortens the Worker's leases for a while, and says until when", async () => {
    const { path, leaseMs } = await worker("l-arm");
    expect(await leaseMs()).toBe(LEASE_MS_DEFAULT);
    const earliest = Date.now() + ARMED_MS;
    const armed = await client.call("POST", `${path}/arm`);
    expect(armed).toMatchObject({ status: 200, result: { lease_ms: ARMED_LEASE_MS } });
    const until = Date.parse(armed.result.armed_until as string);
    expect(until).toBeGreaterThanOrEqual(earliest);
    expect(until).toBeLessThanOrEqual(Date.now() + ARMED_MS);
    expect(await leaseMs()).toBe(ARMED_LEASE_MS);
  });

  it("leaves leases that are shorter anyway, and the settings, as they are", async () => {
    const { path, leaseMs, get, put } = await worker("l-arm-short");
    await put({ lease_ms: ARMED_LEASE_MS / 2 });
    await client.call("POST", `${path}/arm`);
    expect(await leaseMs()).toBe(ARMED_LEASE_MS / 2);
    expect(await get()).toMatchObject({ lease_ms: ARMED_LEASE_MS / 2 });
  });

  it("a Worker that is not there: 404, 10007", async () => {
    expect(await client.call("POST", `${SCRIPTS}/l-nobody/arm`)).toMatchObject({
      status: 404,
      errors: [{ code: 10007 }],
    });
  });
});
