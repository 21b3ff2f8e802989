import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { certificatesConfig } from "../../../src/host/gateway-config.ts";
import { ObjectProcesses } from "../../../src/host/objects/object-processes.ts";
import { pendingAlarm } from "../../../src/host/objects/pending-alarm.ts";
import { temporaryDirectory } from "../host-process.ts";

const FIXTURE = new URL("fixture-objects.js", import.meta.url);
const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(32)) as [string, string, string];

const started: ObjectProcesses[] = [];
afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});

/** Objects of Workers with so many slots for their processes. */
function made({
  slots = 2,
  directory = temporaryDirectory(),
  memoryBytesMax = 1e9,
  blockCpuMsMax = 3_600_000,
} = {}) {
  const run = join(directory, "run");
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, "switchback.js"), readFileSync(FIXTURE));
  writeFileSync(join(run, "certificates.capnp"), certificatesConfig([]));
  const events: string[] = [];
  const sizes: unknown[] = [];
  const pids = new Set<number>();
  const sockets = Array.from({ length: slots }, (_, slot) => join(run, `objects-${slot}.sock`));
  const objects = new ObjectProcesses({
    sockets,
    storage: join(directory, "objects"),
    processParts: (_name, worker) => ({
      runDirectory: run,
      config: {
        script: "switchback.js",
        certificates: "certificates.capnp",
        variables: {},
        controlSocketPath: join(run, "control.sock"),
        supervisorSocketPath: undefined,
        internet: { allow: [], deny: [] },
        doors: {},
        directorySocketPath: join(run, "objects.sock"),
        objectSockets: [],
        objects: worker,
      },
      onLog: () => undefined,
      onSuppressed: () => undefined,
    }),
    onSpawn: (pid) => pids.add(pid),
    onExit: (pid) => pids.delete(pid),
    log: {
      event: (_, event, fields) => {
        events.push(event);
        if (fields?.["rss"] !== undefined) sizes.push(fields["rss"]);
      },
    },
    memoryBytesMax,
    blockCpuMsMax,
  });
  started.push(objects);
  objects.start();
  /** The text of an answer; null: there was none. */
  const ask = async (workerId: string, path = "/") => {
    const slot = await objects.slotOf(workerId);
    const socketPath = sockets[slot ?? -1];
    return socketPath === undefined ? "no slot" : get(socketPath, path);
  };
  return { objects, ask, events, sizes, pids, directory };
}

function get(socketPath: string, path: string): Promise<string | null> {
  return new Promise((done) => {
    const sent = request({ socketPath, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => done(text));
      response.once("error", () => done(null));
    });
    sent.once("error", () => done(null)).end();
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

describe("processes of Durable Objects", () => {
  it("are one for each Worker, started by the first question, with storage that outlives them", async () => {
    const { objects, ask, directory, pids } = made();
    expect(await Promise.all([ask(A, "/worker"), ask(B, "/worker"), ask(A, "/worker")])).toEqual([
      A,
      B,
      A,
    ]);
    expect(pids.size).toBe(2);
    expect(await ask(A)).toBe("1 calls, 0 alarms");
    expect(await ask(B)).toBe("1 calls, 0 alarms");
    await objects.stop();
    expect(pids.size).toBe(0);
    expect(await made({ directory }).ask(A)).toBe("2 calls, 0 alarms");
  });

  it("start again when they are lost, and keep what was acknowledged", async () => {
    const { ask, events, pids } = made();
    expect(await ask(A)).toBe("1 calls, 0 alarms");
    const [pid = 0] = pids;
    process.kill(pid, "SIGKILL");
    await until(() => events.includes("objects lost"));
    expect(await ask(A)).toBe("2 calls, 0 alarms");
    expect(pids.has(pid)).toBe(false);
  });

  it("are ended when their code blocks them, while others answer", async () => {
    const { ask, events } = made({ blockCpuMsMax: 1_000 });
    await ask(B);
    const blocked = ask(A, "/block");
    expect(await ask(B)).toBe("2 calls, 0 alarms");
    expect(await blocked).toBe(null);
    await until(() => events.includes("objects blocked"));
    expect(await ask(A, "/worker")).toBe(A);
  });

  it("are ended when their code fills the memory and does not let them answer", async () => {
    const { ask, events, sizes } = made({ memoryBytesMax: 2e8 });
    expect(await ask(A, "/fill?bytes=4e8")).toBe(null);
    await until(() => events.includes("objects lost"));
    expect(events).toContain("objects blocked");
    expect(sizes).toEqual([expect.toSatisfy((bytes: number) => bytes > 3e8)]);
  });

  it("make room for another Worker when idle, and say so when there is none", async () => {
    const { ask, events } = made({ slots: 1 });
    await ask(A);
    expect(await ask(B)).toBe("no slot");
    expect(events).toContain("no room for durable objects");
    await ask(A, "/idle");
    await until(async () => (await ask(B, "/worker")) === B);
    // The place is taken again as soon as it is idle.
    await ask(B, "/idle");
    await until(async () => (await ask(A)) === "2 calls, 0 alarms");
  });

  it("are not ended while somebody may be about to call, however idle", async () => {
    const { ask, pids } = made();
    await ask(A, "/idle");
    const [pid] = pids;
    await until(async () => Number(await ask(A, "/looks")) >= 2);
    expect([...pids]).toEqual([pid]);
  });

  it("are started for their alarms, also by a later host", async () => {
    const { objects, ask, directory } = made();
    await ask(A, "/alarm?ms=1500");
    await objects.stop();
    expect(pendingAlarm(join(directory, "objects", A))).toBeGreaterThan(Date.now() - 60_000);
    const later = made({ directory });
    await until(() => later.pids.size === 1);
    await until(async () => (await later.ask(A))?.endsWith("1 alarms") === true);
    await later.objects.stop();
    expect(pendingAlarm(join(directory, "objects", A))).toBe(null);
  });

  it("are none for what is no Worker's id", async () => {
    const { objects } = made();
    expect(await objects.slotOf("../../etc")).toBe(null);
    expect(await objects.slotOf(C.toUpperCase())).toBe(null);
  });
});

describe("a pending alarm", () => {
  it("may be there where the runtime's own record cannot be read", () => {
    const storage = temporaryDirectory();
    expect(pendingAlarm(join(storage, "none"))).toBe(null);
    mkdirSync(join(storage, "objects"));
    writeFileSync(join(storage, "objects/metadata.sqlite"), "no database at all, but long enough");
    expect(pendingAlarm(storage)).toBe("unknown");
  });
});
