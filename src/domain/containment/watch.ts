/** The watchdog's judgement of one gateway process, from what was last seen of it. */
import { BLOCK_WALL_MS, BLOCK_WALL_MS_UNKNOWN_CPU, STALLED_MS } from "../limits.ts";

export interface Sight {
  /** Age of the liveness probe that is not answered yet, in milliseconds; null: none is out. */
  readonly probeMs: number | null;
  /** How long of that the watchdog itself did not run, in milliseconds: an answer may lie unread. */
  readonly blindMs: number;
  /** CPU time of the process since that probe was sent, in milliseconds; null: not known. */
  readonly cpuMs: number | null;
  /** Resident memory of the process, in bytes; null: not known. */
  readonly rssBytes: number | null;
  /** It has kept everybody waiting for most of the time lately: see duty. */
  readonly hogged: boolean;
}

export interface WatchLimits {
  /** CPU time without an answer after which the process is killed, in milliseconds: BLOCK_MS_DEFAULT unless the operator says otherwise. */
  readonly blockMsMax: number;
  /** Resident memory, in bytes, from which it is told to evict versions. */
  readonly evictBytes: number;
  /** Resident memory, in bytes, from which it is replaced: a successor is started, and it drains. */
  readonly replaceBytes: number;
  /** Resident memory, in bytes, from which it is killed. */
  readonly killBytes: number;
}

export type Verdict =
  | "ok"
  /** Give it nothing new. */
  | "stalled"
  | "evict"
  | "replace"
  /** To be replaced, and to be watched when it has nothing in hand any more. */
  | "hogged"
  | "kill: blocked"
  | "kill: memory";

/** The gravest of what applies. A process that does not get the CPU is not blamed for its silence before BLOCK_WALL_MS. */
export function judge(sight: Sight, limits: WatchLimits): Verdict {
  const rssBytes = sight.rssBytes ?? 0;
  if (rssBytes >= limits.killBytes) return "kill: memory";
  if (sight.probeMs !== null) {
    const silentMs = sight.probeMs - sight.blindMs;
    if (isBlocked(silentMs, sight.cpuMs, limits.blockMsMax)) return "kill: blocked";
    if (silentMs >= STALLED_MS) return "stalled";
  }
  if (rssBytes >= limits.replaceBytes) return "replace";
  if (sight.hogged) return "hogged";
  return rssBytes >= limits.evictBytes ? "evict" : "ok";
}

function isBlocked(silentMs: number, cpuMs: number | null, blockMsMax: number): boolean {
  if (silentMs < STALLED_MS) return false;
  if (cpuMs === null) return silentMs >= Math.max(BLOCK_WALL_MS_UNKNOWN_CPU, blockMsMax);
  return cpuMs >= blockMsMax || silentMs >= Math.max(BLOCK_WALL_MS, blockMsMax);
}
