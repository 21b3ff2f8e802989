import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ActingContext } from "../../src/control/context.ts";
import { listBreakers } from "../../src/control/list-breakers.ts";
import { previewVersion } from "../../src/control/preview-version.ts";
import { resetBreaker } from "../../src/control/reset-breaker.ts";
import { tripBreaker } from "../../src/control/trip-breaker.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import type { Database } from "../../src/store/database.ts";
import {
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  locksContext,
  newUuid,
  storedVersion,
  workerLock,
  workerLockStub,
} from "../support/fixtures.ts";

let db: Database;
let context: ActingContext;
beforeAll(async () => {
  db = await freshDatabase();
  context = { ...locksContext, db };
});

/** A Worker with two versions, the first deployed with all the traffic. */
async function served(name: string) {
  const worker = await createdWorker(name);
  const workerId = worker.id;
  const [a, b] = [(await storedVersion(workerId)).id, (await storedVersion(workerId)).id];
  const deploy = async (...shares: readonly (readonly [VersionId, number])[]) => {
    const done = await deployTo(workerId, deployRequest(command(shares)));
    if (!done.ok) throw new Error(done.error.kind);
  };
  await deploy([a, 100]);
  const trip = (versionId: VersionId = a) =>
    tripBreaker(context, { workerId, versionId, reason: "blocked", strikes: 2 });
  /** What gateways hear. */
  const stopped = async () => {
    const lease = await workerLock(workerId).lease();
    return lease.stopped.map(({ versionId }) => versionId);
  };
  const listed = async () =>
    (await listBreakers(context, worker)).map(({ versionId }) => versionId);
  const audit = async () =>
    (
      await env.DB.prepare(
        "SELECT action, actor_id, actor_email, details FROM audit WHERE target = ? AND action LIKE 'breaker%' ORDER BY at",
      )
        .bind(`worker:${workerId}`)
        .all<{ action: string; actor_id: string; actor_email: string; details: string }>()
    ).results;
  return { worker, workerId, a, b, deploy, trip, stopped, listed, audit };
}

const restart = (workerId: WorkerId) => evictDurableObject(workerLockStub(workerId));
const loseStorage = async (workerId: WorkerId) => {
  await runInDurableObject(workerLockStub(workerId), (_, state) => state.storage.deleteAll());
  await restart(workerId);
};

describe("a breaker that trips", () => {
  it("is told with every lease, listed, and in the audit as the host's deed", async () => {
    const { workerId, a, trip, stopped, listed, audit } = await served("trip");
    expect(await stopped()).toEqual([]);
    const tripped = await trip();
    expect(tripped).toMatchObject({ ok: true, value: { versionId: a, deploymentSeq: 1 } });
    expect((await workerLock(workerId).lease()).stopped).toEqual([
      { versionId: a, reason: "blocked", strikes: 2, stoppedOn: expect.any(Number) as number },
    ]);
    expect(await listed()).toEqual([a]);
    const [line, ...others] = await audit();
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      action: "breaker.trip",
      actor_id: "host",
      actor_email: "host@switchback",
    });
    expect(JSON.parse(line!.details)).toMatchObject({ version: a, reason: "blocked", strikes: 2 });
  });

  it("a second time changes nothing and answers the same", async () => {
    const { trip, listed, audit } = await served("trip-twice");
    const first = await trip();
    expect(await trip()).toEqual(first);
    expect(await Promise.all([trip(), trip()])).toEqual([first, first]);
    expect(await listed()).toHaveLength(1);
    expect(await audit()).toHaveLength(1);
  });

  it("stops one version of a split alone", async () => {
    const { a, b, deploy, trip, stopped } = await served("trip-split");
    await deploy([a, 50], [b, 50]);
    await trip(b);
    expect(await stopped()).toEqual([b]);
  });

  it("survives a restart of the lock, and the loss of its storage", async () => {
    const { workerId, a, trip, stopped } = await served("trip-restart");
    await trip();
    await restart(workerId);
    expect(await stopped()).toEqual([a]);
    await loseStorage(workerId);
    expect(await stopped()).toEqual([a]);
  });

  it("holds although the database cannot be written, and is written when the host says it again", async () => {
    const { workerId, a, stopped, listed, audit } = await served("trip-no-ledger");
    const batch = () => Promise.reject(new Error("down"));
    const broken = { ...context, db: Object.assign(Object.create(db) as Database, { batch }) };
    const seen = { workerId, versionId: a, reason: "crashed", strikes: 2 } as const;
    await expect(tripBreaker(broken, seen)).rejects.toThrow("down");
    expect(await stopped()).toEqual([a]);
    expect(await listed()).toEqual([]);
    expect(await tripBreaker(context, seen)).toMatchObject({ ok: true });
    expect(await listed()).toEqual([a]);
    expect(await audit()).toHaveLength(1);
  });

  it("is void with the next deployment, of the same version too, and for good", async () => {
    const { workerId, a, deploy, trip, stopped, listed } = await served("trip-void");
    await trip();
    await deploy([a, 100]);
    expect(await stopped()).toEqual([]);
    expect(await listed()).toEqual([]);
    await loseStorage(workerId);
    expect(await stopped()).toEqual([]);
    await trip();
    expect(await stopped()).toEqual([a]);
  });

  it("of a version that is not deployed any more changes nothing that visitors see", async () => {
    const { a, b, deploy, trip, stopped } = await served("trip-late");
    await deploy([b, 100]);
    expect(await trip(a)).toMatchObject({ ok: true, value: { deploymentSeq: 2 } });
    expect(await stopped()).toEqual([]);
    await deploy([a, 100]);
    expect(await stopped()).toEqual([]);
  });

  it("stops a preview of a Worker that has no deployment, until it has one", async () => {
    const { id: workerId } = await createdWorker("trip-preview");
    const { id } = await storedVersion(workerId, {
      annotations: { triggeredBy: "version_upload", alias: "next", other: {} },
    });
    expect(await previewVersion(db, workerId, "next")).toEqual({ versionId: id, stopped: null });
    await tripBreaker(context, { workerId, versionId: id, reason: "memory", strikes: 2 });
    const stopped = { versionId: id, reason: "memory", strikes: 2 };
    expect(await previewVersion(db, workerId, "next")).toMatchObject({ versionId: id, stopped });
    expect(await previewVersion(db, workerId, id.slice(0, 8))).toMatchObject({ stopped });
    await loseStorage(workerId);
    const other = await storedVersion(workerId);
    await deployTo(workerId, deployRequest(command([[other.id, 100]])));
    expect(await previewVersion(db, workerId, "next")).toEqual({ versionId: id, stopped: null });
    expect(await previewVersion(db, workerId, "nobody")).toBeNull();
  });

  it("is refused for another Worker's version, one that is not there, and a Worker that is gone", async () => {
    const one = await served("trip-refused");
    const other = await served("trip-refused-other");
    const trip = (workerId: WorkerId, versionId: VersionId) =>
      tripBreaker(context, { workerId, versionId, reason: "blocked", strikes: 2 });
    for (const versionId of [other.a, newUuid() as VersionId]) {
      expect(await trip(one.workerId, versionId)).toMatchObject({
        ok: false,
        error: { kind: "version_not_found" },
      });
    }
    await env.DB.prepare("UPDATE workers SET deleted_on = 1 WHERE id = ?")
      .bind(other.workerId)
      .run();
    expect(await trip(other.workerId, other.a)).toMatchObject({
      ok: false,
      error: { kind: "worker_not_found" },
    });
    expect(await one.stopped()).toEqual([]);
    expect(await one.audit()).toEqual([]);
  });
});

describe("a reset", () => {
  it("lets the version serve again, with a line of the audit; a second finds nothing", async () => {
    const { worker, workerId, a, trip, stopped, listed, audit } = await served("reset");
    await trip();
    expect(await resetBreaker(context, worker, a.toUpperCase())).toEqual({
      ok: true,
      value: undefined,
    });
    expect(await stopped()).toEqual([]);
    expect(await listed()).toEqual([]);
    await loseStorage(workerId);
    expect(await stopped()).toEqual([]);
    expect((await audit()).map(({ action }) => action).toSorted()).toEqual([
      "breaker.reset",
      "breaker.trip",
    ]);
    const none = { ok: false, error: { kind: "breaker_not_found", versionId: a } };
    expect(await resetBreaker(context, worker, a)).toEqual(none);
    expect(await audit()).toHaveLength(2);
  });

  it("frees one version and leaves the others stopped", async () => {
    const { worker, a, b, deploy, trip, stopped } = await served("reset-one");
    await deploy([a, 50], [b, 50]);
    await trip(a);
    await trip(b);
    await resetBreaker(context, worker, a);
    expect(await stopped()).toEqual([b]);
  });

  it("that failed half-way is finished by the next one", async () => {
    const { worker, workerId, a, trip, listed } = await served("reset-half");
    await trip();
    await workerLock(workerId).resume(a);
    expect(await listed()).toEqual([a]);
    expect(await resetBreaker(context, worker, a)).toMatchObject({ ok: true });
    expect(await listed()).toEqual([]);
  });

  it("of what is no version's id finds nothing", async () => {
    const { worker } = await served("reset-bad");
    expect(await resetBreaker(context, worker, "x")).toMatchObject({
      ok: false,
      error: { kind: "breaker_not_found" },
    });
  });
});

it("a lease tells of breakers without a question to the database", async () => {
  const { workerId, a, trip } = await served("lease-cheap");
  await trip();
  await runInDurableObject(workerLockStub(workerId), (instance) => {
    // At once, with nothing awaited: no answer of a database can be in it.
    const { stopped }: { stopped?: readonly { versionId: string }[] } = instance.lease();
    expect(stopped?.map(({ versionId }) => versionId)).toEqual([a]);
  });
});
