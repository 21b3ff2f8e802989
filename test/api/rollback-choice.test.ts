/** What `previous` comes to when others deploy at the same moment, and when a version was stopped. */
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import type { WorkerLockCalls } from "../../src/control/context.ts";
import type { DeploymentId, VersionId, WorkerId } from "../../src/domain/ids.ts";
import { ROLLBACK_CHOICES_MAX } from "../../src/domain/limits.ts";
import { insertBreaker } from "../../src/store/breakers.ts";
import { openDatabase } from "../../src/store/database.ts";
import { deployments } from "../../src/store/schema.ts";
import { accountId, author, newUuid, workerLock } from "../support/fixtures.ts";
import { apiClient, SCRIPTS, uploadBody, type Client } from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
});

const CODE = "export default { fetch() { return new Response('x'); } };";
const putScript = async (name: string): Promise<string> => {
  const { result } = await client.call(
    "PUT",
    `${SCRIPTS}/${name}`,
    uploadBody({}, { "index.js": CODE }),
  );
  return String(result.deployment_id);
};
const historyOf = async (name: string) =>
  (await client.call("GET", `${SCRIPTS}/${name}/deployments?per_page=100`)).result.deployments;

/** A client whose way from the door to the lock is long enough for `meanwhile`. */
function delayedClient(meanwhile: () => Promise<unknown>): Promise<Client> {
  const delayed = (id: WorkerId): WorkerLockCalls => {
    const lock = workerLock(id);
    return new Proxy(lock, {
      get:
        (_, name: keyof WorkerLockCalls) =>
        async (...args: unknown[]) => {
          if (name === "begin") await meanwhile();
          return (lock[name] as (...given: unknown[]) => unknown)(...args);
        },
    });
  };
  return apiClient({ workerLock: delayed });
}

describe("a rollback to `previous` while others deploy", () => {
  it.each([
    ["without a key", {}],
    ["with a key", { "idempotency-key": "page-7" }],
  ])("goes to what was there before their deployment (%s)", async (what, headers) => {
    const name = `race-${what.replaceAll(" ", "-")}`;
    await putScript(name);
    await putScript(name);
    const seen = await putScript(name);
    let came = false;
    const delayed = await delayedClient(async () => {
      if (came) return;
      came = true;
      await putScript(name);
    });
    const made = await delayed.call("POST", `${SCRIPTS}/${name}/rollbacks`, {}, headers);
    expect(made).toMatchObject({ status: 200, result: { versions: [{ version_id: seen }] } });
    expect(await historyOf(name)).toHaveLength(5);
  });

  it("is refused when it has to choose again and again, or has said from where it goes", async () => {
    await putScript("race-lost");
    const from = await putScript("race-lost");
    expect(from).toMatch(/^[0-9a-f-]{36}$/);
    let came = 0;
    const delayed = await delayedClient(async () => {
      came += 1;
      await putScript("race-lost");
    });
    const rollbacks = `${SCRIPTS}/race-lost/rollbacks`;
    const lost = await delayed.call("POST", rollbacks, {});
    expect(lost).toMatchObject({ status: 412, errors: [{ code: 130026 }] });
    expect(came).toBe(ROLLBACK_CHOICES_MAX);
    const [{ id }] = await historyOf("race-lost");
    const named = await delayed.call("POST", rollbacks, {}, { "if-match": id });
    expect(named).toMatchObject({ status: 412, errors: [{ code: 130026 }] });
    expect(came).toBe(ROLLBACK_CHOICES_MAX + 1);
    const all = await historyOf("race-lost");
    expect(all).toHaveLength(2 + came);
    expect(JSON.stringify(all)).not.toContain('"rollback"');
  });
});

describe("a version that was stopped when it served last", () => {
  it("is passed over, and says so, until it is deployed again", async () => {
    const one = await putScript("passed");
    const two = await putScript("passed");
    await putScript("passed");
    const db = openDatabase(env.DB);
    const [, second] = await historyOf("passed");
    const [row] = await db
      .select()
      .from(deployments)
      .where(eq(deployments.id, second.id as DeploymentId));
    const workerId = row?.workerId as WorkerId;
    const breaker = {
      id: newUuid(),
      versionId: two as VersionId,
      deploymentSeq: row?.seq ?? 0,
      reason: "crashed" as const,
      strikes: 3,
      stoppedOn: 5_000,
    };
    const entry = {
      id: breaker.id,
      at: 5_000,
      actorId: author.id,
      actorEmail: author.email,
      action: "breaker.trip",
      target: `worker:${workerId}`,
      details: {},
    };
    await insertBreaker(db, accountId, workerId, breaker, entry);
    const target = await client.call("GET", `${SCRIPTS}/passed/rollback-target`);
    expect(target.result).toMatchObject({
      version_id: one,
      skipped: [{ reason: "current" }, { version_id: two, reason: "stopped" }],
    });
    const made = await client.call("POST", `${SCRIPTS}/passed/rollbacks`, {});
    expect(made.result.versions).toMatchObject([{ version_id: one, percentage: 100 }]);
    // Deployed again it is a new try, and that one was not stopped.
    await client.call("POST", `${SCRIPTS}/passed/deployments`, {
      versions: [{ version_id: two, percentage: 100 }],
    });
    await putScript("passed");
    const again = await client.call("POST", `${SCRIPTS}/passed/rollbacks`, {});
    expect(again.result.versions).toMatchObject([{ version_id: two, percentage: 100 }]);
  });
});
