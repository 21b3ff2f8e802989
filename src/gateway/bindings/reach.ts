import { type Attempt, attempt } from "../../data/attempt.ts";

/**
 * A call of a binding to its store, whose process may be starting again just now. `what` begins the sentence of the error,
 * e.g. "KV". An error that the store itself has thrown passes through.
 */
export async function reach<T>(what: string, how: Attempt, call: () => Promise<T>): Promise<T> {
  const attempted = await attempt(how, call);
  switch (attempted.kind) {
    case "done":
      return attempted.value;
    case "unknown":
      throw new Error(
        `${what} did not answer: its process was lost on the way. Whether it was done is not known.`,
        { cause: attempted.cause },
      );
    case "unreachable":
      throw new Error(`${what} cannot be reached just now. Try again.`, { cause: attempted.cause });
  }
}
