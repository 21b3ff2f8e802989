/**
 * Counters that never go back, from processes that come and go: each tells what it has counted since it started, and
 * what it told last is what it has contributed. Pure.
 */
import { type Labels, labelsText, type Sample } from "./exposition.ts";

interface Total {
  readonly name: string;
  readonly labels: Labels;
  value: number;
}

export class RunningTotals {
  readonly #totals = new Map<string, Total>();
  /** What each process told last, by its name. */
  readonly #told = new Map<string, ReadonlyMap<string, number>>();

  /** All that `process` has counted so far; samples with the same name and labels are summed. */
  take(process: string, samples: Iterable<Sample>): void {
    const before = this.#told.get(process);
    const now = new Map<string, number>();
    for (const { name, labels, value } of samples) {
      const key = name + labelsText(labels);
      now.set(key, (now.get(key) ?? 0) + value);
      if (!this.#totals.has(key)) this.#totals.set(key, { name, labels, value: 0 });
    }
    for (const [key, value] of now) {
      const known = before?.get(key) ?? 0;
      // Less than before: it began anew under its old name.
      const more = value >= known ? value - known : value;
      this.#totals.get(key)!.value += more;
    }
    this.#told.set(process, now);
  }

  /** It is gone; what it has counted stays. */
  forget(process: string): void {
    this.#told.delete(process);
  }

  get samples(): Iterable<Sample> {
    return this.#totals.values();
  }
}
