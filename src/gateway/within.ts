import type { Wait } from "./holder-clock.ts";

export const LATE = Symbol("late");

/** What `answer` gives, or LATE when that takes longer. */
export async function within<T>(
  clock: { readonly wait: Wait },
  ms: number,
  answer: Promise<T>,
): Promise<T | typeof LATE> {
  const over = new AbortController();
  const late = (): typeof LATE => LATE;
  try {
    return await Promise.race([answer, clock.wait(ms, over.signal).then(late, late)]);
  } finally {
    over.abort();
  }
}
