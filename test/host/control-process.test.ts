/** A real control process over the fixture Worker. */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { ControlProcess } from "../../src/host/control-process.ts";
import { createLog } from "../../src/host/log.ts";
import { controlSockets } from "../../src/host/runtime-options.ts";
import { parseSettings, type Settings } from "../../src/host/settings.ts";
import { dataSockets } from "../../src/host/store-options.ts";
import { HEALTH_POLICY } from "../../src/host/supervisor.ts";
import { gone, temporaryDirectory } from "./host-process.ts";

const FIXTURE = fileURLToPath(new URL("fixture-worker.js", import.meta.url));
const started: ControlProcess[] = [];
afterEach(async () => {
  for (const control of started.splice(0)) await control.stop(0);
});

/** `script`: in place of the fixture. */
function made({ script = readFileSync(FIXTURE, "utf8"), directory = temporaryDirectory() } = {}) {
  const run = join(directory, "run");
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const guarded = new Set<number>();
  const changes: boolean[] = [];
  const control = new ControlProcess({
    input: {
      settings: parseSettings([], {}) as Settings,
      installation: { accountId: "acme", rootTokenSha256: "00", secretsKey: "k1:AA==" },
      script,
      storage: join(directory, "storage"),
      port: 8787,
      sockets: controlSockets(run),
      data: dataSockets(run, 1),
    },
    controlHost: "localhost",
    guard: {
      add: (pid) => void guarded.add(pid),
      remove: (pid) => void guarded.delete(pid),
      leaveFile: () => undefined,
      takeFile: () => undefined,
      release: () => undefined,
    },
    health: { ...HEALTH_POLICY, intervalMs: 100, missesMax: 2, startMsMax: 5_000 },
    log: createLog(
      () => undefined,
      () => new Date(0),
    ),
    onChange: (isUp) => changes.push(isUp),
    onGivenUp: () => changes.push(false),
  });
  started.push(control);
  const get = async (path: string) =>
    (await control.ask("api", { method: "GET", path, timeoutMs: 20_000 }))?.text;
  return { control, changes, guarded, directory, get };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((done) => setTimeout(done, 20));
};

describe("a control process", () => {
  it("is up once it has answered, on sockets in the run directory, and guarded", async () => {
    const { control, changes, guarded, get } = made();
    expect([control.isUp, control.state]).toEqual([false, "down"]);
    await control.start();
    expect([control.isUp, control.state, changes]).toEqual([true, "ok", [true]]);
    expect([...guarded]).toEqual([control.pid]);
    expect(await get("/healthz")).toBe("ok");
    const told = { method: "POST", path: "/trip", timeoutMs: 20_000, body: {} };
    expect((await control.ask("internal", told))?.status).toBe(200);
    for (const path of [control.sockets.api, control.sockets.internal]) {
      expect(statSync(path).isSocket()).toBe(true);
    }
  });

  it("that is lost is down until another one answers under the same paths, with the same data", async () => {
    const { control, changes, guarded, get } = made();
    await control.start();
    expect(await get("/object")).toBe("1");
    for (const round of [1, 2]) {
      const lost = control.pid ?? 0;
      process.kill(lost, "SIGKILL");
      await until(() => changes.length === 1 + round * 2);
      expect(changes.slice(-2)).toEqual([false, true]);
      expect(control.pid).not.toBe(lost);
      expect([...guarded]).toEqual([control.pid]);
      expect(await get("/object")).toBe(String(round + 1));
      expect(control.starts).toBe(round + 1);
    }
  });

  it("leaves nothing when it is stopped, can be stopped twice, and started again", async () => {
    const { control, changes, guarded, get } = made();
    await control.start();
    expect(await get("/object")).toBe("1");
    const pid = control.pid ?? 0;
    await control.stop(5_000);
    await control.stop(5_000);
    await gone(pid);
    expect([changes, control.pid, [...guarded]]).toEqual([[true, false], undefined, []]);
    expect(await get("/healthz")).toBeUndefined();
    await control.start();
    expect(await get("/object")).toBe("2");
    expect(changes).toEqual([true, false, true]);
  });

  it("whose health is not 200 is refused with what its probe got, and leaves nothing running", async () => {
    const sick = readFileSync(FIXTURE, "utf8").replace(
      'new Response("ok")',
      'new Response("", { status: 503 })',
    );
    const { control, changes, guarded } = made({ script: sick });
    await expect(control.start()).rejects.toThrow(/health probe got status 503/);
    expect([control.isUp, control.pid, [...guarded]]).toEqual([false, undefined, []]);
    expect(changes).not.toContain(true);
    expect(existsSync(control.sockets.api)).toBe(false);
  });

  it("whose script does not start is refused with the reason", async () => {
    const { control, guarded } = made({ script: "export default {" });
    await expect(control.start()).rejects.toThrow(
      /^The control process could not be started: [^]*SyntaxError/,
    );
    expect([...guarded]).toEqual([]);
  });
});
