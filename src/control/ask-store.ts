import { type Attempt, attempt } from "../data/attempt.ts";
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";

/**
 * Ask a store whose process may be starting again just now. `what` names it, e.g. "KV". An error that the store itself has
 * thrown passes through: it is a fault of ours.
 */
export async function askStore<T>(
  what: string,
  how: Attempt,
  call: () => Promise<T>,
): Promise<Result<T, DomainError>> {
  const attempted = await attempt(how, call);
  return attempted.kind === "done" ? ok(attempted.value) : err({ kind: "store_unavailable", what });
}
