/** Durable Objects with the real wrangler: their storage, alarms, WebSockets and migrations, and what a deployment means to them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { openWebSocket, type RawWebSocket } from "./support/raw-web-socket.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const room = (
  release: string,
  className = "Room",
) => `import { DurableObject } from "cloudflare:workers";
export class ${className} extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS said (text TEXT)");
  }
  say(text) {
    this.ctx.storage.sql.exec("INSERT INTO said VALUES (?)", text);
    return { release: ${JSON.stringify(release)}, name: this.ctx.id.name, said: this.all() };
  }
  all() { return this.ctx.storage.sql.exec("SELECT text FROM said").toArray().map((row) => row.text); }
  async later(ms) { await this.ctx.storage.setAlarm(Date.now() + ms); }
  alarm(info) { this.ctx.storage.sql.exec("INSERT INTO said VALUES (?)", "alarm " + info.retryCount); }
  fail() { throw Object.assign(new RangeError("not here"), { code: 7 }); }
  fetch(request) {
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      this.ctx.acceptWebSocket(server, ["visitor"]);
      server.serializeAttachment({ joined: ${JSON.stringify(release)} });
      return new Response(null, { status: 101, webSocket: client });
    }
    if (new URL(request.url).pathname === "/throw") throw new TypeError("thrown in fetch");
    return new Response(request.method + " " + request.url + " by " + ${JSON.stringify(release)});
  }
  webSocketMessage(socket, message) {
    for (const each of this.ctx.getWebSockets("visitor")) each.send(${JSON.stringify(release)} + ":" + message + ":" + socket.deserializeAttachment().joined + ";");
  }
}
const steps = {
  "/say": (stub, url) => stub.say(url.searchParams.get("text")),
  "/all": (stub) => stub.all(),
  "/later": (stub, url) => stub.later(Number(url.searchParams.get("ms"))),
  "/fetch": async (stub) => (await stub.fetch("https://room.example/a?b=c", { method: "POST", body: "x" })).text(),
  "/fail": (stub) => stub.fail().catch((e) => ({ name: e.name, message: e.message, code: e.code, remote: e.remote })),
  "/throw": (stub) => stub.fetch("https://room.example/throw").catch((e) => ({ name: e.name, message: e.message, remote: e.remote })),
};
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const stub = env.ROOM.getByName(url.searchParams.get("room") ?? "lobby");
    if (url.pathname === "/ws") return stub.fetch(request);
    return Response.json((await steps[url.pathname](stub, url)) ?? null);
  },
};
`;

const CONFIG = `[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]`;

const ask = async (project: Project, path: string): Promise<unknown> => {
  const { status, body } = await host.visit(project.workersHost, path);
  expect(status, body).toBe(200);
  return JSON.parse(body);
};

const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await holds())) await sleep(25);
};

const namespaces = async () =>
  (await host.api("A/workers/durable_objects/namespaces")).result as {
    id: string;
    name: string;
    class: string;
  }[];

describe("a class of Durable Objects", () => {
  const project = new Project(host, "chat", "", CONFIG);
  beforeAll(() => project.deploy(room("one")));

  test("keeps what it stores, answers calls and requests, and its errors arrive as thrown", async () => {
    expect(await ask(project, "/say?text=hi")).toEqual({
      release: "one",
      name: "lobby",
      said: ["hi"],
    });
    expect(await ask(project, "/say?room=other&text=a")).toMatchObject({
      name: "other",
      said: ["a"],
    });
    expect(await ask(project, "/fetch")).toBe("POST https://room.example/a?b=c by one");
    expect(await ask(project, "/fail")).toEqual({
      name: "RangeError",
      message: "not here",
      code: 7,
      remote: true,
    });
    expect(await ask(project, "/throw")).toEqual({
      name: "TypeError",
      message: "thrown in fetch",
      remote: true,
    });
  });

  test("is told by the API, with its objects", async () => {
    const [found] = await namespaces();
    expect(found).toMatchObject({
      name: "chat_Room",
      class: "Room",
      script: "chat",
      use_sqlite: true,
    });
    const objects = await host.api(`A/workers/durable_objects/namespaces/${found?.id}/objects`);
    expect(objects.result).toHaveLength(2);
    expect(objects.result[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      hasStoredData: true,
    });
  });

  test("fires its alarm, though every process was killed meanwhile", async () => {
    await ask(project, "/later?room=alarmed&ms=1500");
    await host.killEverything();
    await host.start();
    await until(async () =>
      ((await ask(project, "/all?room=alarmed")) as string[]).includes("alarm 0"),
    );
    expect(await ask(project, "/all")).toEqual(["hi"]);
  });

  test("runs the new code, on the old storage, from the moment wrangler says so; WebSockets end with the old", async () => {
    const socket = (await openWebSocket(host.port, project.workersHost, "/ws")) as RawWebSocket;
    socket.send("ping");
    await until(() => socket.received === "one:ping:one;");
    await project.deploy(room("two"));
    expect(await ask(project, "/say?text=again")).toEqual({
      release: "two",
      name: "lobby",
      said: ["hi", "again"],
    });
    await socket.closed;
  });

  test("hands no WebSocket message to code that is not current any more", async () => {
    const socket = (await openWebSocket(
      host.port,
      project.workersHost,
      "/ws?room=quiet",
    )) as RawWebSocket;
    socket.send("a");
    await until(() => socket.received === "two:a:two;");
    await project.deploy(room("three"));
    socket.send("b");
    await socket.closed;
    expect(socket.received).toBe("two:a:two;");
  });

  test("comes back with all that was stored when its process is killed", async () => {
    const [objects] = host.processes("objects");
    process.kill(objects?.pid ?? 0, "SIGKILL");
    await until(async () => (await host.visit(project.workersHost, "/all")).status === 200);
    expect(await ask(project, "/all")).toEqual(["hi", "again"]);
  });
});

describe("migrations", () => {
  const owner = new Project(host, "owner", "", CONFIG);
  const guest = new Project(
    host,
    "guest",
    `export default { async fetch(request, env) { return Response.json(await env.ROOM.getByName("lobby").say("guest")); } };`,
    `[[durable_objects.bindings]]\nname = "ROOM"\nclass_name = "Room"\nscript_name = "owner"`,
  );

  test("a class of another Worker is bound by script_name, and stays bound when it is renamed", async () => {
    const refused = await guest.tryWrangler("deploy");
    expect(refused.output).toContain("10061");
    const first = await owner.deploy(room("one"));
    await guest.wrangler("deploy");
    expect(await ask(guest, "/")).toMatchObject({ release: "one", said: ["guest"] });

    const renamed = CONFIG.replace('class_name = "Room"', 'class_name = "Hall"');
    owner.write(
      "wrangler.toml",
      `name = "owner"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n${renamed}\n[[migrations]]\ntag = "v2"\nrenamed_classes = [{ from = "Room", to = "Hall" }]\n`,
    );
    await owner.deploy(room("two", "Hall"));
    expect(await ask(guest, "/")).toMatchObject({ release: "two", said: ["guest", "guest"] });

    const back = await owner.tryWrangler("rollback", first, "-y", "--message", "back");
    expect(back.output).toContain("130055");
    expect(await ask(owner, "/all")).toEqual(["guest", "guest"]);
  });

  test("a class that is deleted takes its objects with it, but not while another Worker is bound to it", async () => {
    const id = (await namespaces()).find((each) => each.name === "owner_Hall")?.id ?? "";
    const gone = `name = "owner"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["Room"]\n[[migrations]]\ntag = "v2"\nrenamed_classes = [{ from = "Room", to = "Hall" }]\n[[migrations]]\ntag = "v3"\ndeleted_classes = ["Hall"]\n`;
    owner.write("wrangler.toml", gone);
    owner.source(`export default { fetch: () => new Response("no rooms") };`);
    await guest.wrangler("delete", "--force");
    const tag = (await host.api("A/workers/services/owner")).result.default_environment.script;
    const files = () => dataFiles(tag.tag).length;
    expect(files()).toBeGreaterThan(0);
    await owner.wrangler("deploy");
    expect((await namespaces()).map((each) => each.id)).not.toContain(id);
    await until(() => files() === 0);
  });
});

describe("a class that is transferred to another Worker", () => {
  const giver = new Project(host, "giver", "", CONFIG);
  const bound = `[[durable_objects.bindings]]\nname = "ROOM"\nclass_name = "Hall"\n`;
  const receiver = new Project(
    host,
    "receiver",
    "",
    `${bound}[[migrations]]\ntag = "t1"\ntransferred_classes = [{ from = "Room", from_script = "giver", to = "Hall" }]`,
  );

  test("takes its objects along, for every binding from the moment wrangler says so, and outlives the giver", async () => {
    await giver.deploy(room("giver"));
    expect(await ask(giver, "/say?text=kept")).toMatchObject({ said: ["kept"] });
    await receiver.deploy(room("receiver", "Hall"));
    expect(await ask(giver, "/say?text=old")).toMatchObject({ release: "receiver" });
    expect(await ask(receiver, "/all")).toEqual(["kept", "old"]);
    expect((await namespaces()).map(({ name }) => name)).toContain("receiver_Hall");

    giver.write(
      "wrangler.toml",
      `name = "giver"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n${bound}script_name = "receiver"\n[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["Room"]\n`,
    );
    await giver.deploy(room("giver"));
    expect(await ask(giver, "/all")).toEqual(["kept", "old"]);
    await ask(receiver, "/later?room=alarmed&ms=1500");
    await host.killEverything();
    await host.start();
    await giver.wrangler("delete", "--force");
    await until(async () =>
      ((await ask(receiver, "/all?room=alarmed")) as string[]).includes("alarm 0"),
    );
    expect(await ask(receiver, "/all")).toEqual(["kept", "old"]);
  });
});

/** Files of objects of the Worker with that id. */
function dataFiles(workerId: string): string[] {
  const directory = readdirSync(host.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name === workerId)
    .map((entry) => join(entry.parentPath, entry.name, "objects"))[0];
  if (directory === undefined || !existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => /^[0-9a-f]{64}\.\d+\.sqlite$/.test(name));
}
