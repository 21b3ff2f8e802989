/** CPU time of processes, as the operating system counts it. */
import { processUsage } from "../../src/host/process-usage.ts";

/** Milliseconds since their start, all together; null where that is not told. One that has ended counts nothing. */
export function cpuMsOf(pids: readonly number[]): number | null {
  if (process.platform !== "linux") return null;
  return pids.reduce((sum, pid) => sum + (processUsage(pid)?.cpuMs ?? 0), 0);
}
