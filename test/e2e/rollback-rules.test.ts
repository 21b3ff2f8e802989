/** The rules of a rollback: what is refused is refused by wrangler, the SDK and plain HTTP alike, and changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { says } from "./support/project.ts";
import { EVERY_WAY, refusals, RuledWorker, type WayName } from "./support/ruled-worker.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const UNKNOWN = "00000000-0000-4000-8000-000000000000";
const WRANGLER: readonly WayName[] = ["wrangler rollback", "wrangler versions deploy"];
const API: readonly WayName[] = ["SDK", "HTTP", "HTTP with force"];

async function make(path: string, body: object) {
  const answer = await host.send("POST", path, body);
  expect(answer.errors).toEqual([]);
  return answer.result;
}

async function remove(path: string): Promise<void> {
  expect((await host.api(path, { method: "DELETE" })).errors).toEqual([]);
}

/** By each of `ways`: these codes in this order, and a text that has all of `named` in it. */
async function isRefused(
  worker: RuledWorker,
  versionId: string,
  codes: readonly number[],
  named: readonly string[],
  ways: readonly WayName[] = EVERY_WAY,
): Promise<void> {
  for (const refused of await refusals(worker, versionId, ways)) {
    expect(refused.codes, `${refused.way}: ${refused.text}`).toEqual(codes);
    for (const text of named) expect(refused.text, refused.way).toContain(text);
  }
}

describe("a version is refused by wrangler, the SDK and plain HTTP alike", () => {
  test("when it is not among the most recently uploaded ones; the oldest of those is not", async () => {
    const worker = new RuledWorker(host, "recent");
    const one = await worker.put({ source: says("one") });
    const two = await worker.put({ source: says("two") });
    await worker.put({ source: says("three") });
    await host.send("PUT", worker.path("deployable-versions"), { max: 2 });
    const named = [one, "only the 2 most recently uploaded", "from number 2 on", "Nothing was"];
    await isRefused(worker, one, [130052], named);
    const { result } = await host.api(worker.path("versions?deployable=true"));
    expect(result.items.map(({ number }: { number: number }) => number)).toEqual([3, 2]);
    await worker.project.wrangler("rollback", two);
    expect(await worker.serves()).toBe("two");
  });

  test("when a Durable Object migration lies between, one that made the class or one that deleted it", async () => {
    const worker = new RuledWorker(host, "between");
    const room = `import { DurableObject } from "cloudflare:workers";\nexport class Room extends DurableObject {}\n`;
    const without = await worker.put({ source: says("without") });
    const withRoom = await worker.put({
      source: room + says("with"),
      migrations: { new_tag: "v1", new_sqlite_classes: ["Room"] },
    });
    const made = [without, "migration v1 lies between", "class Room", withRoom, "number 2"];
    await isRefused(worker, without, [130055], made);
    const half = await worker.deploy([
      [without, 50],
      [withRoom, 50],
    ]);
    expect(half).toMatchObject({ status: 400, errors: [{ code: 130055 }] });

    await worker.put({
      source: says("deleted"),
      migrations: { old_tag: "v1", new_tag: "v2", steps: [{ deleted_classes: ["Room"] }] },
    });
    await isRefused(worker, withRoom, [130055], [withRoom, "migration v2 lies", "class Room"]);
    expect(await worker.serves()).toBe("deleted");
  });

  test("when it is another Worker's, or nobody's", async () => {
    const other = await new RuledWorker(host, "other").put({ source: says("other") });
    const worker = new RuledWorker(host, "own");
    await worker.put({ source: says("own") });
    // wrangler looks the version up first, among those of the Worker.
    await isRefused(worker, other, [100146], [], WRANGLER);
    await isRefused(worker, other, [130025], [other, "another Worker's", "Nothing was"], API);
    await isRefused(worker, UNKNOWN, [100146], ["version could not be found"]);
  });

  test("when a value of a secret would come back that was revoked", async () => {
    const worker = new RuledWorker(host, "leaked");
    const key = (text: string) => [{ type: "secret_text", name: "KEY", text }];
    const one = await worker.put({ source: says("one"), bindings: key("leaked") });
    await worker.put({ source: says("two"), bindings: key("fresh") });
    const revoked = await host.api(worker.path("revoked-secrets/KEY"), { method: "PUT" });
    expect(revoked.errors).toEqual([]);
    const named = [one, "KEY", "Revoked values never serve again"];
    // 10220 comes last: wrangler without a terminal would force its way past it.
    const unforced = EVERY_WAY.filter((way) => way !== "HTTP with force");
    await isRefused(worker, one, [130054, 10220], named, unforced);
    await isRefused(worker, one, [130054], named, ["HTTP with force"]);
  });
});

describe("a version that is bound to what is gone is refused", () => {
  const worker = new RuledWorker(host, "bound");
  const KINDS = ["KV", "R2", "QUEUE", "D1", "SERVICE", "ROOM"] as const;
  type Bound = (typeof KINDS)[number];
  const versions = new Map<Bound | "ALL", string>();
  let named: Readonly<Record<Bound, string>>;

  beforeAll(async () => {
    const kv = (await make("A/storage/kv/namespaces", { title: "sessions" })).id;
    const d1 = (await make("A/d1/database", { name: "orders" })).uuid;
    await make("A/r2/buckets", { name: "photos" });
    const queue = (await make("A/queues", { queue_name: "mails" })).queue_id;
    const callee = new RuledWorker(host, "callee");
    await callee.put({ source: says("callee") });
    const rooms = new RuledWorker(host, "rooms");
    const room = `import { DurableObject } from "cloudflare:workers";\nexport class Room extends DurableObject {}\n`;
    await rooms.put({
      source: room + says("rooms"),
      migrations: { new_tag: "v1", new_sqlite_classes: ["Room"] },
    });
    const bindings = {
      KV: { type: "kv_namespace", name: "KV", namespace_id: kv },
      R2: { type: "r2_bucket", name: "R2", bucket_name: "photos" },
      QUEUE: { type: "queue", name: "QUEUE", queue_name: "mails" },
      D1: { type: "d1", name: "D1", id: d1 },
      SERVICE: { type: "service", name: "SERVICE", service: "callee" },
      ROOM: {
        type: "durable_object_namespace",
        name: "ROOM",
        class_name: "Room",
        script_name: "rooms",
      },
    };
    for (const kind of KINDS)
      versions.set(kind, await worker.put({ source: says(kind), bindings: [bindings[kind]] }));
    versions.set(
      "ALL",
      await worker.put({ source: says("ALL"), bindings: Object.values(bindings) }),
    );
    await worker.put({ source: says("unbound") });

    await remove(`A/storage/kv/namespaces/${kv}`);
    await remove(`A/d1/database/${d1}`);
    await remove("A/r2/buckets/photos");
    await remove(`A/queues/${queue}`);
    await remove("A/workers/scripts/callee");
    await rooms.put({
      source: says("rooms"),
      migrations: { old_tag: "v1", new_tag: "v2", steps: [{ deleted_classes: ["Room"] }] },
    });
    named = {
      KV: `KV (the KV namespace`,
      R2: "R2 (the R2 bucket photos)",
      QUEUE: "QUEUE (the queue mails)",
      D1: `D1 (the D1 database`,
      SERVICE: "SERVICE (the Worker callee)",
      ROOM: "ROOM (the Durable Object class rooms/Room)",
    };
    named = { ...named, KV: `${named.KV} sessions, ${kv})`, D1: `${named.D1} orders, ${d1})` };
  });

  test.each([
    ["KV", "wrangler kv namespace create sessions"],
    ["R2", "wrangler r2 bucket create photos"],
    ["QUEUE", "wrangler queues create mails"],
    ["D1", "wrangler d1 create orders"],
    ["SERVICE", "Deploy the Worker callee again"],
    ["ROOM", "with a migration that makes the class Room"],
  ] as const)("%s, with the way to bring it back", async (kind, wayBack) => {
    const version = versions.get(kind) ?? "";
    await isRefused(worker, version, [130053], [version, named[kind], wayBack]);
  });

  test("all of them in one refusal; what is made again by its name is not missed any more", async () => {
    const all = versions.get("ALL") ?? "";
    await isRefused(worker, all, [130053], Object.values(named));
    await worker.project.wrangler("r2", "bucket", "create", "photos");
    await worker.project.wrangler("rollback", versions.get("R2") ?? "");
    expect(await worker.serves()).toBe("R2");
    const [left] = await refusals(worker, all, ["HTTP"]);
    expect(left?.text).not.toContain("R2 bucket photos");
    expect(left?.text).toContain(named.QUEUE);
  });
});

describe("a changed secret", () => {
  test("refuses what is older, but for force, which overrides nothing else", async () => {
    await make("A/r2/buckets", { name: "held" });
    const worker = new RuledWorker(host, "changed");
    const secret = (name: string, text: string) => ({ type: "secret_text", name, text });
    const bucket = { type: "r2_bucket", name: "HELD", bucket_name: "held" };
    const bound = await worker.put({
      source: says("bound"),
      bindings: [bucket, secret("KEY", "old")],
    });
    const old = await worker.put({
      source: says("old"),
      bindings: [secret("KEY", "old"), secret("GONE", "was here")],
    });
    await worker.put({ source: says("new"), bindings: [secret("KEY", "new")] });
    await remove("A/r2/buckets/held");

    const changed = "The following secrets have changed: GONE, KEY";
    const unforced = ["wrangler versions deploy", "SDK", "HTTP"] as const;
    await isRefused(worker, old, [10220], [changed], unforced);
    await isRefused(
      worker,
      bound,
      [130053, 10220],
      ["HELD (the R2 bucket held)"],
      ["wrangler rollback", ...unforced],
    );
    await isRefused(worker, bound, [130053], ["HELD"], ["HTTP with force"]);

    const forced = await worker.deploy([[old, 100]], "?force=true");
    expect(forced.errors).toEqual([]);
    expect(await worker.serves()).toBe("old");
  });

  test("is one reason among several: the decisive one comes first, and all are there", async () => {
    await make("A/r2/buckets", { name: "late" });
    const worker = new RuledWorker(host, "several");
    const key = (text: string) => ({ type: "secret_text", name: "KEY", text });
    const late = { type: "r2_bucket", name: "LATE", bucket_name: "late" };
    const one = await worker.put({ source: says("one"), bindings: [late, key("old")] });
    await worker.put({
      source: `import { DurableObject } from "cloudflare:workers";\nexport class Room extends DurableObject {}\n${says("two")}`,
      bindings: [key("new")],
      migrations: { new_tag: "v1", new_sqlite_classes: ["Room"] },
    });
    await remove("A/r2/buckets/late");
    await host.send("PUT", worker.path("deployable-versions"), { max: 1 });
    await host.api(worker.path("revoked-secrets/KEY"), { method: "PUT" });
    const hard = [130055, 130052, 130054, 130053];
    const unforced = EVERY_WAY.filter((way) => way !== "HTTP with force");
    await isRefused(worker, one, [...hard, 10220], ["migration v1", "LATE", "KEY"], unforced);
    await isRefused(worker, one, hard, ["migration v1", "LATE"], ["HTTP with force"]);
  });

  test("refuses nothing on the way forward", async () => {
    const worker = new RuledWorker(host, "forward");
    const reading = `export default { fetch(request, env) { return new Response(env.KEY ?? "none"); } };\n`;
    await worker.put({ source: reading });
    worker.project.write("key", "fresh");
    const put = await worker.project.wranglerWithInput("key", "versions", "secret", "put", "KEY");
    expect(put.code, put.output).toBe(0);
    expect(await worker.serves()).toBe("none");
    const made = (await host.api(worker.path("versions"))).result.items[0].id;
    await worker.project.wrangler("versions", "deploy", `${made}@100%`, "-y");
    expect(await worker.serves()).toBe("fresh");
  });
});

test("the versions of a split may change their shares, and leave it, though a bucket of theirs is gone", async () => {
  await make("A/r2/buckets", { name: "shared" });
  const worker = new RuledWorker(host, "split");
  const bindings = [{ type: "r2_bucket", name: "SHARED", bucket_name: "shared" }];
  const one = await worker.put({ source: says("one"), bindings });
  const two = await worker.upload({ source: says("two") });
  const split = await worker.deploy([
    [one, 50],
    [two, 50],
  ]);
  expect(split.errors).toEqual([]);
  await remove("A/r2/buckets/shared?force=true");
  await worker.project.wrangler("versions", "deploy", `${one}@10%`, `${two}@90%`, "-y");
  const { result } = await host.api(worker.path("deployments"));
  expect(result.deployments[0].versions).toMatchObject([
    { version_id: one, percentage: 10 },
    { version_id: two, percentage: 90 },
  ]);
  await worker.project.wrangler("rollback", two);
  expect(await worker.serves()).toBe("two");
  // Once it has been left, it is an old version like any other.
  await isRefused(worker, one, [130053], ["SHARED (the R2 bucket shared)"], ["HTTP"]);
});
