/** What a process of this machine has used, as the kernel tells it. Only Linux tells it without a child process. */
import { readFileSync } from "node:fs";

export interface ProcessUsage {
  /** CPU time of all threads since the start, in milliseconds. */
  readonly cpuMs: number;
  /** Memory in use (resident set), in bytes. */
  readonly rssBytes: number;
}

/** The kernel's unit for times in /proc; fixed at 100 a second for every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Whatever the size of a page is, which differs between machines. */
const RESIDENT_KIB = /^VmRSS:\s*(\d+) kB$/m;

/** Null where it is not known: no such process, or not Linux. `proc`: where the kernel tells it. */
export function processUsage(pid: number, proc = "/proc"): ProcessUsage | null {
  let stat: string;
  let status: string;
  try {
    stat = readFileSync(`${proc}/${pid}/stat`, "latin1");
    status = readFileSync(`${proc}/${pid}/status`, "latin1");
  } catch {
    return null;
  }
  // The second field is the command in parentheses, and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const USER_TIME = 14;
  const SYSTEM_TIME = 15;
  return {
    cpuMs: ((field(USER_TIME) + field(SYSTEM_TIME)) * 1_000) / TICKS_PER_SECOND,
    // One that has ended and waits for its parent to look has none.
    rssBytes: Number(RESIDENT_KIB.exec(status)?.[1] ?? 0) * 1_024,
  };
}
