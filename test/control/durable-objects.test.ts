import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { accountId, createdWorker, freshDatabase } from "../support/fixtures.ts";

it("objects that could not be erased before are erased behind the first call after a restart", async () => {
  await freshDatabase();
  const { id: workerId } = await createdWorker("left-over");
  const insert = `INSERT INTO durable_namespaces (id, account_id, worker_id, home_worker_id, transfers,
    class_name, uses_sqlite, created_on, deleted_on) VALUES (?, ?, ?, ?, 0, 'Room', 1, 1, 2)`;
  await env.DB.prepare(insert).bind("a".repeat(32), accountId, workerId, workerId).run();
  const main = (exports as unknown as { default: Fetcher }).default;
  await main.fetch("http://localhost/", { headers: { host: "localhost" } });
  await vi.waitFor(async () => {
    const { results } = await env.DB.prepare("SELECT id FROM durable_namespaces").all();
    expect(results).toEqual([]);
  }, 5_000);
});
