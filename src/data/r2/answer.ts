/**
 * What comes of a call to R2. Its refusals travel as data: what is thrown across processes is logged by each of them as
 * a fault, and deployed code could fill their logs with mistakes of its own.
 */
import { logSampled } from "../../observability/log-sampler.ts";

export type R2Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: R2Failure };

/** An error as code would see it. */
export interface R2Failure {
  /** `Error`, `TypeError`, `RangeError`. */
  readonly name: string;
  /** R2's own text, mostly with its code at the end: `get: The requested range is not satisfiable (10039)`. */
  readonly message: string;
}

/** What R2 and the runtime say when the fault is theirs. */
const INTERNAL = /internal error/i;

export async function answer<T>(call: () => Promise<T>): Promise<R2Answer<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // Locally an upload's made-up id is such a fault, too.
    if (INTERNAL.test(message)) logSampled("error", "r2_failed", message, { error: message });
    return { ok: false, error: { name, message } };
  }
}
