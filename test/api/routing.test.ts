import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, apiClient, deployedWorker, SCRIPTS, type Client } from "./api-fixture.ts";

const ZONES = "/client/v4/zones";
const DOMAINS = `${ACCOUNT}/workers/domains`;
const ONE = `${SCRIPTS}/r-one`;
const TWO = `${SCRIPTS}/r-two`;

let client: Client;
beforeAll(async () => {
  client = await apiClient();
  await deployedWorker(client, "r-one");
  await deployedWorker(client, "r-two");
});
beforeEach(async () => {
  for (const path of [ONE, TWO]) {
    await client.call("PUT", `${path}/routes`, []);
    await client.call("PUT", `${path}/domains/records`, { override_scope: true, origins: [] });
  }
});

const routesOf = async (path: string): Promise<string[]> =>
  ((await client.call("GET", `${path}/routes`)).result as { pattern: string }[]).map(
    ({ pattern }) => pattern,
  );
const domainsOf = async (service: string): Promise<string[]> =>
  (
    (await client.call("GET", `${DOMAINS}?service=${service}`)).result as { hostname: string }[]
  ).map(({ hostname }) => hostname);

describe("PUT …/scripts/:name/routes", () => {
  it("replaces all routes of the Worker, and makes their zone on first use", async () => {
    const patterns = ["r.example/api/*", "www.r.example/*"];
    const body = [{ pattern: patterns[0] }, { pattern: patterns[1], zone_name: "r.example" }];
    expect((await client.call("PUT", `${ONE}/routes`, body)).result).toEqual(patterns);
    expect((await routesOf(ONE)).toSorted()).toEqual(patterns);
    const zones = await client.call("GET", `${ZONES}?name=r.example`);
    expect(zones.result).toMatchObject([{ name: "r.example", status: "active" }]);
    expect((await client.call("PUT", `${ONE}/routes`, [patterns[1]])).result).toEqual([
      patterns[1],
    ]);
    expect(await routesOf(ONE)).toEqual([patterns[1]]);
  });

  it.each([
    ["a pattern with a query", [{ pattern: "r.example/?a" }], 10022],
    ["a star in the middle", ["r.*.example/*"], 10022],
    ["a host of the control plane", [{ pattern: "localhost/*" }], 130041],
    ["a zone that is not there", [{ pattern: "r.example/*", zone_id: "f".repeat(32) }], 130003],
    ["another shape", { pattern: "r.example/*" }, 130001],
  ])("refuses %s and keeps the routes there are", async (_what, body, code) => {
    await client.call("PUT", `${ONE}/routes`, ["kept.example/*"]);
    const refused = await client.call("PUT", `${ONE}/routes`, body);
    expect(refused.success).toBe(false);
    expect(refused.status).toBeLessThan(409);
    expect(refused.errors[0]?.code).toBe(code);
    expect(await routesOf(ONE)).toEqual(["kept.example/*"]);
  });

  it("does not take a route away from another Worker: 400, 10020", async () => {
    await client.call("PUT", `${ONE}/routes`, ["taken.example/*"]);
    const refused = await client.call("PUT", `${TWO}/routes`, [
      "free.example/*",
      "taken.example/*",
    ]);
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 10020 }] });
    expect(refused.errors[0]?.message).toContain("r-one");
    expect(await routesOf(TWO)).toEqual([]);
    expect(await routesOf(ONE)).toEqual(["taken.example/*"]);
  });
});

describe("…/zones/:zone/workers/routes", () => {
  it("adds, shows, changes and removes a route", async () => {
    const zone = (await client.call("POST", ZONES, { name: "Zone.example" })).result;
    expect(zone).toMatchObject({ name: "zone.example", account: { name: "Switchback" } });
    expect((await client.call("POST", ZONES, { name: "zone.example" })).result.id).toBe(zone.id);
    expect((await client.call("GET", `${ZONES}/${zone.id}`)).result).toEqual(zone);
    const at = `${ZONES}/${zone.id}/workers/routes`;
    const pattern = "a.zone.example/*";
    const made = (await client.call("POST", at, { pattern, script: "r-one" })).result;
    expect(made).toMatchObject({ pattern, script: "r-one" });
    expect((await client.call("GET", at)).result).toEqual([made]);
    const moved = await client.call("PUT", `${at}/${made.id}`, { pattern, script: "r-two" });
    expect(moved.result).toEqual({ ...made, script: "r-two" });
    const off = await client.call("PUT", `${at}/${made.id}`, { pattern });
    expect(off.result).toEqual({ id: made.id, pattern });
    expect((await client.call("GET", `${at}/${made.id}`)).result).toEqual({ id: made.id, pattern });
    expect((await client.call("DELETE", `${at}/${made.id}`)).result).toEqual({ id: made.id });
    expect((await client.call("GET", `${at}/${made.id}`)).errors[0]?.code).toBe(10009);
    expect((await client.call("DELETE", `${at}/${made.id}`)).errors[0]?.code).toBe(10009);
  });

  it("does not know other zones, accounts or Workers", async () => {
    const nowhere = `${ZONES}/${"f".repeat(32)}`;
    expect(await client.call("GET", nowhere)).toMatchObject({
      status: 404,
      errors: [{ code: 130003 }],
    });
    expect((await client.call("GET", `${nowhere}/workers/routes`)).status).toBe(404);
    expect((await client.call("GET", `${ZONES}?account.id=other`)).result).toEqual([]);
    expect((await client.call("GET", `${ZONES}?name=unknown.example`)).result).toEqual([]);
    const zone = (await client.call("POST", ZONES, { name: "zone.example" })).result;
    const body = { pattern: "b.zone.example/*", script: "nobody" };
    const refused = await client.call("POST", `${ZONES}/${zone.id}/workers/routes`, body);
    expect(refused).toMatchObject({ status: 404, errors: [{ code: 10007 }] });
    expect((await client.call("POST", ZONES, { name: "not a name" })).status).toBe(400);
  });
});

describe("custom domains", () => {
  const records = (path: string, origins: unknown[], extra = {}) =>
    client.call("PUT", `${path}/domains/records`, {
      override_scope: true,
      override_existing_origin: false,
      override_existing_dns_record: true,
      origins,
      ...extra,
    });

  it("says what a change would do without doing it, then does it", async () => {
    const origins = [{ hostname: "app.d.example" }];
    const at = `${ONE}/domains/changeset?replace_state=true`;
    const added = (await client.call("POST", at, origins)).result;
    expect(added).toMatchObject({
      added: [
        { hostname: "app.d.example", service: "r-one", enabled: true, previews_enabled: false },
      ],
      updated: [],
      removed: [],
      conflicting: [],
    });
    expect(await domainsOf("r-one")).toEqual([]);
    expect(await records(ONE, origins)).toMatchObject({ status: 200, result: null });
    expect(await domainsOf("r-one")).toEqual(["app.d.example"]);
    const same = (await client.call("POST", at, origins)).result;
    expect(same).toMatchObject({ added: [], updated: [{ modified: false }] });
    const other = (await client.call("POST", at, [{ hostname: "b.d.example" }])).result;
    expect(other).toMatchObject({
      added: [{ hostname: "b.d.example" }],
      removed: [{ hostname: "app.d.example" }],
    });
  });

  it("takes a domain from another Worker only when told to, and shows whose it is", async () => {
    await records(ONE, [{ hostname: "app.d.example" }]);
    const asked = await client.call("POST", `${TWO}/domains/changeset?replace_state=true`, [
      { hostname: "app.d.example" },
    ]);
    const [update] = asked.result.updated;
    expect(update).toMatchObject({ service: "r-two", modified: true });
    const record = await client.call("GET", `${DOMAINS}/records/${update.id}`);
    expect(record.result).toMatchObject({ service: "r-one", zone_name: "d.example" });
    const refused = await records(TWO, [{ hostname: "app.d.example" }]);
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 130040 }] });
    expect(await domainsOf("r-one")).toEqual(["app.d.example"]);
    await records(TWO, [{ hostname: "app.d.example" }], { override_existing_origin: true });
    expect(await domainsOf("r-two")).toEqual(["app.d.example"]);
    expect(await domainsOf("r-one")).toEqual([]);
  });

  it("without override_scope adds to the domains that the Worker has", async () => {
    await records(ONE, [{ hostname: "a.d.example" }]);
    await records(ONE, [{ hostname: "b.d.example" }], { override_scope: false });
    expect((await domainsOf("r-one")).toSorted()).toEqual(["a.d.example", "b.d.example"]);
  });

  it("puts, shows and deletes one", async () => {
    const put = await client.call("PUT", DOMAINS, { hostname: "one.d.example", service: "r-one" });
    expect(put.result).toMatchObject({
      hostname: "one.d.example",
      service: "r-one",
      zone_name: "d.example",
      environment: "production",
    });
    const at = `${DOMAINS}/${put.result.id}`;
    expect((await client.call("GET", at)).result).toEqual(put.result);
    expect((await client.call("GET", `${DOMAINS}/records?hostname=one.d.example`)).result).toEqual([
      put.result,
    ]);
    expect((await client.call("DELETE", at)).result).toEqual({ id: put.result.id });
    expect(await client.call("GET", at)).toMatchObject({ status: 404, errors: [{ code: 100114 }] });
    expect((await client.call("DELETE", at)).errors[0]?.code).toBe(100114);
  });

  it.each([
    ["a pattern", { hostname: "*.d.example", service: "r-one" }, 10022],
    ["a control host", { hostname: "localhost", service: "r-one" }, 130041],
    ["a Worker that is not there", { hostname: "x.d.example", service: "nobody" }, 10007],
    [
      "another environment",
      { hostname: "x.d.example", service: "r-one", environment: "dev" },
      130001,
    ],
  ])("refuses %s", async (_what, body, code) => {
    const refused = await client.call("PUT", DOMAINS, body);
    expect(refused.success).toBe(false);
    expect(refused.errors[0]?.code).toBe(code);
    expect((await client.call("GET", DOMAINS)).result).toEqual([]);
  });
});
