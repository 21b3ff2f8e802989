import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayProcess } from "./gateway-process.ts";

/** Between two looks at a process that is starting, in milliseconds. */
const LOOK_MS = 10;
const ALIVE = 204;

/**
 * Whether a process that was just started answers before `deadline`, on the clock of `performance`. Each question waits
 * for `askMsMax` at most, in milliseconds.
 */
export async function comesUp(
  process: Pick<GatewayProcess, "pid" | "ask">,
  deadline: number,
  askMsMax: number,
): Promise<boolean> {
  while (process.pid !== undefined && performance.now() < deadline) {
    const answer = await process.ask("GET", "/alive", askMsMax);
    if (answer?.status === ALIVE) return process.pid !== undefined;
    await sleep(LOOK_MS);
  }
  return false;
}
