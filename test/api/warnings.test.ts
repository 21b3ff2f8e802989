/** What a deployment that goes back is told in `messages`, and what its history keeps of that. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { storesOf } from "../../src/data/stores.ts";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  split,
  uploadBody,
  type Client,
} from "./api-fixture.ts";

let client: Client;
beforeAll(async () => {
  client = await apiClient();
}, 60_000);

const codes = (answer: { messages: readonly { code: number }[] }) =>
  answer.messages.map(({ code }) => code);

/** As `wrangler d1 migrations apply` does it. */
const migrate = async (id: string, name: string) => {
  const sql = `CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP);
    INSERT INTO d1_migrations (name) VALUES ('${name}');`;
  const ran = await client.call("POST", `${ACCOUNT}/d1/database/${id}/query`, { sql });
  expect(ran.errors).toEqual([]);
};
const database = async (name: string): Promise<string> =>
  (await client.call("POST", `${ACCOUNT}/d1/database`, { name })).result.uuid;
const withDatabase = (id: string) => ({ bindings: [{ type: "d1", name: "DB", id }] });

/** One that is looked at, and never answers. */
const stuck = () => {
  const stores = storesOf(env, { exports });
  const query = () => new Promise<never>(() => undefined);
  return apiClient({ stores: { ...stores, D1Store: { ...stores.D1Store, query } } });
};

describe("a deployment that goes back", () => {
  it("says what it does not undo, and its history says so later, with the facts", async () => {
    const db = await database("warned");
    const { result: kv } = await client.call("POST", `${ACCOUNT}/storage/kv/namespaces`, {
      title: "warned",
    });
    const bindings = [
      { type: "kv_namespace", name: "KV", namespace_id: kv.id },
      { type: "d1", name: "DB", id: db },
    ];
    const { path, versionId: first } = await deployedWorker(client, "warned", {
      bindings,
      compatibility_date: "2026-09-01",
    });
    await client.call("PUT", `${path}/schedules`, [{ cron: "0 3 * * *" }]);
    await migrate(db, "0001_a.sql");
    expect((await client.call("PUT", path, uploadBody({ bindings }))).messages).toEqual([]);
    await migrate(db, "0002_b.sql");

    const back = await client.call("POST", `${path}/deployments`, split([first, 100]));
    expect([back.status, back.errors, codes(back)]).toEqual([
      200,
      [],
      [130_101, 130_102, 130_104, 130_106],
    ]);
    const [kept, differ, date, triggers] = back.messages.map(({ message }) => message);
    expect(kept).toContain(`DB (D1 database ${db}), KV (KV namespace ${kv.id})`);
    expect(differ).toContain("1 migration, the last one 0001_a.sql");
    expect(differ).toContain("2 migrations, the last one 0002_b.sql");
    expect(date).toContain("from 2026-10-01 to 2026-09-01");
    expect(triggers).toContain("Cron triggers (1)");
    const stored = [
      expect.objectContaining({
        code: 130_101,
        resources: expect.arrayContaining([{ binding: "DB", type: "d1", resource: db }]),
      }),
      expect.objectContaining({
        code: 130_102,
        binding: "DB",
        database_id: db,
        last_current: { count: 1, last: "0001_a.sql" },
        now: { count: 2, last: "0002_b.sql" },
      }),
      expect.objectContaining({ code: 130_104, from: "2026-10-01", to: "2026-09-01" }),
      expect.objectContaining({ code: 130_106, crons: 1, routes: 0 }),
    ];
    const later = await client.call("GET", `${path}/deployments/${back.result.id}`);
    expect(later.result.warnings).toEqual(stored);
    expect(later.result.warnings.map(({ message }: { message: string }) => message)).toEqual(
      back.messages.map(({ message }) => message),
    );
    const { result: list } = await client.call("GET", `${path}/deployments`);
    const ofEach = list.deployments.map((each: { warnings?: unknown }) => each.warnings);
    expect(ofEach).toEqual([stored, undefined, undefined]);
  });

  it("compares with the time when the version was last current, not with when it was first", async () => {
    const db = await database("last-current");
    const { path, versionId: first } = await deployedWorker(client, "again", withDatabase(db));
    const second = await addVersion(client, path, withDatabase(db));
    const to = (id: string) => client.call("POST", `${path}/deployments`, split([id, 100]));
    expect(codes(await to(second))).toEqual([]);
    await migrate(db, "0001_a.sql");
    expect(codes(await to(first))).toEqual([130_101, 130_102]);
    expect(codes(await to(second))).toEqual([]);
    expect(codes(await to(first))).toEqual([130_101]);
  });

  it("waits for no database that is stuck: it is made, and says what was not compared", async () => {
    const db = await database("stuck");
    const { path, versionId: first } = await deployedWorker(client, "stuck", withDatabase(db));
    await client.call("PUT", path, uploadBody(withDatabase(db)));
    const wedged = await stuck();
    const back = await wedged.call("POST", `${path}/deployments`, split([first, 100]));
    expect([back.status, codes(back)]).toEqual([200, [130_101, 130_103]]);
    expect(back.result.versions[0].version_id).toBe(first);
  });

  it("has nothing to compare where nothing was recorded, or where the version never served", async () => {
    const db = await database("unrecorded");
    const { path, versionId: first } = await deployedWorker(client, "unseen", withDatabase(db));
    const never = await addVersion(client, path, withDatabase(db));
    const wedged = await stuck();
    const put = await wedged.call("PUT", path, uploadBody(withDatabase(db)));
    expect(put.errors).toEqual([]);
    await migrate(db, "0001_a.sql");
    for (const id of [never, first]) {
      const back = await client.call("POST", `${path}/deployments`, split([id, 100]));
      expect([back.status, codes(back)]).toEqual([200, [130_101]]);
    }
  });

  it("is told beforehand by the rollback's target, from a look at the same databases", async () => {
    const db = await database("beforehand");
    const { path } = await deployedWorker(client, "before", withDatabase(db));
    await client.call("PUT", path, uploadBody(withDatabase(db)));
    const asked = async () => (await client.call("GET", `${path}/rollback-target`)).result.warnings;
    const told = async () => (await asked()).map(({ code }: { code: number }) => code);
    expect(await told()).toEqual([130_101]);
    await migrate(db, "0001_a.sql");
    expect(await told()).toEqual([130_101, 130_102]);
  });
});
