import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { DeployProgress } from "../../src/control/worker-lock.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import type { Database } from "../../src/store/database.ts";
import { findReceipt, listDeployments, readLedger } from "../../src/store/deployments.ts";
import {
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  route,
  storedVersion,
  workerLock,
  workerLockStub,
} from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});

/** A Worker with `count` versions, the first deployed, and `hold` leases given on it. */
async function served(name: string, count = 2) {
  const worker = await createdWorker(name);
  const versions = [];
  for (let n = 0; n < count; n++) versions.push(await storedVersion(worker.id));
  await deployTo(worker.id, deployRequest(command([[versions[0]!.id, 100]])));
  return { worker, versions, lock: workerLock(worker.id) };
}
const draining = (progress: DeployProgress) => (progress.state === "draining" ? progress : null);
const history = (id: WorkerId) => listDeployments(db, id, { limit: 100, offset: 0 });

describe("leases of a WorkerLock", () => {
  it("a deployment is not visible while a lease on the one before is alive, and is when it has drained", async () => {
    const { worker, versions, lock } = await served("lease-drain");
    const lease = await lock.lease();
    expect(lease.grant).toMatchObject({ kind: "serve", seq: 1 });
    const begun = await lock.begin(deployRequest(command([[versions[1]!.id, 100]])));
    expect(draining(begun)?.waitMs).toBeGreaterThan(0);
    expect(await lock.current()).toMatchObject({ seq: 1 });
    expect(await readLedger(db, worker.id)).toBe("undecided");
    await scheduler.wait(draining(begun)?.waitMs ?? 0);
    const done = await lock.confirm((draining(begun)?.id ?? "") as never);
    expect(done).toMatchObject({ state: "visible", deployment: { seq: 2 } });
    expect(await lock.current()).toMatchObject({ seq: 2 });
    expect(await readLedger(db, worker.id)).toMatchObject({ current: { seq: 2 } });
  });

  it("leases given while a deployment drains do not delay it, and name the versions to load", async () => {
    const { versions, lock } = await served("lease-cut");
    await lock.lease();
    const begun = await lock.begin(deployRequest(command([[versions[1]!.id, 100]])));
    const first = draining(begun)?.waitMs ?? 0;
    await scheduler.wait(first / 2);
    const cut = await lock.lease();
    expect(cut.grant.kind === "serve" && cut.grant.leaseMs < first).toBe(true);
    expect(cut.upcoming).toEqual([versions[1]!.id]);
    const again = await lock.confirm((draining(begun)?.id ?? "") as never);
    expect(draining(again)?.waitMs ?? 0).toBeLessThanOrEqual(first);
  });

  it("the alarm finishes what nobody drives any more", async () => {
    const { versions, lock, worker } = await served("lease-alarm");
    await lock.lease();
    const begun = await lock.begin(deployRequest(command([[versions[1]!.id, 100]])));
    await scheduler.wait(draining(begun)?.waitMs ?? 0);
    expect(await runDurableObjectAlarm(workerLockStub(worker.id))).toBe(true);
    expect(await lock.current()).toMatchObject({ seq: 2 });
    expect((await history(worker.id)).map((deployment) => deployment.seq)).toEqual([2, 1]);
  });

  it("a new instance waits out what the one before may have granted, and answers readers meanwhile", async () => {
    const { versions, lock, worker } = await served("lease-boot");
    await lock.lease();
    await evictDurableObject(workerLockStub(worker.id));
    expect(await workerLock(worker.id).current()).toMatchObject({ seq: 1 });
    const begun = await workerLock(worker.id).begin(
      deployRequest(command([[versions[1]!.id, 100]])),
    );
    expect(draining(begun)?.waitMs).toBeGreaterThan(0);
    // Whoever began it in the earlier life finds it again by its id.
    const id = (draining(begun)?.id ?? "") as never;
    await evictDurableObject(workerLockStub(worker.id));
    const found = await workerLock(worker.id).confirm(id);
    expect(draining(found)?.waitMs).toBeGreaterThan(0);
  });

  it("a rollback goes before a deployment that has not become visible, which is given up and fenced", async () => {
    const { versions, lock, worker } = await served("lease-first", 3);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    await lock.lease();
    const forward = await lock.begin(deployRequest(command([[versions[2]!.id, 100]])));
    expect(forward.state).toBe("draining");
    const back = await deployTo(worker.id, deployRequest(command([[versions[0]!.id, 100]])));
    expect(back.ok).toBe(true);
    const overtaken = await lock.confirm((draining(forward)?.id ?? "") as never);
    expect(overtaken).toMatchObject({
      state: "refused",
      error: { kind: "superseded_by_rollback" },
    });
    expect((await lock.current())?.versions[0]?.versionId).toBe(versions[0]!.id);
    expect((await history(worker.id)).map((deployment) => deployment.seq)).toEqual([4, 2, 1]);
  });

  it("a rollback sends away who waits to move forward, each with a clear answer", async () => {
    const { versions, worker } = await served("lease-queue", 3);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    const lock = workerLock(worker.id);
    await lock.lease();
    const results = await runInDurableObject(workerLockStub(worker.id), async (locked) => {
      const forward = [0, 1, 2].map(() =>
        locked.begin(deployRequest(command([[versions[2]!.id, 100]]))),
      );
      await scheduler.wait(20);
      const back = locked.begin(deployRequest(command([[versions[0]!.id, 100]])));
      return Promise.all([...forward.slice(1), back]);
    });
    expect(results.slice(0, 2)).toMatchObject([
      { state: "refused", error: { kind: "superseded_by_rollback" } },
      { state: "refused", error: { kind: "superseded_by_rollback" } },
    ]);
    expect(results[2]?.state).toBe("draining");
  });

  it("a rollback that is refused makes no way: what is draining goes on", async () => {
    const { versions, lock, worker } = await served("lease-noway", 3);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    await lock.lease();
    const forward = await lock.begin(deployRequest(command([[versions[2]!.id, 100]])));
    const stale = command([[versions[0]!.id, 100]], {
      expectedCurrentId: "00000000-0000-4000-8000-000000000000",
    });
    expect(await lock.begin(deployRequest(stale))).toMatchObject({
      state: "refused",
      error: { kind: "deployment_moved" },
    });
    await scheduler.wait(draining(forward)?.waitMs ?? 0);
    expect(await lock.confirm((draining(forward)?.id ?? "") as never)).toMatchObject({
      state: "visible",
      deployment: { seq: 3 },
    });
  });

  it("a retried key whose deployment a rollback overtook is refused again, and does not undo the rollback", async () => {
    const { versions, lock, worker } = await served("lease-retry", 3);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    await lock.lease();
    const key = { key: "ci", bodyHash: "h" };
    await lock.begin(deployRequest(command([[versions[2]!.id, 100]]), key));
    await deployTo(worker.id, deployRequest(command([[versions[0]!.id, 100]])));
    const retried = await lock.begin(deployRequest(command([[versions[2]!.id, 100]]), key));
    expect(retried).toMatchObject({ error: { kind: "superseded_by_rollback" } });
  });

  it("when storage is lost while a deployment drains, nobody is told which is current until it is sure, and then the new one is", async () => {
    const { versions, lock, worker } = await served("lease-lost");
    await lock.configure({ leaseMs: 400, onIsolation: "refuse", staleMsMax: 0 });
    await scheduler.wait(1_300);
    await lock.lease();
    const begun = await lock.begin(deployRequest(command([[versions[1]!.id, 100]])));
    expect(begun.state).toBe("draining");
    await runInDurableObject(workerLockStub(worker.id), (_instance, state) =>
      state.storage.deleteAll(),
    );
    await evictDurableObject(workerLockStub(worker.id));
    expect((await workerLock(worker.id).lease()).grant).toEqual({ kind: "refuse" });
    const id = (draining(begun)?.id ?? "") as never;
    await scheduler.wait(2_600);
    await workerLock(worker.id).confirm(id);
    expect(await workerLock(worker.id).lease()).toMatchObject({
      grant: { kind: "serve", seq: 2 },
    });
  });

  it("arming shortens the wait of the rollback that follows", async () => {
    const { versions, worker, lock } = await served("lease-armed");
    await lock.arm();
    await scheduler.wait(1_300);
    await lock.lease();
    const begun = await lock.begin(deployRequest(command([[versions[1]!.id, 100]])));
    expect(draining(begun)?.waitMs).toBeLessThanOrEqual(260);
    expect(worker.name).toBe("lease-armed");
  });

  it("a Worker's own lease length goes before the installation's", async () => {
    const { lock } = await served("lease-own");
    await lock.configure({ leaseMs: 40, onIsolation: "refuse", staleMsMax: 0 });
    const lease = await lock.lease();
    expect(lease.grant).toMatchObject({ kind: "serve", leaseMs: 40 });
    expect(lease.settings.onIsolation).toBe("refuse");
  });

  it("the receipt says when it was accepted, drained, flipped and acknowledged, and what it covers", async () => {
    const { versions, worker, lock } = await served("lease-receipt");
    await route({ kind: "set_subdomain", workerId: worker.id, enabled: true });
    await route({
      kind: "replace_routes",
      workerId: worker.id,
      routes: [{ pattern: "r.example/*" }],
    });
    await lock.lease();
    const deployed = await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    const receipt = deployed.ok ? deployed.value.receipt : null;
    expect(receipt?.coverage).toEqual({
      workersHost: `lease-receipt.${env.WORKERS_DOMAIN}`,
      routes: ["r.example/*"],
      domains: [],
    });
    const { acceptedOn, drainedOn, flippedOn, acknowledgedOn } = receipt!;
    expect([acceptedOn, drainedOn, flippedOn, acknowledgedOn].toSorted((a, b) => a - b)).toEqual([
      acceptedOn,
      drainedOn,
      flippedOn,
      acknowledgedOn,
    ]);
    expect(drainedOn).toBeGreaterThan(acceptedOn);
    expect(await findReceipt(db, worker.id, receipt!.deploymentId)).toEqual(receipt);
  });

  it("of a forward, a rollback and another forward at once, nothing forward becomes visible before the rollback", async () => {
    const { versions, worker } = await served("lease-three", 4);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    await workerLock(worker.id).lease();
    const ended: string[] = [];
    const drive = async (name: string, n: number) => {
      const done = await deployTo(worker.id, deployRequest(command([[versions[n]!.id, 100]])));
      ended.push(`${name} ${done.ok ? "visible" : done.error.kind}`);
    };
    await Promise.all([drive("first", 2), drive("rollback", 0), drive("second", 3)]);
    const visible = ended.filter((text) => text.endsWith("visible"));
    expect(visible[0]).toBe("rollback visible");
  });

  it("a keyed call that a rollback sent out of the queue is refused again when it is retried", async () => {
    const { versions, worker } = await served("lease-key", 4);
    await deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])));
    await workerLock(worker.id).lease();
    const keyed = () =>
      deployRequest(command([[versions[3]!.id, 100]]), { key: "ci", bodyHash: "h" });
    const refused = { state: "refused", error: { kind: "superseded_by_rollback" } };
    const waiting = await runInDurableObject(workerLockStub(worker.id), async (lock) => {
      await lock.begin(deployRequest(command([[versions[2]!.id, 100]])));
      const queued = lock.begin(keyed());
      await scheduler.wait(20);
      await lock.begin(deployRequest(command([[versions[0]!.id, 100]])));
      return queued;
    });
    expect(waiting).toMatchObject(refused);
    expect(await workerLock(worker.id).begin(keyed())).toMatchObject(refused);
  });

  it("two teams that deploy new versions at the same time both get their turn, in order", async () => {
    const { versions, lock, worker } = await served("lease-teams", 3);
    await lock.lease();
    const [bert, anna] = await Promise.all([
      deployTo(worker.id, deployRequest(command([[versions[2]!.id, 100]]))),
      scheduler
        .wait(50)
        .then(() => deployTo(worker.id, deployRequest(command([[versions[1]!.id, 100]])))),
    ]);
    expect([bert.ok, anna.ok]).toEqual([true, true]);
    expect((await history(worker.id)).map((deployment) => deployment.seq)).toEqual([3, 2, 1]);
  });
});
