/** What the kernel tells of each process of a host. Only Linux tells it without a child process. */
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { processUsage } from "../process-usage.ts";
import type { Sample } from "./exposition.ts";
import type { FamilyName } from "./families.ts";

export interface HostProcess {
  readonly process: "launcher" | "supervisor" | "control" | "store" | "gateway";
  readonly name: string;
  readonly kind: string;
  readonly pid: number | undefined;
  /** Whether it answers. */
  readonly up: boolean;
}

const TICKS_PER_SECOND = 100;

export async function processSamples({ pid, up, ...labels }: HostProcess): Promise<Sample[]> {
  const samples: Sample[] = [];
  const add = (name: FamilyName, value: number | null) => {
    if (value !== null) samples.push({ name, labels: { ...labels }, value });
  };
  add("switchback_up", up ? 1 : 0);
  if (pid === undefined) return samples;
  const usage = processUsage(pid);
  add("switchback_process_cpu_seconds_total", usage === null ? null : usage.cpuMs / 1_000);
  add("switchback_process_resident_memory_bytes", usage?.rssBytes ?? null);
  const [fds, startedAt] = await Promise.all([openFds(pid), startTime(pid)]);
  add("switchback_process_open_fds", fds);
  add("switchback_process_start_time_seconds", startedAt);
  return samples;
}

const openFds = (pid: number): Promise<number | null> =>
  readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => null,
  );

/** In seconds since the epoch. */
async function startTime(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The 22nd field; the second, in parentheses, may hold spaces.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3]);
    return bootTime() + ticks / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

let bootTimeKnown: number | undefined;
function bootTime(): number {
  bootTimeKnown ??= Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1]);
  return bootTimeKnown;
}
