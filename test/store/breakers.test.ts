import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Breaker } from "../../src/domain/breaker.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import type { AuditEntry } from "../../src/domain/worker.ts";
import { insertBreaker, listOpenBreakers, resetOpenBreaker } from "../../src/store/breakers.ts";
import type { Database } from "../../src/store/database.ts";
import {
  accountId,
  author,
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  newUuid,
  storedVersion,
} from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});

const entryOf = (workerId: WorkerId, id = newUuid(), action = "breaker.trip"): AuditEntry => ({
  id,
  at: 5,
  actorId: author.id,
  actorEmail: author.email,
  action,
  target: `worker:${workerId}`,
  details: {},
});

/** A Worker with two versions, not deployed. */
async function setUp(name: string) {
  const { id: workerId } = await createdWorker(name);
  const versions = [await storedVersion(workerId), await storedVersion(workerId)] as const;
  const breaker = (versionId: VersionId, fields: Partial<Breaker> = {}): Breaker => ({
    id: newUuid(),
    versionId,
    reason: "blocked",
    stoppedOn: 1_000,
    strikes: 2,
    deploymentSeq: 0,
    ...fields,
  });
  const insert = (one: Breaker) =>
    insertBreaker(db, accountId, workerId, one, entryOf(workerId, one.id));
  const audit = async () =>
    (
      await env.DB.prepare(
        "SELECT id, action FROM audit WHERE target = ? AND action LIKE 'breaker%'",
      )
        .bind(`worker:${workerId}`)
        .all()
    ).results;
  const reset = (versionId: VersionId) =>
    resetOpenBreaker(
      db,
      accountId,
      workerId,
      versionId,
      entryOf(workerId, undefined, "breaker.reset"),
    );
  const deploy = async (versionId: VersionId) => {
    const done = await deployTo(workerId, deployRequest(command([[versionId, 100]])));
    if (!done.ok) throw new Error(done.error.kind);
    return done.value.deployment;
  };
  return { workerId, a: versions[0].id, b: versions[1].id, breaker, insert, audit, reset, deploy };
}

describe("breakers", () => {
  it("come back as they were stored, the newest first, with the deployment they belong to", async () => {
    const { workerId, a, b, breaker, insert, deploy } = await setUp("breaker-list");
    const before = breaker(a);
    await insert(before);
    expect(await listOpenBreakers(db, workerId)).toEqual([{ ...before, deploymentId: null }]);
    const { id: deploymentId } = await deploy(a);
    const first = breaker(a, { deploymentSeq: 1, reason: "memory", strikes: 3 });
    const second = breaker(b, { deploymentSeq: 1, reason: "crashed", stoppedOn: 2_000 });
    await insert(first);
    await insert(second);
    expect(await listOpenBreakers(db, workerId)).toEqual([
      { ...second, deploymentId },
      { ...first, deploymentId },
    ]);
  });

  it("written twice are one, and one line of the audit", async () => {
    const { workerId, a, breaker, insert, audit } = await setUp("breaker-twice");
    const one = breaker(a);
    await insert(one);
    await insert(one);
    expect(await listOpenBreakers(db, workerId)).toHaveLength(1);
    expect(await audit()).toEqual([{ id: one.id, action: "breaker.trip" }]);
  });

  it("of a version that has an open one are not written, and the audit does not tell of them", async () => {
    const { workerId, a, breaker, insert, audit } = await setUp("breaker-other");
    const one = breaker(a);
    await insert(one);
    await insert(breaker(a));
    expect((await listOpenBreakers(db, workerId)).map(({ id }) => id)).toEqual([one.id]);
    expect(await audit()).toHaveLength(1);
  });

  it("are void with the next deployment", async () => {
    const { workerId, a, breaker, insert, deploy } = await setUp("breaker-void");
    await deploy(a);
    await insert(breaker(a, { deploymentSeq: 1 }));
    expect(await listOpenBreakers(db, workerId)).toHaveLength(1);
    await deploy(a);
    expect(await listOpenBreakers(db, workerId)).toEqual([]);
  });

  it("are reset once, one by one, with a line of the audit; and may trip again", async () => {
    const { workerId, a, b, breaker, insert, audit, reset } = await setUp("breaker-reset");
    await insert(breaker(a));
    await insert(breaker(b));
    expect(await reset(a)).toBe(true);
    expect((await listOpenBreakers(db, workerId)).map(({ versionId }) => versionId)).toEqual([b]);
    expect(await audit()).toHaveLength(3);
    expect(await reset(a)).toBe(false);
    expect(await audit()).toHaveLength(3);
    await insert(breaker(a));
    expect(await listOpenBreakers(db, workerId)).toHaveLength(2);
  });

  it("of other Workers are not touched", async () => {
    const one = await setUp("breaker-mine");
    const other = await setUp("breaker-yours");
    await other.insert(other.breaker(other.a));
    expect(await one.reset(other.a)).toBe(false);
    expect(await listOpenBreakers(db, other.workerId)).toHaveLength(1);
  });
});
