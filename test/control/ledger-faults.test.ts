/** The ledger fails, hangs behind, or comes late: what is told stays true. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { DeployProgress } from "../../src/control/worker-lock.ts";
import type { DeploymentId } from "../../src/domain/ids.ts";
import { NO_CHANGE } from "../../src/domain/routing-diff.ts";
import type { Database } from "../../src/store/database.ts";
import { findReceipt } from "../../src/store/deployments.ts";
import { commitRouting, loadRouteTable } from "../../src/store/routing.ts";
import {
  accountId,
  command,
  createdWorker,
  deployRequest,
  deployTo,
  freshDatabase,
  route,
  routingLock,
  storedVersion,
  workerLock,
  workerLockStub,
} from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});

async function served(name: string, count = 2) {
  const worker = await createdWorker(name);
  const versions: Awaited<ReturnType<typeof storedVersion>>[] = [];
  for (let n = 0; n < count; n++) versions.push(await storedVersion(worker.id));
  const to = (n: number) => deployRequest(command([[versions[n]!.id, 100]]));
  await deployTo(worker.id, to(0));
  return { worker, to, lock: workerLock(worker.id) };
}
const idOf = (progress: DeployProgress): DeploymentId =>
  (progress.state === "draining" ? progress.id : "") as DeploymentId;

/** While `during` runs, the database refuses what `when` says. */
async function failing<T>(when: string, during: () => Promise<T>): Promise<T> {
  await env.DB.prepare(
    `CREATE TRIGGER failing BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'down'); END`,
  ).run();
  try {
    return await during();
  } finally {
    await env.DB.prepare("DROP TRIGGER failing").run();
  }
}
const activation = (id: string) =>
  `UPDATE ON deployments WHEN NEW.status = 'active' AND NEW.worker_id = '${id}'`;

describe("when the ledger fails", () => {
  it("before a deployment is visible: refused, nothing changed, and the next one works", async () => {
    const { worker, to, lock } = await served("fault-s2");
    const refused = await failing(`INSERT ON deployments WHEN NEW.worker_id = '${worker.id}'`, () =>
      deployTo(worker.id, to(1)),
    );
    expect(refused).toMatchObject({ ok: false, error: { kind: "ledger_unavailable" } });
    expect(await lock.current()).toMatchObject({ seq: 1 });
    expect(await deployTo(worker.id, to(1))).toMatchObject({ ok: true });
  });

  it("after it is visible: acknowledged all the same, and the stored receipt is the one that was told", async () => {
    const { worker, to, lock } = await served("fault-s5");
    const done = await failing(activation(worker.id), () => deployTo(worker.id, to(1)));
    if (!done.ok) throw new Error(done.error.kind);
    await route({
      kind: "replace_routes",
      workerId: worker.id,
      routes: [{ pattern: "late-receipt.example/*" }],
    });
    await lock.settledCurrent();
    expect(await findReceipt(db, worker.id, done.value.deployment.id)).toEqual(done.value.receipt);
  });

  it("for two deployments in a row: each has its own receipt once the ledger is back", async () => {
    const { worker, to, lock } = await served("fault-two");
    const ids = await failing(activation(worker.id), async () => {
      const made = [await deployTo(worker.id, to(1)), await deployTo(worker.id, to(1))];
      return made.map((done) => (done.ok ? done.value.deployment.id : null));
    });
    await lock.settledCurrent();
    for (const id of ids) {
      expect(await findReceipt(db, worker.id, id!)).toMatchObject({ deploymentId: id });
    }
  });

  it("after a restart in the middle: the caller hears that nothing changed", async () => {
    const { worker, to, lock } = await served("fault-restart");
    await lock.lease();
    const begun = await lock.begin(to(1));
    await evictDurableObject(workerLockStub(worker.id));
    const told = await failing("INSERT ON deployments WHEN NEW.seq = 2", () =>
      workerLock(worker.id).confirm(idOf(begun)),
    );
    // The row of the earlier life is there already, so writing it again is no insertion: it may as well go on.
    expect(["refused", "draining"]).toContain(told.state);
    if (told.state === "refused") expect(told.error.kind).toBe("ledger_unavailable");
  });
});

describe("when the lock's storage is behind the ledger", () => {
  it("lost: whoever asks for a deployment that was on its way hears how far it is", async () => {
    const { worker, to, lock } = await served("fault-lost");
    await lock.lease();
    const begun = await lock.begin(to(1));
    await runInDurableObject(workerLockStub(worker.id), (_lock, state) =>
      state.storage.deleteAll(),
    );
    await evictDurableObject(workerLockStub(worker.id));
    expect(await workerLock(worker.id).confirm(idOf(begun))).toMatchObject({ state: "draining" });
    // Nobody is answered before it is sure, also after another restart.
    expect((await workerLock(worker.id).lease()).grant).toEqual({ kind: "refuse" });
    await evictDurableObject(workerLockStub(worker.id));
    expect((await workerLock(worker.id).lease()).grant).toEqual({ kind: "refuse" });
  });

  it("set back: the next deployment notices, nothing is overwritten, and the one after it works", async () => {
    const { worker, to } = await served("fault-back", 3);
    const saved = await runInDurableObject(
      workerLockStub(worker.id),
      (_lock, state) => state.storage.sql.exec("SELECT state FROM register").one()["state"],
    );
    await deployTo(worker.id, to(1));
    await runInDurableObject(workerLockStub(worker.id), (_lock, state) => {
      state.storage.sql.exec("UPDATE register SET state = ?", saved ?? null);
    });
    await evictDurableObject(workerLockStub(worker.id));
    expect(await deployTo(worker.id, to(2))).toMatchObject({
      ok: false,
      error: { kind: "ledger_unavailable" },
    });
    expect(await workerLock(worker.id).current()).toMatchObject({ seq: 2 });
    expect(await deployTo(worker.id, to(2))).toMatchObject({
      ok: true,
      value: { deployment: { seq: 3 } },
    });
  });
});

describe("a change of the route table that was given up", () => {
  it("is not brought to life by its own late write", async () => {
    const worker = await createdWorker("fault-routes");
    const refused = await failing("INSERT ON routes WHEN NEW.pattern LIKE 'given-up%'", () =>
      route({
        kind: "replace_routes",
        workerId: worker.id,
        routes: [{ pattern: "given-up.example/*" }],
      }),
    );
    expect(refused).toMatchObject({ ok: false, error: { kind: "ledger_unavailable" } });
    const { seq } = await routingLock().table(-1);
    const zone = { id: "f".repeat(32), name: "given-up.example" };
    const late = {
      ...NO_CHANGE,
      newZones: [zone],
      putRoutes: [
        {
          id: "1".repeat(32),
          zoneId: zone.id,
          pattern: "given-up.example/*",
          workerId: worker.id,
        },
      ],
    };
    const entry = {
      id: "late",
      at: 1,
      actorId: "",
      actorEmail: "",
      action: "routing.late",
      target: "routing",
      details: {},
    };
    await commitRouting(db, accountId, { seq, undo: false }, late, 1, entry);
    const { table, state } = await loadRouteTable(db, accountId);
    expect(state).toBe("decided");
    expect(table.routes.map(({ pattern }) => pattern)).not.toContain("given-up.example/*");
    expect(
      await route({
        kind: "replace_routes",
        workerId: worker.id,
        routes: [{ pattern: "given-up.example/*" }],
      }),
    ).toMatchObject({ ok: true });
  });
});
