import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { loadRouteTable } from "../../src/store/routing.ts";
import { findWorker } from "../../src/store/workers.ts";
import {
  accountId,
  createdWorker,
  freshDatabase,
  route,
  routingLock,
  routingLockStub,
  someWorker,
} from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});
const sortedTable = async () => {
  const table = (await routingLock().table(-1)).table;
  return { ...table, workers: table?.workers.toSorted((a, b) => a.name.localeCompare(b.name)) };
};

describe("RoutingLock", () => {
  it("answers with the table only to who does not have it", async () => {
    await createdWorker("routing-a");
    const { seq, table } = await routingLock().table(-1);
    expect(table?.workers.map((worker) => worker.name)).toContain("routing-a");
    expect(await routingLock().table(seq)).toEqual({ seq });
  });

  it("two creations of one name at the same time: one Worker, one clear refusal", async () => {
    const results = await Promise.all(
      [1, 2].map(() => route({ kind: "create_worker", worker: someWorker("routing-twin") })),
    );
    const kinds = results.map((result) => (result.ok ? "created" : result.error.kind));
    expect(kinds.toSorted()).toEqual(["created", "worker_exists"]);
  });

  it("writes the ledger and the table alike, and keeps both across an eviction", async () => {
    const worker = await createdWorker("routing-b");
    await route({
      kind: "replace_routes",
      workerId: worker.id,
      routes: [{ pattern: "b.example.com/*" }],
    });
    await route({
      kind: "replace_domains",
      workerId: worker.id,
      domains: [{ hostname: "b.example.org" }],
      override: true,
    });
    await route({ kind: "set_subdomain", workerId: worker.id, enabled: true });
    const before = await sortedTable();
    await evictDurableObject(routingLockStub());
    expect(await sortedTable()).toEqual(before);
    const { table: ledger, state } = await loadRouteTable(db, accountId);
    expect(state).toBe("decided");
    expect(ledger.routes).toEqual(before.routes);
    expect(ledger.domains).toEqual(before.domains);
    expect(ledger.workers.find((host) => host.name === "routing-b")).toMatchObject({
      enabled: true,
    });
  });

  it("finds the table in the ledger when its own storage is lost, under a number nobody has seen", async () => {
    await createdWorker("routing-c");
    const before = await sortedTable();
    const { seq } = await routingLock().table(-1);
    await runInDurableObject(routingLockStub(), (_instance, state) => state.storage.deleteAll());
    await evictDurableObject(routingLockStub());
    expect(await sortedTable()).toEqual(before);
    expect((await routingLock().table(-1)).seq).toBeGreaterThan(seq);
  });

  it("a removed Worker's name is free again", async () => {
    const worker = await createdWorker("routing-d");
    await route({ kind: "remove_worker", workerId: worker.id, deletedOn: 5 });
    expect(await findWorker(db, accountId, worker.name)).toBeNull();
    const again = await createdWorker("routing-d");
    expect((await findWorker(db, accountId, worker.name))?.id).toBe(again.id);
  });
});
