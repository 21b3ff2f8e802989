/** Resident memory of a process, as the operating system counts it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** MB of 10^6 bytes. */
export function residentMegabytes(pid: number): number {
  const kibibytes =
    process.platform === "linux"
      ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
      : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return (Number(kibibytes) * 1024) / 1e6;
}
