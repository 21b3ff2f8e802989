import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { KvNamespaceObject } from "../../../src/data/kv/kv-namespace-object.ts";
import {
  KV_CHUNK_BYTES,
  KV_STREAMS_IN_MAX,
  KV_SWEEP_KEYS_MAX,
} from "../../../src/domain/limits-kv.ts";

const text = (value: string) => new TextEncoder().encode(value);
const newObject = () =>
  env.KV_NAMESPACES.getByName(
    crypto.randomUUID().replaceAll("-", ""),
  ) as unknown as DurableObjectStub<KvNamespaceObject>;

const count = (stub: DurableObjectStub<KvNamespaceObject>, table: string): Promise<number> =>
  runInDurableObject(stub, (_, { storage }) =>
    Number(storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n),
  );
/** As if the time to live were over. */
const expire = (stub: DurableObjectStub<KvNamespaceObject>, pattern: string) =>
  runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec("UPDATE entries SET expires_on = 1000 WHERE key LIKE ?", pattern);
  });

describe("a namespace", { timeout: 20_000 }, () => {
  beforeAll(async () => {
    await newObject().list({});
  }, 60_000);

  it("neither reads nor lists what has expired, swept or not", async () => {
    const stub = newObject();
    await stub.put("short", text("v"), { expirationTtl: 60 });
    await stub.put("long", text("v"), { expirationTtl: 3_600 });
    await expire(stub, "short");
    expect(await stub.get("short")).toEqual({ ok: true, value: null });
    expect(await stub.getMany(["short"])).toMatchObject({ value: { entries: [null] } });
    expect(await stub.list({})).toMatchObject({ value: { keys: [{ name: "long" }] } });
    expect(await count(stub, "entries")).toBe(2);
  });

  it("sweeps what has expired, with its bytes, some at a time", async () => {
    const stub = newObject();
    const pairs = Array.from({ length: KV_SWEEP_KEYS_MAX + 1 }, (_, index) => ({
      key: `k${index}`,
      value: text("v"),
      expirationTtl: 60,
    }));
    await stub.putMany(pairs);
    await stub.put("stays", text("v"), {});
    await expire(stub, "k%");
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await count(stub, "entries")).toBe(2);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect([await count(stub, "entries"), await count(stub, "chunks")]).toEqual([1, 1]);
    // Nothing is left that would expire, so nothing is awaited.
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });

  it("keeps no bytes of what was replaced or deleted", async () => {
    const stub = newObject();
    const large = new Uint8Array(3 * 1024 * 1024);
    await stub.put("k", large, {});
    await stub.put("k", large, {});
    expect(await count(stub, "chunks")).toBe(large.byteLength / KV_CHUNK_BYTES);
    await stub.delete("k");
    expect([await count(stub, "chunks"), await count(stub, "loose")]).toEqual([0, 0]);
  });

  it("takes in so many streams at a time, and others when those are done", async () => {
    const stub = newObject();
    const writers: WritableStreamDefaultWriter[] = [];
    const open = () => {
      const { readable, writable } = new IdentityTransformStream();
      writers.push(writable.getWriter());
      return stub.put(`k${writers.length}`, readable, {});
    };
    const puts = Array.from({ length: KV_STREAMS_IN_MAX }, open);
    expect(await open()).toMatchObject({ ok: false, error: { status: 429 } });
    await Promise.all(writers.slice(0, KV_STREAMS_IN_MAX).map((writer) => writer.close()));
    expect((await Promise.all(puts)).every(({ ok }) => ok)).toBe(true);
    const last = open();
    await writers.at(-1)?.close();
    expect(await last).toMatchObject({ ok: true });
  });

  it("forgets a value that was still coming in when the process ended", async () => {
    const stub = newObject();
    await stub.put("k", text("old"), {});
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("INSERT INTO loose (value_id) VALUES (77)");
      storage.sql.exec("INSERT INTO chunks (value_id, part, bytes) VALUES (77, 0, x'00')");
    });
    await expect(
      runInDurableObject(stub, (_, state) => state.abort("the process ends")),
    ).rejects.toThrow();
    const again = env.KV_NAMESPACES.get(stub.id) as unknown as DurableObjectStub<KvNamespaceObject>;
    expect(await again.get("k")).toMatchObject({ value: { value: text("old") } });
    expect([await count(again, "chunks"), await count(again, "loose")]).toEqual([1, 0]);
  });

  it("once deleted, keeps nothing and takes nothing, after a restart too", async () => {
    const stub = newObject();
    await stub.put("k", text("v"), { expirationTtl: 60 });
    await stub.destroy();
    const refused = { ok: false, error: { status: 404, message: "namespace not found" } };
    expect(await stub.put("k", text("v"), {})).toEqual(refused);
    await expect(runInDurableObject(stub, (_, state) => state.abort("restart"))).rejects.toThrow();
    const again = env.KV_NAMESPACES.get(stub.id) as unknown as DurableObjectStub<KvNamespaceObject>;
    expect(await again.get("k")).toEqual(refused);
    expect(await again.put("k", text("v"), {})).toEqual(refused);
    expect(await again.list({})).toEqual(refused);
    const tables = await runInDurableObject(again, (_, { storage }) =>
      storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name IN ('entries', 'chunks')")
        .toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("goes on with a cursor where the page before ended, also when keys went meanwhile", async () => {
    const stub = newObject();
    await stub.putMany(["a", "b", "c", "d"].map((key) => ({ key, value: text("v") })));
    const first = await stub.list({ limit: 2 });
    if (!first.ok || first.value.cursor === null) throw new Error("expected a second page");
    const { cursor } = first.value;
    await stub.deleteMany(["b", "c"]);
    expect(await stub.list({ cursor })).toMatchObject({ value: { keys: [{ name: "d" }] } });
    expect(await stub.list({ cursor: "%" })).toMatchObject({ ok: false, error: { status: 400 } });
  });
});
