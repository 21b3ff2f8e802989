import { CONTROL_PLANE_RETRY_MS, CONTROL_PLANE_TRIES_MAX } from "../domain/limits.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";

/** Asks again, a few times, where the failure says that the next answer may be good. */
export async function ask<T>(question: string, call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries >= CONTROL_PLANE_TRIES_MAX || !mayAskAgain(error)) {
        throw new ControlPlaneUnavailable(question, error);
      }
      await scheduler.wait(CONTROL_PLANE_RETRY_MS * 2 ** (tries - 1));
    }
  }
}

/** An object that was moved or restarted says so; one that is overloaded must not be asked again. */
export function mayAskAgain(error: unknown): boolean {
  const said = error as { retryable?: unknown; durableObjectReset?: unknown } | null | undefined;
  return !isOverloaded(error) && (said?.retryable === true || said?.durableObjectReset === true);
}

export const isOverloaded = (error: unknown): boolean =>
  (error as { overloaded?: unknown } | null | undefined)?.overloaded === true;
