import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { processUsage } from "../../src/host/process-usage.ts";
import { temporaryDirectory } from "./host-process.ts";

const MIB = 1_048_576;

describe.runIf(process.platform === "linux")("what a process has used", () => {
  it("is the CPU time of all its threads, to a hundredth of a second", () => {
    const before = processUsage(process.pid);
    const own = process.cpuUsage();
    while (process.cpuUsage(own).user + process.cpuUsage(own).system < 300_000);
    const { user, system } = process.cpuUsage(own);
    const used = (processUsage(process.pid)?.cpuMs ?? 0) - (before?.cpuMs ?? 0);
    // Each of its two counters may have been about to tick; the compiler's threads go on meanwhile.
    expect(used).toBeGreaterThanOrEqual((user + system) / 1_000 - 40);
    expect(used).toBeLessThan((user + system) / 1_000 + 1_000);
  });

  it("is its resident memory", () => {
    const before = processUsage(process.pid)?.rssBytes ?? 0;
    const held = Buffer.alloc(256 * MIB, 1);
    const after = processUsage(process.pid)?.rssBytes ?? 0;
    expect(held[MIB]).toBe(1);
    expect(after - before).toBeGreaterThan(192 * MIB);
    expect(after - before).toBeLessThan(512 * MIB);
  });

  it("is read right whatever the process calls itself", async () => {
    const program = join(temporaryDirectory(), "a) R 1 (b");
    copyFileSync("/bin/sleep", program);
    const child = spawn(program, ["600"]);
    await once(child, "spawn");
    const usage = processUsage(child.pid ?? 0);
    child.kill("SIGKILL");
    expect(usage?.cpuMs).toBeLessThan(1_000);
    expect(usage?.rssBytes).toBeGreaterThan(10_000);
    expect(usage?.rssBytes).toBeLessThan(64 * MIB);
  });

  it("does not depend on the size of a page", () => {
    const proc = temporaryDirectory();
    mkdirSync(join(proc, "7"));
    const fields = ["7 (workerd) S", ...Array.from({ length: 20 }, () => 0), 10, 0];
    writeFileSync(join(proc, "7/stat"), fields.join(" "));
    // 10 pages of 64 KiB.
    writeFileSync(
      join(proc, "7/status"),
      "Name:\tworkerd\nVmHWM:\t    9999 kB\nVmRSS:\t     640 kB\n",
    );
    expect(processUsage(7, proc)).toEqual({ cpuMs: 0, rssBytes: 655_360 });
  });

  it("is not known of a process that is gone", async () => {
    const child = spawn("/bin/true");
    await once(child, "exit");
    expect(processUsage(child.pid ?? 0)).toBeNull();
  });
});
