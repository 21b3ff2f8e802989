/** What a deployment sees of D1 databases: what answers in time, and never a reason to refuse. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ControlContext } from "../../src/control/context.ts";
import { lookAtD1 } from "../../src/control/look-at-d1.ts";
import { storesOf } from "../../src/data/stores.ts";
import { D1_LOOK_DATABASES_MAX, D1_LOOK_NAME_CHARS_MAX } from "../../src/domain/limits-d1.ts";
import { openDatabase } from "../../src/store/database.ts";
import { ACCOUNT, addVersion, apiClient, deployedWorker, type Client } from "../api/api-fixture.ts";

const TABLE =
  "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP);";
const stores = storesOf(env, { exports });
const context = { db: openDatabase(env.DB), stores };

let client: Client;
beforeAll(async () => {
  client = await apiClient();
}, 60_000);

let made = 0;
async function database(sql?: string): Promise<string> {
  const { result } = await client.call("POST", `${ACCOUNT}/d1/database`, {
    name: `look-${made++}`,
  });
  if (sql !== undefined) {
    const ran = await client.call("POST", `${ACCOUNT}/d1/database/${result.uuid}/query`, { sql });
    expect(ran.errors).toEqual([]);
  }
  return result.uuid;
}

/** A version that is bound to these databases. */
async function versionWith(name: string, ids: readonly string[]): Promise<string> {
  const { path } = await deployedWorker(client, name);
  const bindings = ids.map((id, n) => ({ type: "d1", name: `DB${n}`, id }));
  return addVersion(client, path, { bindings });
}

/** Stores in which the queries of some databases end in another way. */
const whereQuery = (
  ends: (id: string) => Promise<never> | undefined,
): Pick<ControlContext, "db" | "stores"> => ({
  ...context,
  stores: {
    ...({} as ControlContext["stores"]),
    D1Store: {
      ...({} as ControlContext["stores"]["D1Store"]),
      query: (id, request) => ends(id) ?? stores.D1Store.query(id, request),
    },
  },
});

describe("a look at D1 databases", () => {
  it("tells how many migrations each has and which came last, of none where wrangler never applied any", async () => {
    const fresh = await database();
    const empty = await database(TABLE);
    const two = await database(
      `${TABLE} INSERT INTO d1_migrations (name) VALUES ('0001_a.sql'), ('0002_b.sql');`,
    );
    const version = await versionWith("look-all", [fresh, empty, two]);
    expect(await lookAtD1(context, [version])).toEqual({
      [fresh]: { count: 0, last: null },
      [empty]: { count: 0, last: null },
      [two]: { count: 2, last: "0002_b.sql" },
    });
    expect(await lookAtD1(context, [])).toEqual({});
    // A deleted one is missed by another rule; nothing is asked of it.
    await client.call("DELETE", `${ACCOUNT}/d1/database/${fresh}`);
    expect(Object.keys(await lookAtD1(context, [version])).sort()).toEqual([empty, two].sort());
  });

  it("leaves out what does not answer, breaks, or keeps something else under that name", async () => {
    const [good, stuck, lost] = [await database(TABLE), await database(), await database()];
    const other = await database("CREATE TABLE d1_migrations (x)");
    const view = await database("CREATE VIEW d1_migrations AS SELECT id, name FROM nowhere");
    const version = await versionWith("look-broken", [good, stuck, lost, other, view]);
    const seen = await lookAtD1(
      whereQuery((id) =>
        id === stuck
          ? new Promise<never>(() => undefined)
          : id === lost
            ? Promise.reject(new Error("the store is gone"))
            : undefined,
      ),
      [version],
    );
    expect(seen).toEqual({ [good]: { count: 0, last: null } });
  });

  it("looks at no more databases than its limit", async () => {
    const ids: string[] = [];
    for (let n = 0; n <= D1_LOOK_DATABASES_MAX; n++) ids.push(await database());
    const atLimit = await versionWith("look-limit", ids.slice(1));
    expect(Object.keys(await lookAtD1(context, [atLimit]))).toHaveLength(D1_LOOK_DATABASES_MAX);
    const above = await versionWith("look-above", ids);
    expect(Object.keys(await lookAtD1(context, [above]))).toHaveLength(D1_LOOK_DATABASES_MAX);
  });

  it("keeps no more of a name than its limit, whatever somebody wrote into the table", async () => {
    const named = (chars: number) =>
      database(`${TABLE} INSERT INTO d1_migrations (name) VALUES ('${"n".repeat(chars)}');`);
    const atLimit = await named(D1_LOOK_NAME_CHARS_MAX);
    const above = await named(D1_LOOK_NAME_CHARS_MAX + 1);
    const version = await versionWith("look-names", [atLimit, above]);
    const kept = { count: 1, last: "n".repeat(D1_LOOK_NAME_CHARS_MAX) };
    expect(await lookAtD1(context, [version])).toEqual({ [atLimit]: kept, [above]: kept });
  });
});
