/**
 * How much of its time a process lately kept everybody waiting: code that goes on behind its response, in bursts too
 * short to be killed for one of them, takes a gateway all the same. Work for visitors may look the same from outside;
 * so what follows is a process without visitors, and only who goes on there is to blame.
 */
import {
  HOG_CPU_MS_MIN,
  HOG_CPU_SHARE_MIN,
  HOG_SHARE,
  HOG_WINDOW_MS,
  STALLED_MS,
} from "../limits.ts";

/** A stretch in which a liveness probe was out and nothing was heard of the process. Times in milliseconds. */
export interface Silence {
  readonly from: number;
  readonly to: number;
  /** How long of that the watchdog itself did not run. */
  readonly blindMs: number;
  /** CPU time of the process meanwhile; null: not known. */
  readonly cpuMs: number | null;
}

export class Duty {
  /** In order; each at least STALLED_MS, so few. */
  #stalls: { readonly to: number; readonly ms: number }[] = [];

  /** A silence is over. Whether it counts: it was long, and the process ran. One that got no CPU was kept waiting too. */
  silent({ from, to, blindMs, cpuMs }: Silence): boolean {
    const ms = to - from - blindMs;
    if (ms < STALLED_MS) return false;
    if (cpuMs !== null && cpuMs < Math.max(HOG_CPU_MS_MIN, ms * HOG_CPU_SHARE_MIN)) return false;
    this.#stalls = this.#stalls.filter((stall) => to - stall.to < HOG_WINDOW_MS);
    this.#stalls.push({ to, ms });
    return true;
  }

  /** Whether silences took more than HOG_SHARE of the last `ms`, which are at most HOG_WINDOW_MS. */
  hogs(ms: number, now: number): boolean {
    const since = now - ms;
    let sum = 0;
    for (const stall of this.#stalls) sum += Math.min(stall.ms, Math.max(0, stall.to - since));
    return sum > ms * HOG_SHARE;
  }
}
