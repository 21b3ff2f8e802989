/** Whether a process of Durable Objects is used: what its supervisor asks before it ends one. One for each isolate. */

let calls = 0;
let lastAt = 0;
/** Ever: an object that sleeps beneath an open WebSocket shows no other sign of it. */
let webSockets = false;

export interface ObjectsReport {
  /** Calls and alarms under way. */
  readonly busy: number;
  /** Since the last one ended, in milliseconds; 0 while there are some. */
  readonly idleMs: number;
  readonly webSockets: boolean;
}

/** Runs a call or an alarm of an object; streams and returned stubs outlive it. */
export async function countCall<T>(call: () => Promise<T>): Promise<T> {
  calls++;
  try {
    const result = await call();
    if (result instanceof Response && result.webSocket !== null) webSockets = true;
    return result;
  } finally {
    calls--;
    lastAt = Date.now();
  }
}

export const objectsReport = (now: number): ObjectsReport => ({
  busy: calls,
  idleMs: calls > 0 ? 0 : Math.max(0, now - lastAt),
  webSockets,
});
