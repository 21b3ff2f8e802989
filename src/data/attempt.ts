import { STORE_AWAKE_MS, STORE_RETRY_MS, STORE_TRIES_MAX } from "../domain/limits-data.ts";

export interface Attempt {
  /** Doing it twice is the same as once, so that it may be tried again when nobody knows whether it was done. */
  readonly idempotent: boolean;
  /** Lost after more than this, in milliseconds, it is not tried again: it may be what the process was lost for. */
  readonly retryMsMax?: number;
  /** Asked first, until it answers, before what may not be done twice: then a process that is starting costs time only. */
  readonly door?: AttemptDoor;
}

export interface AttemptDoor {
  readonly name: string;
  /** Does nothing. */
  ping(): Promise<void>;
}

/** When doors last answered, in milliseconds since 1970; one for each isolate. */
const answeredAt = new Map<string, number>();

/** `unknown`: it may have been done. `unreachable`: it was tried again and again. */
export type Attempted<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "unknown" | "unreachable"; readonly cause: unknown };

/** A call to a store whose process may be starting again just now. What the store itself has thrown passes through. */
export async function attempt<T>(
  { idempotent, retryMsMax = Number.POSITIVE_INFINITY, door }: Attempt,
  call: () => Promise<T>,
): Promise<Attempted<T>> {
  if (door !== undefined && !idempotent && !isAwake(door)) {
    const woken = await attempt({ idempotent: true, door }, () => door.ping());
    if (woken.kind !== "done") return woken;
  }
  for (let tries = 1; ; tries++) {
    const startedAt = Date.now();
    try {
      const value = await call();
      if (door !== undefined) answeredAt.set(door.name, Date.now());
      return { kind: "done", value };
    } catch (cause) {
      if (!isLost(cause)) throw cause;
      if (door !== undefined) answeredAt.delete(door.name);
      if (!idempotent || Date.now() - startedAt > retryMsMax) return { kind: "unknown", cause };
      if (tries >= STORE_TRIES_MAX) return { kind: "unreachable", cause };
      await scheduler.wait(STORE_RETRY_MS * tries);
    }
  }
}

const isAwake = ({ name }: AttemptDoor): boolean =>
  Date.now() - (answeredAt.get(name) ?? 0) < STORE_AWAKE_MS;

/**
 * What another process has thrown is marked as such by the runtime; a lost connection is this process's own finding, and an
 * error of no particular kind: what is wrong with an argument has one.
 */
export const isLost = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === "Error" &&
  (error as { remote?: unknown }).remote !== true;
