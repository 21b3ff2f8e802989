import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { killOrphans, startOrphanGuard } from "../../src/host/orphan-guard.ts";
import { temporaryDirectory } from "./host-process.ts";

const PARENT = fileURLToPath(new URL("guarded-parent.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function run(program: string, ...args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}

/** A process of that name that does nothing for ten minutes. */
function sleeper(name: string) {
  const program = join(temporaryDirectory(), name);
  copyFileSync("/bin/sleep", program);
  return run(program, "600");
}

const end = async (child: ChildProcess) =>
  child.signalCode ?? ((await once(child, "exit")) as [number | null, string | null])[1];
const runs = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;
const fileOf = (...lines: (string | number)[]) => {
  const file = join(temporaryDirectory(), "runtime.pid");
  writeFileSync(file, lines.join("\n"));
  return file;
};

describe("a host that is killed", () => {
  it("takes those that it guards with it, not those that had ended before", async () => {
    const [let_go, first, second] = [
      await sleeper("workerd"),
      await sleeper("workerd"),
      await sleeper("workerd"),
    ];
    const pidFile = join(temporaryDirectory(), "runtime.pid");
    const pids = [let_go, first, second].map(({ pid }) => String(pid));
    const parent = await run(process.execPath, PARENT, pidFile, ...pids);
    if (parent.stdout) await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    expect(await Promise.all([end(first), end(second)])).toEqual(["SIGKILL", "SIGKILL"]);
    expect(runs(let_go)).toBe(true);
    // For a successor, should the guard have died too.
    expect(readFileSync(pidFile, "utf8")).toBe(`${first.pid}\n${second.pid}\n`);
  });
});

describe("the file of process ids", () => {
  it("has those that run, one a line, and is gone when none does", () => {
    const pidFile = join(temporaryDirectory(), "runtime.pid");
    const guard = startOrphanGuard(pidFile);
    guard.add(4_000_001);
    guard.add(4_000_002);
    expect(readFileSync(pidFile, "utf8")).toBe("4000001\n4000002\n");
    guard.remove(4_000_001);
    expect(readFileSync(pidFile, "utf8")).toBe("4000002\n");
    guard.remove(4_000_002);
    expect(existsSync(pidFile)).toBe(false);
    guard.release();
  });

  it("stays as it was while the disk is full, and ends nothing by it", () => {
    const pidFile = join(temporaryDirectory(), "runtime.pid");
    const guard = startOrphanGuard(pidFile);
    guard.add(4_000_001);
    symlinkSync("/dev/full", `${pidFile}.new`);
    guard.add(4_000_002);
    expect(readFileSync(pidFile, "utf8")).toBe("4000001\n");
    expect(existsSync(`${pidFile}.new`)).toBe(false);
    guard.add(4_000_003);
    expect(readFileSync(pidFile, "utf8")).toBe("4000001\n4000002\n4000003\n");
    guard.release();
  });

  it("is the successor's after a handover, until this host takes it back", () => {
    const pidFile = join(temporaryDirectory(), "runtime.pid");
    const guard = startOrphanGuard(pidFile);
    guard.add(4_000_001);
    guard.leaveFile();
    expect(existsSync(pidFile)).toBe(false);
    writeFileSync(pidFile, "4000009\n");
    guard.add(4_000_002);
    guard.remove(4_000_002);
    expect(readFileSync(pidFile, "utf8")).toBe("4000009\n");
    guard.takeFile();
    expect(readFileSync(pidFile, "utf8")).toBe("4000001\n");
    guard.release();
    expect(existsSync(pidFile)).toBe(false);
  });
});

describe("the next host", () => {
  it("ends all processes whose host and guard are both gone", async () => {
    const [first, second] = [await sleeper("workerd"), await sleeper("workerd")];
    const ends = Promise.all([end(first), end(second)]);
    expect(await killOrphans(fileOf(first.pid, second.pid))).toEqual([first.pid, second.pid]);
    expect(await ends).toEqual(["SIGKILL", "SIGKILL"]);
  });

  it("leaves a process alone that only got the same id later", async () => {
    const child = await sleeper("innocent");
    expect(await killOrphans(fileOf(child.pid))).toEqual([]);
    child.kill("SIGTERM");
    expect(await end(child)).toBe("SIGTERM");
  });

  it("takes one for ended that nobody has waited for, as in a container", async () => {
    // `sh` never waits for its child: it becomes `sleep`.
    const program = join(temporaryDirectory(), "workerd");
    copyFileSync("/bin/sleep", program);
    const parent = await run("/bin/sh", "-c", `${program} 0.01 & echo $!; exec sleep 600`);
    const [pid] = (await once(parent.stdout as NonNullable<typeof parent.stdout>, "data")) as [
      Buffer,
    ];
    const stat = () => readFileSync(`/proc/${Number(String(pid))}/stat`, "latin1");
    while (!stat().includes(") Z ")) await new Promise((done) => setTimeout(done, 10));
    expect(stat()).toContain("(workerd)");
    expect(await killOrphans(fileOf(Number(String(pid))))).toEqual([]);
  });

  it("does nothing without a usable process id", async () => {
    expect(await killOrphans(join(temporaryDirectory(), "runtime.pid"))).toEqual([]);
    for (const text of ["", "x", "0", "1", "-1"]) {
      expect(await killOrphans(fileOf(text))).toEqual([]);
    }
  });
});
