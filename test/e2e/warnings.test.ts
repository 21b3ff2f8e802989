/** What is told to somebody who goes back with the real wrangler: it is done all the same, and history keeps what was told. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const config = (kv: string, d1: string, date: string, more = "") => `name = "shop"
main = "src/index.js"
compatibility_date = "${date}"
workers_dev = true
kv_namespaces = [{ binding = "KV", id = "${kv}" }]
[[d1_databases]]
binding = "DB"
database_name = "shop-db"
database_id = "${d1}"
[triggers]
crons = ["0 3 29 2 *"]
${more}`;

test("a rollback is made, and what it does not undo is in the answer and with the deployment", async () => {
  const shop = new Project(host, "shop", says("one"));
  await shop.wrangler("kv", "namespace", "create", "KV");
  await shop.wrangler("d1", "create", "shop-db");
  const kv = (await host.api("A/storage/kv/namespaces")).result[0].id;
  const d1 = (await host.api("A/d1/database/shop-db")).result.uuid;
  const apply = (name: string) =>
    shop
      .write(`migrations/${name}`, `CREATE TABLE t${name.slice(0, 4)} (x);\n`)
      .wrangler("d1", "migrations", "apply", "shop-db", "--remote");

  shop.write("wrangler.toml", config(kv, d1, "2026-09-01"));
  await apply("0001_one.sql");
  const first = await shop.deploy(says("one"));
  shop.write("public/logo.txt", "logo");
  const assets = `[assets]\ndirectory = "public"\n`;
  shop.write("wrangler.toml", config(kv, d1, "2026-10-01", assets));
  const second = await shop.deploy(says("two"));
  await apply("0002_two.sql");
  await apply("0003_three.sql");
  expect((await host.visit(shop.workersHost, "/logo.txt")).body).toBe("logo");

  const target = await host.api("A/workers/scripts/shop/rollback-target");
  const back = await shop.wrangler("rollback", first, "--yes", "--message", "two is broken");
  expect(back.code).toBe(0);
  expect((await host.visit(shop.workersHost, "/logo.txt")).body).toBe("one");

  const deployments = async () =>
    (await host.api("A/workers/scripts/shop/deployments")).result.deployments;
  const [made, before] = await deployments();
  const later = await host.api(`A/workers/scripts/shop/deployments/${made.id}`);
  const facts = [
    {
      code: 130_101,
      resources: [
        { binding: "DB", type: "d1", resource: d1 },
        { binding: "KV", type: "kv_namespace", resource: kv },
      ],
    },
    {
      code: 130_102,
      binding: "DB",
      database_id: d1,
      last_current: { count: 1, last: "0001_one.sql" },
      now: { count: 3, last: "0003_three.sql" },
    },
    { code: 130_104, from: "2026-10-01", to: "2026-09-01" },
    { code: 130_105 },
    { code: 130_106, crons: 1 },
  ];
  expect(later.result.warnings).toMatchObject(facts);
  expect(made.warnings).toEqual(later.result.warnings);
  // It was told before, too.
  expect(target.result).toMatchObject({ version_id: first, warnings: facts });
  expect(before.warnings).toBeUndefined();

  // As a client that reads the answer has it. Forward again nothing is to be told.
  const deploy = (id: string) =>
    host.send("POST", "A/workers/scripts/shop/deployments", {
      strategy: "percentage",
      versions: [{ version_id: id, percentage: 100 }],
    });
  const forward = await deploy(second);
  expect([forward.status, forward.messages]).toEqual([200, []]);
  await apply("0004_four.sql");
  const again = await deploy(first);
  const told = again.messages as { code: number; message: string }[];
  expect([again.status, told.map(({ code }) => code)]).toEqual([
    200,
    facts.map(({ code }) => code),
  ]);
  expect(told[1]?.message).toContain(
    "3 migrations, the last one 0003_three.sql when this version was last current, and has 4 migrations, the last one 0004_four.sql now",
  );

  // What was told stays with the deployment, whatever happens to the host.
  await host.stop();
  await host.start();
  const [newest] = await deployments();
  expect(newest.warnings.map(({ message }: { message: string }) => message)).toEqual(
    told.map(({ message }) => message),
  );
}, 180_000);
