/** Locks between processes that the system drops with their holder, like the data directory's own. */
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";

/** Between two tries, in milliseconds. */
const AGAIN_MS = 20;

export interface HeldLock {
  release(): void;
}

/** The lock kept in `file`, or undefined if another holds it for longer than `waitMs`. */
export async function holdLock(file: string, waitMs: number): Promise<HeldLock | undefined> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const lock = tryLock(file);
    if (lock !== undefined || performance.now() >= deadline) return lock;
    await sleep(AGAIN_MS);
  }
}

function tryLock(file: string): HeldLock | undefined {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return { release: () => lock.close() };
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Whether SQLite says that another connection stands in the way just now. */
export function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return (
    error instanceof Error &&
    "errcode" in error &&
    typeof error.errcode === "number" &&
    (error.errcode & 0xff) === SQLITE_BUSY
  );
}
