import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { WorkerId } from "../../src/domain/ids.ts";
import { workerLock, workerLockStub } from "../support/fixtures.ts";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  split,
  type Answer,
  type Client,
} from "./api-fixture.ts";

/** Long enough that no test is overtaken by the end of a drain, short enough to wait for one. */
const LEASE_MS = 2_000;
const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

/** A Worker with two versions, the first deployed, and a lease on it that the next deployment has to wait for. */
async function leased(name: string) {
  const { path, versionId: first } = await deployedWorker(client, name);
  const second = await addVersion(client, path);
  const id = (await client.call("GET", `${ACCOUNT}/workers/workers/${name}`)).result.id as WorkerId;
  await client.call("PUT", `${path}/lease`, { lease_ms: LEASE_MS });
  await workerLock(id).lease();
  const deployments = `${path}/deployments`;
  const accept = (version: string, headers: Record<string, string> = {}) =>
    client.call("POST", `${deployments}?wait=accepted`, split([version, 100]), headers);
  const statusOf = (deployment: string) =>
    client.call("GET", `${deployments}/${deployment}/status`);
  const currentId = async () =>
    (await client.call("GET", deployments)).result.deployments[0].id as string;
  return { id, first, second, deployments, accept, statusOf, currentId };
}

async function whenDrained(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.result?.status !== "draining") return answer;
    await scheduler.wait(Math.max(1, Number(answer.result.wait_ms)));
  }
}

describe("POST …/deployments?wait=accepted", () => {
  it("answers 202 before the deployment is visible, and the status URL tells when it is", async () => {
    const { second, accept, statusOf, currentId, deployments } = await leased("a-accepted");
    const before = await currentId();
    const accepted = await accept(second);
    const id = accepted.result.id as string;
    expect(accepted).toMatchObject({
      status: 202,
      result: {
        status: "draining",
        wait_ms: expect.any(Number) as number,
        status_url: `http://localhost${deployments}/${id}/status`,
      },
    });
    expect(await currentId()).toBe(before);
    expect(await statusOf(id)).toMatchObject({ status: 200, result: { id, status: "draining" } });

    const visible = await whenDrained(() => statusOf(id));
    expect(visible).toMatchObject({ status: 200, result: { id, status: "visible" } });
    expect(await currentId()).toBe(id);
    const receipt = await client.call("GET", `${deployments}/${id}/receipt`);
    expect(visible.result.receipt).toEqual(receipt.result);
  });

  it("repeated after the deployment became visible, answers 200 and its true status", async () => {
    const { path, versionId } = await deployedWorker(client, "a-repeated");
    const key = { "idempotency-key": "accepted-1" };
    const body = split([versionId, 100]);
    const made = await client.call("POST", `${path}/deployments`, body, key);
    const again = await client.call("POST", `${path}/deployments?wait=accepted`, body, key);
    const { id, receipt } = made.result;
    expect(again).toMatchObject({ status: 200, result: { id, status: "visible", receipt } });
    expect(again.result.status_url).toMatch(`/deployments/${id}/status`);
  });

  it("refuses what it would refuse without, and any other way to wait", async () => {
    const { path, versionId } = await deployedWorker(client, "a-refused");
    const at = `${path}/deployments`;
    const unknown = await client.call("POST", `${at}?wait=accepted`, split([UNKNOWN_ID, 100]));
    expect(unknown).toMatchObject({ status: 404, errors: [{ code: 100146 }] });
    const forever = await client.call("POST", `${at}?wait=forever`, split([versionId, 100]));
    expect(forever).toMatchObject({ status: 400, errors: [{ code: 130001 }] });
    expect((await client.call("GET", at)).result.deployments).toHaveLength(1);
  });
});

describe("a deployment that a rollback overtook", () => {
  it("is refused with 412, and its status says that it was given up and why", async () => {
    const { first, second, accept, statusOf, currentId, deployments } = await leased("a-overtaken");
    const key = { "idempotency-key": "forward-1" };
    const forward = await accept(second, key);
    expect(forward.status).toBe(202);
    const rollback = await accept(first);
    expect(rollback.status).toBe(202);

    const again = await client.call("POST", deployments, split([second, 100]), key);
    expect(again).toMatchObject({ status: 412, errors: [{ code: 130035 }], result: null });
    expect(again.headers.get("x-should-retry")).toBe("false");
    const { id } = forward.result;
    expect(await statusOf(id)).toMatchObject({
      status: 200,
      result: { id, status: "given_up", code: 130035, message: again.errors[0]?.message },
    });
    expect(await client.call("GET", `${deployments}/${id}`)).toMatchObject({ status: 404 });
    expect(await client.call("GET", `${deployments}/${id}/receipt`)).toMatchObject({
      status: 404,
      errors: [{ code: 10336 }],
    });

    const done = await whenDrained(() => statusOf(rollback.result.id as string));
    expect(done.result).toMatchObject({
      status: "visible",
      receipt: { versions: [{ version_id: first }] },
    });
    expect(await currentId()).toBe(rollback.result.id);
  });
});

describe("what only history knows", () => {
  it("a deployment that the lock has forgotten is visible, with the receipt of history", async () => {
    const { path } = await deployedWorker(client, "a-forgotten");
    const at = `${path}/deployments`;
    const [{ id }] = (await client.call("GET", at)).result.deployments;
    const known = await client.call("GET", `${at}/${id}/status`);
    const worker = await client.call("GET", `${ACCOUNT}/workers/workers/a-forgotten`);
    await runInDurableObject(workerLockStub(worker.result.id as WorkerId), (_lock, state) => {
      state.storage.sql.exec("DELETE FROM requests");
    });
    expect((await client.call("GET", `${at}/${id}/status`)).result).toEqual(known.result);
    expect(known.result).toMatchObject({ id, status: "visible", receipt: { deployment_id: id } });
  });

  it("a deployment without a receipt says so, and is not taken for one that is not there", async () => {
    const { path } = await deployedWorker(client, "a-no-receipt");
    const at = `${path}/deployments`;
    const [{ id }] = (await client.call("GET", at)).result.deployments;
    await env.DB.prepare("UPDATE deployments SET receipt = NULL WHERE id = ?").bind(id).run();
    const missing = await client.call("GET", `${at}/${id}/receipt`);
    expect(missing).toMatchObject({ status: 404, errors: [{ code: 130004 }] });
    expect(missing.errors[0]?.message).toMatch(new RegExp(`${id} took effect`));
  });

  it.each(["status", "receipt"])("no deployment, no %s: 10336", async (what) => {
    const { path } = await deployedWorker(client, `a-none-${what}`);
    for (const id of [UNKNOWN_ID, "x"]) {
      expect(await client.call("GET", `${path}/deployments/${id}/${what}`)).toMatchObject({
        status: 404,
        errors: [{ code: 10336 }],
      });
    }
  });
});
