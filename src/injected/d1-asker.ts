import { d1Error } from "./d1-results.ts";
import type { D1Broker, WireAnswer, WireQuery, WireResult } from "./d1-wire.ts";

const CONSTRAINTS: readonly string[] = ["first-primary", "first-unconstrained"];

/** Asks the broker, and keeps a session's bookmark. Out of the version's reach, in private fields. */
export class Asker {
  readonly #broker: D1Broker;
  /** Null: nobody asks how far the database is. */
  #held: string | null;

  constructor(broker: D1Broker, bookmarkOrConstraint: string | null) {
    this.#broker = broker;
    this.#held = bookmarkOrConstraint;
  }

  get bookmark(): string | null {
    return this.#held === null || CONSTRAINTS.includes(this.#held) ? null : this.#held;
  }

  async ask(queries: readonly WireQuery[]): Promise<WireAnswer> {
    let answer: WireAnswer;
    try {
      answer = await this.#broker.query({ queries, session: this.#held !== null });
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    if (answer.ok && answer.bookmark !== null) this.#note(answer.bookmark);
    return answer;
  }

  /** As one transaction; throws D1's errors. */
  async run(queries: readonly WireQuery[]): Promise<readonly WireResult[]> {
    const answer = await this.ask(queries);
    if (!answer.ok) throw d1Error("D1_ERROR", answer.error);
    return answer.results;
  }

  /** Answers may overtake each other. */
  #note(bookmark: string): void {
    const { bookmark: current } = this;
    if (current === null || current.localeCompare(bookmark) < 0) this.#held = bookmark;
  }
}
