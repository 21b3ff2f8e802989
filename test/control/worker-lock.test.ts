import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { LOCK_QUEUE_MAX } from "../../src/domain/limits.ts";
import type { Database } from "../../src/store/database.ts";
import { listDeployments } from "../../src/store/deployments.ts";
import {
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  storedVersion,
  workerLock,
  workerLockStub,
} from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});
const history = (workerId: Awaited<ReturnType<typeof createdWorker>>["id"]) =>
  listDeployments(db, workerId, { limit: 100, offset: 0 });

describe("WorkerLock", () => {
  it("shows a deployment to every reader once deploy has returned, and history has it", async () => {
    const worker = await createdWorker("lock-basic");
    const version = await storedVersion(worker.id);
    const lock = workerLock(worker.id);
    expect(await lock.current()).toBeNull();
    const deployed = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    expect(deployed.ok).toBe(true);
    const current = await workerLock(worker.id).current();
    expect(current?.versions).toEqual([{ versionId: version.id, number: 1, percentage: 100 }]);
    expect((await history(worker.id)).map((d) => d.id)).toEqual([current?.deploymentId]);
  });

  it("changes nothing when it refuses", async () => {
    const worker = await createdWorker("lock-refuse");
    const version = await storedVersion(worker.id);
    const lock = workerLock(worker.id);
    await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    const before = await lock.current();
    const refused = await deployTo(worker.id, deployRequest(command([[version.id, 99]])));
    expect(refused).toMatchObject({ ok: false, error: { kind: "shares_do_not_sum" } });
    expect(await lock.current()).toEqual(before);
    expect(await history(worker.id)).toHaveLength(1);
  });

  it("gives deployments at the same time an order without gaps, each in history once", async () => {
    const worker = await createdWorker("lock-race");
    const version = await storedVersion(worker.id);
    const all = await Promise.all(
      Array.from({ length: LOCK_QUEUE_MAX }, () =>
        deployTo(worker.id, deployRequest(command([[version.id, 100]]))),
      ),
    );
    expect(all.every((result) => result.ok)).toBe(true);
    const rows = await history(worker.id);
    expect(rows.map((row) => row.seq).toReversed()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const times = rows.map((row) => row.createdOn);
    expect(new Set(times).size).toBe(times.length);
    expect(await workerLock(worker.id).current()).toMatchObject({ seq: 8 });
  });

  it("turns away at once whoever would wait behind a full queue", async () => {
    const worker = await createdWorker("lock-full");
    const version = await storedVersion(worker.id);
    const results = await runInDurableObject(workerLockStub(worker.id), (instance) =>
      Promise.all(
        Array.from({ length: LOCK_QUEUE_MAX + 2 }, () =>
          instance.begin(deployRequest(command([[version.id, 100]]))),
        ),
      ),
    );
    const refused = results.filter((result) => result.state === "refused");
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      error: { kind: "lock_queue_full", waiting: LOCK_QUEUE_MAX },
    });
  });

  it("answers a repeated Idempotency-Key with the first deployment and makes no second", async () => {
    const worker = await createdWorker("lock-idem");
    const version = await storedVersion(worker.id);
    const key = { key: "ci-42", bodyHash: "h1" };
    const first = await deployTo(worker.id, deployRequest(command([[version.id, 100]]), key));
    const again = await deployTo(worker.id, deployRequest(command([[version.id, 100]]), key));
    expect(again).toMatchObject({
      ok: true,
      value: { deployment: first.ok ? first.value.deployment : {} },
    });
    expect(await history(worker.id)).toHaveLength(1);
    const other = await deployTo(
      worker.id,
      deployRequest(command([[version.id, 100]]), { key: "ci-42", bodyHash: "h2" }),
    );
    expect(other).toMatchObject({ ok: false, error: { kind: "idempotency_key_reused" } });
  });

  it("attaches repeated calls that arrive together to one deployment", async () => {
    const worker = await createdWorker("lock-idem-race");
    const version = await storedVersion(worker.id);
    const key = { key: "ci-43", bodyHash: "h" };
    const all = await Promise.all(
      Array.from({ length: 6 }, () =>
        deployTo(worker.id, deployRequest(command([[version.id, 100]]), key)),
      ),
    );
    expect(
      new Set(all.map((result) => (result.ok ? result.value.deployment.id : "error"))).size,
    ).toBe(1);
    expect(await history(worker.id)).toHaveLength(1);
  });

  it("refuses under the lock what became stale after the door", async () => {
    const worker = await createdWorker("lock-ifmatch");
    const version = await storedVersion(worker.id);
    const first = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    const expectedCurrentId = first.ok ? first.value.deployment.id : "";
    await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    const late = await deployTo(
      worker.id,
      deployRequest(command([[version.id, 100]], { expectedCurrentId })),
    );
    expect(late).toMatchObject({ ok: false, error: { kind: "deployment_moved" } });
  });

  it("remembers across an eviction", async () => {
    const worker = await createdWorker("lock-evict");
    const version = await storedVersion(worker.id);
    await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    await evictDurableObject(workerLockStub(worker.id));
    expect(await workerLock(worker.id).current()).toMatchObject({ seq: 1 });
  });

  it("finds the current deployment in the ledger when its own storage is lost", async () => {
    const worker = await createdWorker("lock-restore");
    const version = await storedVersion(worker.id);
    await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    await runInDurableObject(workerLockStub(worker.id), (_instance, state) =>
      state.storage.deleteAll(),
    );
    await evictDurableObject(workerLockStub(worker.id));
    expect(await workerLock(worker.id).current()).toMatchObject({ seq: 1 });
    const next = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    expect(next).toMatchObject({ ok: true, value: { deployment: { seq: 2 } } });
  });

  it("gives a deployment up, for good, when its place in the ledger is another's", async () => {
    const worker = await createdWorker("lock-fenced");
    const version = await storedVersion(worker.id);
    const lock = workerLock(worker.id);
    await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    await env.DB.prepare(
      `INSERT INTO deployments (id, worker_id, seq, status, intent_id, created_on, triggered_by, message, author_id, author_email, source)
       VALUES ('late', ?, 2, 'aborted', 'late', 1, 'deployment', '', '', '', '')`,
    )
      .bind(worker.id)
      .run();
    const fenced = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    expect(fenced).toMatchObject({ ok: false, error: { kind: "ledger_unavailable" } });
    expect(await lock.current()).toMatchObject({ seq: 1 });
    const next = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    expect(next).toMatchObject({ ok: true, value: { deployment: { seq: 3 } } });
  });

  it("refuses a Worker that is gone", async () => {
    const worker = await createdWorker("lock-gone");
    const version = await storedVersion(worker.id);
    await env.DB.prepare("UPDATE workers SET deleted_on = 1 WHERE id = ?").bind(worker.id).run();
    const refused = await deployTo(worker.id, deployRequest(command([[version.id, 100]])));
    expect(refused).toMatchObject({ ok: false, error: { kind: "worker_not_found" } });
  });
});
