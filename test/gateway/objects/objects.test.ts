/** Durable Objects of a deployed Worker, from its own code to its storage, with everything real but the upload's trial. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { WorkerId } from "../../../src/domain/ids.ts";
import type { ProbeResult } from "../../../src/domain/version.ts";
import { ownObjects } from "../../../src/gateway/objects/objects-directory.ts";
import { ACCOUNT, apiClient, SCRIPTS, uploadBody, type Client } from "../../api/api-fixture.ts";

const probe = (version: { modules: readonly { bytes: Uint8Array }[] }): Promise<ProbeResult> => {
  const code = version.modules.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  const names = [...code.matchAll(/export class (\w+)/g)].map(([, name]) => name ?? "");
  const namedHandlers = names.map((name) => ({ name, handlers: ["class"] }));
  return Promise.resolve({ ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers });
};

/** `room`: members of the class; `fetch`: the Worker's answer, as an expression of `room`, its stub, `env` and `path`. */
const source = (room: string, fetch: string) => `
import { DurableObject, RpcTarget, RpcProperty } from "cloudflare:workers";
export class Room extends DurableObject { ${room} }
export default { async fetch(request, env) {
  const url = new URL(request.url); const path = url.pathname;
  const room = env.ROOM.getByName(url.searchParams.get("room") ?? "lobby");
  const told = (error) => ({ name: error.name, message: error.message, ...error });
  return Response.json((await (${fetch})) ?? null);
} };`;

const MIGRATIONS = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] };
const BINDING = { type: "durable_object_namespace", name: "ROOM", class_name: "Room" };

const put = (client: Client, name: string, code: string, metadata: Record<string, unknown>) =>
  client.call("PUT", `${SCRIPTS}/${name}`, uploadBody(metadata, { "index.js": code }));

async function deploy(client: Client, name: string, code: string, metadata: object = {}) {
  const done = await put(client, name, code, { bindings: [BINDING], ...metadata });
  expect(done.errors).toEqual([]);
  await client.call("POST", `${SCRIPTS}/${name}/subdomain`, { enabled: true });
  return { versionId: done.result.deployment_id as string, workerId: done.result.tag as string };
}

async function ask(name: string, path = "/"): Promise<unknown> {
  const main = (exports as unknown as { default: Fetcher }).default;
  const host = `${name}.localhost`;
  const response = await main.fetch(`http://${host}${path}`, { headers: { host } });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

const namespaceOf = async (client: Client, name: string) => {
  const listed = await client.call(
    "GET",
    `${ACCOUNT}/workers/durable_objects/namespaces?per_page=1000`,
  );
  return (listed.result as { id: string; script: string }[]).find(({ script }) => script === name)!
    .id;
};
const objectsOf = async (client: Client, namespaceId: string) => {
  const path = `${ACCOUNT}/workers/durable_objects/namespaces/${namespaceId}/objects`;
  return ((await client.call("GET", path)).result as { id: string }[]).map(({ id }) => id);
};
const hostOf = (namespaceId: string, objectId: string) =>
  env.OBJECT_HOSTS.getByName(`${namespaceId}:${objectId}`);

const NOTES = `note(text) { const notes = [...this.notes(), text]; this.ctx.storage.kv.put("notes", notes); return notes; }
  notes() { return this.ctx.storage.kv.get("notes") ?? []; }`;

describe("an object", () => {
  it("keeps what it stores, apart from every other object's", async () => {
    const client = await apiClient({ probe });
    const code = source(NOTES, `path === "/read" ? room.notes() : room.note(path)`);
    await deploy(client, "notes", code, { migrations: MIGRATIONS });
    await ask("notes", "/a");
    expect(await ask("notes", "/b")).toEqual(["/a", "/b"]);
    expect(await ask("notes", "/c?room=other")).toEqual(["/c"]);
    expect(await ask("notes", "/read")).toEqual(["/a", "/b"]);
  });

  it("is another one in another Worker, though name and class are the same", async () => {
    const client = await apiClient({ probe });
    const code = source(NOTES, `room.note(path)`);
    await deploy(client, "first", code, { migrations: MIGRATIONS });
    await deploy(client, "second", code, { migrations: MIGRATIONS });
    await ask("first", "/secret");
    expect(await ask("second", "/own")).toEqual(["/own"]);
  });

  it("gives calls, properties, callbacks and stubs as the runtime does", async () => {
    const client = await apiClient({ probe });
    const members = `get size() { return 7; } deep() { return { inner: { twice: (n) => 2 * n } }; } apply(f) { return f(20); }
      order = []; add(n) { this.order.push(n); } list() { return this.order; } handle() { return this.env.ROOM.getByName("other"); } whoami() { return this.ctx.id.name; }`;
    const checks = `(async () => [await room.size, await room.deep().inner.twice(21), await room.apply(async (n) => n + 1),
      (await Promise.all(Array.from({ length: 20 }, (_, n) => room.add(n)))).length, (await room.list()).join(), await room.handle().whoami(),
      room.anything instanceof RpcProperty, typeof room.then, String(room), Object.keys(room).join(), await (await room) === await room])()`;
    await deploy(client, "calls", source(members, checks), { migrations: MIGRATIONS });
    const order = Array.from({ length: 20 }, (_, n) => n).join();
    const own = [true, "undefined", "[object DurableObject]", "name,id", true];
    expect(await ask("calls")).toEqual([7, 42, 21, 20, order, "other", ...own]);
  });

  it("throws errors that arrive with name, message, properties and the object's own id", async () => {
    const client = await apiClient({ probe });
    const members = `fail() { throw Object.assign(new RangeError("no"), { code: 7 }); } fetch() { throw new TypeError("nor this"); }
      reset() { this.ctx.abort("reset"); }`;
    const checks = `(async () => { const ids = (e) => e.durableObjectId === String(room.id); return [
      await room.fail().catch((e) => [told(e).name, e.message, e.code, e.remote, ids(e)]),
      await room.fetch("http://room/").catch((e) => [e instanceof TypeError, e.message, e.remote]),
      await room.missing().catch((e) => [e.message, "durableObjectId" in e]),
      await room.__switchbackAlarm({}).catch((e) => e.message),
      await room.reset().catch((e) => [e.message, e.durableObjectReset])]; })()`;
    await deploy(client, "errors", source(members, checks), { migrations: MIGRATIONS });
    const missing = (name: string) => `The RPC receiver does not implement the method "${name}".`;
    expect(await ask("errors")).toEqual([
      ["RangeError", "no", 7, true, true],
      [true, "nor this", true],
      [missing("missing"), false],
      missing("__switchbackAlarm"),
      ["reset", true],
    ]);
  });

  it("does not take a name for its own that a caller gives its id", async () => {
    const client = await apiClient({ probe });
    const code = source(
      "whoami() { return this.ctx.id.name ?? null; }",
      "String(env.ROOM.idFromName(path.slice(1)))",
    );
    const { workerId } = await deploy(client, "named", code, { migrations: MIGRATIONS });
    const namespaceId = await namespaceOf(client, "named");
    const bindings = exports as unknown as Record<
      "DurableObjectBinding",
      (options: { props: unknown }) => {
        call(...args: readonly unknown[]): Promise<unknown>;
      }
    >;
    const broker = bindings.DurableObjectBinding({ props: { workerId, namespaceId } });
    const [lobby, hall] = [await ask("named", "/lobby"), await ask("named", "/hall")];
    expect(await broker.call(lobby, "hall", ["whoami"], [])).toBe(null);
    expect(await broker.call(hall, "hall", ["whoami"], [])).toBe("hall");
  });

  it("sees nothing of what runs it", async () => {
    const client = await apiClient({ probe });
    const members = `look() { return [this.ctx.props, Object.keys(this.ctx.id), this.ctx.id.constructor.name, this.constructor === Room, this.constructor.name,
      Object.keys(this.env), Object.keys(this), JSON.stringify(this.ctx.storage)]; }`;
    await deploy(client, "inside", source(members, "room.look()"), { migrations: MIGRATIONS });
    expect(await ask("inside")).toEqual([
      {},
      ["jurisdiction", "name"],
      "DurableObjectId",
      true,
      "Room",
      ["ROOM"],
      ["ctx", "env"],
      expect.not.stringContaining("Alarm"),
    ]);
  });

  it("of a class that was made without SQLite is refused SQL, in the runtime's words", async () => {
    const client = await apiClient({ probe });
    const members = `async look() { const out = []; await this.ctx.storage.put("a", 1); out.push(await this.ctx.storage.get("a"));
      for (const use of [() => this.ctx.storage.sql.exec("SELECT 1"), () => this.ctx.storage.kv.get("a")]) { try { use(); } catch (e) { out.push(e.message.slice(0, 32)); } } return out; }`;
    const migrations = { new_tag: "v1", new_classes: ["Room"] };
    await deploy(client, "kvonly", source(members, "room.look()"), { migrations });
    expect(await ask("kvonly")).toEqual([
      1,
      "SQL is not enabled for this Dura",
      "The storage.kv (synchronous KV) ",
    ]);
  });
});

describe("a deployment", () => {
  it("is what the next call runs, on the same storage; a call under way ends with an error that may be tried again", async () => {
    const client = await apiClient({ probe });
    const code = (release: string) =>
      source(
        `${NOTES} by() { return ${JSON.stringify(release)}; } wait() { return new Promise((done) => setTimeout(done, 20_000)); }`,
        `path === "/wait" ? room.wait().catch(told) : room.note(path + await room.by())`,
      );
    await deploy(client, "swap", code("1"), { migrations: MIGRATIONS });
    await ask("swap", "/a");
    const underWay = ask("swap", "/wait");
    await deploy(client, "swap", code("2"));
    expect(await ask("swap", "/b")).toEqual(["/a1", "/b2"]);
    expect(await underWay).toMatchObject({
      message: "Durable Object reset because its code was updated.",
      durableObjectReset: true,
    });
  });

  it("ends code that is not current any more behind the first call to any object", async () => {
    const client = await apiClient({ probe });
    const members = `wait() { return new Promise((done) => setTimeout(done, 60_000)); } by() { return 1; }`;
    const code = source(members, `path === "/wait" ? room.wait().catch(told) : room.by()`);
    await deploy(client, "behind", code, { migrations: MIGRATIONS });
    await ask("behind", "/?room=quiet");
    const underWay = ask("behind", "/wait?room=quiet");
    await deploy(client, "behind", code);
    await vi.waitFor(async () => {
      await ask("behind", "/?room=other");
      expect(await Promise.race([underWay, Promise.resolve("under way")])).toMatchObject({
        durableObjectReset: true,
      });
    }, 5_000);
  }, 15_000);

  it("that is older than what the object has run is not run any more, whoever asks for it", async () => {
    const client = await apiClient({ probe });
    const code = (release: string) =>
      source(`by() { return ${JSON.stringify(release)}; }`, "room.by()");
    const first = await deploy(client, "newest", code("1"), { migrations: MIGRATIONS });
    await deploy(client, "newest", code("2"));
    expect(await ask("newest")).toBe("2");
    const namespaceId = await namespaceOf(client, "newest");
    const [objectId = ""] = await objectsOf(client, namespaceId);
    const home = first.workerId;
    const address = { workerId: home, namespaceId, home, transfers: 0, objectId, name: null };
    const late = { address, dispatch: { seq: 1, versionId: first.versionId } };
    const host = hostOf(namespaceId, objectId) as unknown as {
      call(target: unknown, path: string[], args: unknown[]): Promise<unknown>;
    };
    expect(await host.call(late, ["by"], [])).toBe("2");
  });

  it("that splits traffic gives each object one version, and both versions objects", async () => {
    const client = await apiClient({ probe });
    const code = (release: string) =>
      source(`by() { return ${JSON.stringify(release)}; }`, "room.by()");
    const one = await deploy(client, "split", code("1"), { migrations: MIGRATIONS });
    const two = await deploy(client, "split", code("2"));
    const versions = [one, two].map(({ versionId }) => ({ version_id: versionId, percentage: 50 }));
    const strategy = "percentage";
    await client.call("POST", `${SCRIPTS}/split/deployments`, { strategy, versions });
    const rooms = Array.from({ length: 20 }, (_, n) => `/?room=${n}`);
    const all = async () => Promise.all(rooms.map((path) => ask("split", path)));
    const seen = await all();
    expect(new Set(seen)).toEqual(new Set(["1", "2"]));
    for (let again = 0; again < 3; again++) expect(await all()).toEqual(seen);
  });
});

describe("a class that is transferred to another Worker", () => {
  const code = (release: string, className = "Room") =>
    source(
      `${NOTES} by() { return ${JSON.stringify(release)}; } wait() { return new Promise((done) => setTimeout(done, 60_000)); }
        async soon() { await this.ctx.storage.setAlarm(Date.now() + 20); }
        alarm() { if (this.by().startsWith("giver")) throw new Error("not yet"); return this.env.ROOM.getByName("rung").note("by " + this.by()); }`,
      `path === "/wait" ? room.wait().catch(told) : path === "/soon" ? room.soon() : path === "/notes" ? room.notes() : room.note(path + await room.by())`,
    ).replace("class Room", `class ${className}`);
  const transfer = (from_script: string, from: string, to: string, new_tag = "t1") => ({
    new_tag,
    transferred_classes: [{ from, from_script, to }],
  });
  const bindingTo = (class_name: string, script_name?: string) => ({
    ...BINDING,
    class_name,
    ...(script_name === undefined ? {} : { script_name }),
  });

  it("keeps its objects, which run the receiver's code for whoever calls, by old bindings too", async () => {
    const client = await apiClient({ probe });
    await deploy(client, "giver", code("giver"), { migrations: MIGRATIONS });
    // So that the receiver's deployments are behind the giver's in number.
    await deploy(client, "giver", code("giver again"));
    await deploy(client, "third", code("third"), { bindings: [bindingTo("Room", "giver")] });
    await ask("giver", "/a");
    await ask("third", "/b");
    const namespaceId = await namespaceOf(client, "giver");
    const underWay = ask("giver", "/wait?room=quiet");
    await ask("giver", "/soon?room=alarmed");
    const receiver = {
      bindings: [bindingTo("Hall")],
      migrations: transfer("giver", "Room", "Hall"),
    };
    await deploy(client, "receiver", code("receiver", "Hall"), receiver);
    expect(await ask("third", "/c")).toEqual(["/agiver again", "/bgiver again", "/creceiver"]);
    expect(await ask("giver", "/d")).toContain("/dreceiver");
    expect(await ask("receiver", "/e")).toContain("/ereceiver");
    expect(await underWay).toMatchObject({ durableObjectReset: true });
    // Of an object that nobody has called since.
    await vi.waitFor(
      async () => expect(await ask("receiver", "/notes?room=rung")).toEqual(["by receiver"]),
      { timeout: 10_000, interval: 50 },
    );
    expect(await namespaceOf(client, "receiver")).toBe(namespaceId);
    expect(await objectsOf(client, namespaceId)).toHaveLength(4);

    await deploy(client, "receiver", code("later", "Hall"), { bindings: [bindingTo("Hall")] });
    expect(await ask("giver", "/g")).toContain("/glater");
    // The giver's next upload has none of it any more, and may bind it as anybody may.
    const own = await put(client, "giver", code("giver", "Room"), { bindings: [BINDING] });
    expect(own.errors[0]?.code).toBe(10061);
    await deploy(client, "giver", code("giver"), { bindings: [bindingTo("Hall", "receiver")] });
    expect(await ask("giver", "/h")).toContain("/hlater");
  }, 20_000);

  it("is not the giver's to delete, goes with the receiver, and can come back", async () => {
    const client = await apiClient({ probe });
    await deploy(client, "lender", code("lender"), { migrations: MIGRATIONS });
    await ask("lender", "/a");
    const namespaceId = await namespaceOf(client, "lender");
    const lent = { bindings: [bindingTo("Room")], migrations: transfer("lender", "Room", "Room") };
    await deploy(client, "borrower", code("borrower"), lent);
    const migrations = { new_tag: "v2", deleted_classes: ["Room"] };
    const deleting = await put(client, "lender", "export default {};", {
      bindings: [],
      migrations,
    });
    expect(deleting.errors[0]?.code).toBe(10074);
    const back = transfer("borrower", "Room", "Room", "v3");
    await deploy(client, "lender", code("lender 2"), { migrations: back });
    expect(await ask("borrower", "/b")).toEqual(["/alender", "/blender 2"]);
    await deploy(client, "borrower", "export default {};", { bindings: [] });
    const again = transfer("lender", "Room", "Room", "t2");
    await deploy(client, "borrower", code("borrower 2"), { ...lent, migrations: again });
    await deploy(client, "lender", "export default {};", { bindings: [] });
    await client.call("DELETE", `${SCRIPTS}/lender`);
    expect(await ask("borrower", "/c")).toEqual(["/alender", "/blender 2", "/cborrower 2"]);
    await client.call("DELETE", `${SCRIPTS}/borrower`);
    const index = env.OBJECT_INDEXES.getByName(namespaceId);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(index as never);
      expect((await index.list("", 100)).objectIds).toEqual([]);
    }, 10_000);
  }, 20_000);

  it("is refused from a Worker or a class that there is not, from itself, and to a name that is taken; then nothing is changed", async () => {
    const client = await apiClient({ probe });
    await deploy(client, "refuser", code("1"), { migrations: MIGRATIONS });
    const own = { new_tag: "v1", new_sqlite_classes: ["Own"] };
    await deploy(client, "refused", code("1", "Own"), { bindings: [], migrations: own });
    const body = `${code("2")} export class Own {} export class Hall {}`;
    for (const migrations of [
      transfer("nobody", "Room", "Room"),
      transfer("refuser", "Hall", "Room"),
      transfer("refused", "Own", "Hall"),
      transfer("refuser", "Room", "Own"),
    ]) {
      const refused = await put(client, "refused", body, { bindings: [], migrations });
      expect([migrations, refused.errors[0]?.code]).toEqual([migrations, 10074]);
    }
    expect(await ask("refuser", "/a")).toEqual(["/a1"]);
  });
});

describe("an alarm", () => {
  const members = `${NOTES} async at(ms) { await this.ctx.storage.setAlarm(Date.now() + ms); return (await this.ctx.storage.getAlarm()) > Date.now(); }
    alarmAt() { return this.ctx.storage.getAlarm(); } async none() { await this.ctx.storage.deleteAlarm(); return this.ctx.storage.getAlarm(); }
    async back() { await this.none(); await this.ctx.storage.transaction(async (txn) => { await txn.setAlarm(Date.now() + 1e6); throw 1; }).catch(() => {});
      try { this.ctx.storage.transactionSync(() => { void this.ctx.storage.setAlarm(Date.now() + 1e6); throw 1; }); } catch {}
      const before = await this.ctx.storage.getAlarm();
      await this.ctx.storage.transaction(async (txn) => { await txn.setAlarm(Date.now() + 1e6); });
      const after = await this.ctx.storage.getAlarm(); await this.ctx.storage.deleteAll(); return [before, typeof after, await this.ctx.storage.getAlarm()]; }
    async alarm(info) { this.note(info.retryCount + (info.isRetry ? " again" : "")); if (this.ctx.id.name === "fails") throw new Error("failed"); }`;
  const answers = `path === "/at" ? room.at(1e6) : path === "/soon" ? room.at(20) : path === "/none" ? room.none() : path === "/back" ? room.back() : path === "/alarm" ? room.alarmAt() : room.notes()`;

  it("is kept, found, taken back, and goes with a transaction that does not commit", async () => {
    const client = await apiClient({ probe });
    await deploy(client, "alarms", source(members, answers), { migrations: MIGRATIONS });
    expect(await ask("alarms", "/at")).toBe(true);
    expect(await ask("alarms", "/none")).toBeNull();
    expect(await ask("alarms", "/back")).toEqual([null, "number", null]);
  });

  it("calls the handler of the current deployment, once; one that throws is tried again", async () => {
    const client = await apiClient({ probe });
    await deploy(client, "fires", source(members, answers), { migrations: MIGRATIONS });
    await ask("fires", "/soon");
    await ask("fires", "/soon?room=fails");
    await vi.waitFor(
      async () => expect(await ask("fires", "/notes?room=fails")).toEqual(["0", "1 again"]),
      { timeout: 10_000, interval: 50 },
    );
    expect(await ask("fires", "/notes")).toEqual(["0"]);
    expect(await ask("fires", "/alarm")).toBeNull();
  }, 20_000);
});

describe("a namespace that is deleted", () => {
  it("has its objects erased, and never comes back by a call that was on its way", async () => {
    const client = await apiClient({ probe });
    const code = source(NOTES, "room.note(path)");
    const { workerId } = await deploy(client, "gone", code, { migrations: MIGRATIONS });
    await Promise.all(Array.from({ length: 60 }, (_, room) => ask("gone", `/a?room=${room}`)));
    const namespaceId = await namespaceOf(client, "gone");
    const ids = await objectsOf(client, namespaceId);
    expect(ids).toHaveLength(60);
    const migrations = { new_tag: "v2", deleted_classes: ["Room"] };
    await deploy(client, "gone", "export default {};", { bindings: [], migrations });
    const index = env.OBJECT_INDEXES.getByName(namespaceId);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(index as never);
      expect((await index.list("", 100)).objectIds).toEqual([]);
    }, 10_000);
    const door = await ownObjects({ exports }).door(workerId as WorkerId);
    const home = workerId as WorkerId;
    const own = { workerId: home, namespaceId, home, transfers: 0 };
    const address = { ...own, objectId: ids[0]!, name: null };
    const late = (async () => door.call(address, ["notes"], []))();
    await expect(late).rejects.toThrow("has been deleted");
  }, 20_000);
});
