/** A rollback is one instant for every address of a Worker. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";
import type { Visit } from "./support/visit.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

/** Host and path of each way to the Worker: two routes (one by two hosts), a custom domain, its own host. */
const ADDRESSES = [
  ["shop.example", "/cart/items?n=1"],
  ["de.shop.example", "/anything"],
  ["fr.shop.example", "/"],
  ["checkout.example", "/pay"],
  ["shop.localhost", "/"],
] as const;

const CONFIG = `
workers_dev = true
routes = [
  { pattern = "shop.example/cart/*", zone_name = "shop.example" },
  { pattern = "*.shop.example/*", zone_name = "shop.example" },
  { pattern = "checkout.example", custom_domain = true },
]`;

describe("a Worker with two routes, a custom domain and its own host", () => {
  let project: Project;
  let old = "";
  let bad = "";
  const visitAll = () =>
    Promise.all(ADDRESSES.map(async ([name, path]) => (await host.visit(name, path)).body));
  const everywhere = (text: string) => ADDRESSES.map(() => text);

  beforeAll(async () => {
    project = new Project(host, "shop", says("old"), CONFIG);
    old = await project.deploy(says("old"));
  });

  test("wrangler's exit means that every address serves the new version", async () => {
    expect(await visitAll()).toEqual(everywhere("old"));
    bad = await project.deploy(says("bad"));
    expect(await visitAll()).toEqual(everywhere("bad"));
  });

  test("paths and hosts outside the routes are not the Worker's", async () => {
    for (const [name, path] of [
      ["shop.example", "/"],
      ["shop.example", "/car"],
      ["other.example", "/"],
      ["a.checkout.example", "/"],
    ] as const) {
      expect((await host.visit(name, path)).headers["x-switchback-error"], name + path).toBe(
        "no_such_host",
      );
    }
  });

  test("after a rollback's first sign nobody anywhere is served by the old version", async () => {
    const seen = await watch(() => project.wrangler("rollback", old, "--message", "bad"));
    expect(seen.visits.every(({ status }) => status === 200)).toBe(true);
    // All were watched on both sides of the switch.
    for (const visits of seen.byAddress) {
      expect(new Set(visits.map(({ body }) => body))).toEqual(new Set(["bad", "old"]));
    }
    const firstNew = Math.min(...bodyOf(seen.visits, "old").map(({ endedAt }) => endedAt));
    const late = bodyOf(seen.visits, "bad").filter(({ startedAt }) => startedAt > firstNew);
    expect(late).toEqual([]);
    expect(firstNew).toBeLessThanOrEqual(seen.acknowledgedAt);
    const afterExit = seen.visits.filter(({ startedAt }) => startedAt > seen.acknowledgedAt);
    expect(afterExit.length).toBeGreaterThan(0);
    expect(bodyOf(afterExit, "bad")).toEqual([]);
  });

  test("the same holds for each of twenty deployments by the API in a row", async () => {
    const versions = [bad, old];
    for (let round = 0; round < 20; round++) {
      const to = versions[round % 2] ?? "";
      const seen = await watch(() =>
        host.send("POST", "A/workers/scripts/shop/deployments", {
          strategy: "percentage",
          versions: [{ version_id: to, percentage: 100 }],
        }),
      );
      const [was, is] = to === bad ? ["old", "bad"] : ["bad", "old"];
      const firstNew = Math.min(...bodyOf(seen.visits, is).map(({ endedAt }) => endedAt));
      const bound = Math.min(firstNew, seen.acknowledgedAt);
      const late = bodyOf(seen.visits, was).filter(({ startedAt }) => startedAt > bound);
      expect(late, `round ${round}`).toEqual([]);
    }
  });

  test("a route removed from the configuration stops serving, the others stay", async () => {
    project.write(
      "wrangler.toml",
      `name = "shop"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\nworkers_dev = true
routes = [{ pattern = "shop.example/cart/*", zone_name = "shop.example" }]\n`,
    );
    await project.deploy(says("narrow"));
    expect((await host.visit("shop.example", "/cart/1")).body).toBe("narrow");
    expect((await host.visit("shop.localhost")).body).toBe("narrow");
    expect((await host.visit("de.shop.example")).status).toBe(404);
  });

  test("a route of one Worker cannot be taken by another", async () => {
    const thief = new Project(
      host,
      "thief",
      says("thief"),
      `routes = [{ pattern = "shop.example/cart/*", zone_name = "shop.example" }]`,
    );
    const run = await thief.tryWrangler("deploy");
    expect(run.code).toBe(1);
    expect(run.output).toContain("shop.example/cart/*");
    expect((await host.visit("shop.example", "/cart/1")).body).toBe("narrow");
  });
});

const bodyOf = (visits: readonly Visit[], body: string): Visit[] =>
  visits.filter((visit) => visit.body === body);

/** Visits every address without a pause, two clients each, while `change` runs and a little beyond. */
async function watch(change: () => Promise<unknown>): Promise<{
  visits: Visit[];
  byAddress: Visit[][];
  acknowledgedAt: number;
}> {
  let watching = true;
  const byAddress = ADDRESSES.map((): Visit[] => []);
  const clients = ADDRESSES.flatMap(([name, path], at) =>
    [1, 2].map(async () => {
      while (watching) byAddress[at]?.push(await host.visit(name, path));
    }),
  );
  const before = byAddress.map(() => 3);
  while (byAddress.some((visits, at) => visits.length < (before[at] ?? 0))) await nextTurn();
  await change();
  const acknowledgedAt = performance.now();
  const goal = byAddress.map((visits) => visits.length + 10);
  while (byAddress.some((visits, at) => visits.length < (goal[at] ?? 0))) await nextTurn();
  watching = false;
  await Promise.all(clients);
  return { visits: byAddress.flat(), byAddress, acknowledgedAt };
}
