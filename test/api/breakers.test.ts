import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { tripBreaker } from "../../src/control/trip-breaker.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import { openDatabase } from "../../src/store/database.ts";
import { locksContext, newUuid } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, deployedWorker, SCRIPTS, split, type Client } from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

/** A deployed Worker whose version is stopped. */
async function stoppedWorker(name: string) {
  const { path, versionId } = await deployedWorker(client, name);
  const id = (await client.call("GET", `${ACCOUNT}/workers/workers/${name}`)).result.id as WorkerId;
  const tripped = await tripBreaker(
    { ...locksContext, db: openDatabase(env.DB) },
    { workerId: id, versionId: versionId as VersionId, reason: "blocked", strikes: 2 },
  );
  expect(tripped.ok).toBe(true);
  const list = async () => (await client.call("GET", `${path}/breakers`)).result as unknown;
  return { path, versionId, list };
}

describe("GET …/breakers", () => {
  it("lists the versions that are stopped: why, since when, and under which deployment", async () => {
    const { path, versionId, list } = await stoppedWorker("b-list");
    const deployments = (await client.call("GET", `${path}/deployments`)).result.deployments;
    expect(await list()).toEqual([
      {
        version_id: versionId,
        deployment_id: deployments[0].id as string,
        reason: "blocked",
        strikes: 2,
        stopped_on: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*000Z$/) as string,
      },
    ]);
  });

  it("is empty as long as nothing is, and again after the next deployment", async () => {
    const { path: other } = await deployedWorker(client, "b-none");
    expect((await client.call("GET", `${other}/breakers`)).result).toEqual([]);
    const { path, versionId, list } = await stoppedWorker("b-void");
    await client.call("POST", `${path}/deployments`, split([versionId, 100]));
    expect(await list()).toEqual([]);
  });

  it("of a Worker that is not there: 404, 10007", async () => {
    const refused = await client.call("GET", `${SCRIPTS}/b-nobody/breakers`);
    expect(refused).toMatchObject({ status: 404, errors: [{ code: 10007 }] });
  });
});

describe("DELETE …/breakers/:version_id", () => {
  it("takes the breaker away, once", async () => {
    const { path, versionId, list } = await stoppedWorker("b-reset");
    const reset = () => client.call("DELETE", `${path}/breakers/${versionId}`);
    expect(await reset()).toMatchObject({ status: 200, result: { version_id: versionId } });
    expect(await list()).toEqual([]);
    expect(await reset()).toMatchObject({ status: 404, errors: [{ code: 130005 }] });
  });

  it.each(["not-an-id", newUuid()])("of %s: 404, 130005, and nothing changes", async (id) => {
    const { path, list } = await stoppedWorker(`b-other-${id.slice(0, 8)}`);
    const refused = await client.call("DELETE", `${path}/breakers/${id}`);
    expect(refused).toMatchObject({ status: 404, errors: [{ code: 130005 }] });
    expect(await list()).toHaveLength(1);
  });

  it("of a Worker that is not there: 404, 10007", async () => {
    const refused = await client.call("DELETE", `${SCRIPTS}/b-nobody/breakers/${newUuid()}`);
    expect(refused).toMatchObject({ status: 404, errors: [{ code: 10007 }] });
  });
});
