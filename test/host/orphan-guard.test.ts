import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { killOrphan } from "../../src/host/orphan-guard.ts";
import { temporaryDirectory } from "./host-process.ts";

async function sleeper(name: string) {
  const directory = temporaryDirectory();
  const program = join(directory, name);
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["600"]);
  await once(child, "spawn");
  const pidFile = join(directory, "runtime.pid");
  writeFileSync(pidFile, `${child.pid}\n`);
  return { child, pidFile };
}

it("a runtime whose host and guard are both gone is ended by the next host", async () => {
  const { child, pidFile } = await sleeper("workerd");
  const exited = once(child, "exit");
  expect(killOrphan(pidFile)).toBe(child.pid);
  expect(await exited).toEqual([null, "SIGKILL"]);
});

it("a process that only got the same id later is left alone", async () => {
  const { child, pidFile } = await sleeper("innocent");
  expect(killOrphan(pidFile)).toBeUndefined();
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  expect(await exited).toEqual([null, "SIGTERM"]);
});

it("nothing happens without a usable process id", () => {
  const pidFile = join(temporaryDirectory(), "runtime.pid");
  expect(killOrphan(pidFile)).toBeUndefined();
  for (const text of ["", "x", "0", "1", "-1"]) {
    writeFileSync(pidFile, text);
    expect(killOrphan(pidFile)).toBeUndefined();
  }
});
