import type { Asker } from "./d1-asker.ts";
import { toRows, type D1Rows } from "./d1-results.ts";
import { D1PreparedStatement, queryOf } from "./d1-statement.ts";

export class D1DatabaseSession {
  readonly #asker: Asker;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  prepare(sql: string): D1PreparedStatement {
    return new D1PreparedStatement(this.#asker, sql);
  }

  async batch(statements: readonly D1PreparedStatement[]): Promise<D1Rows[]> {
    const results = await this.#asker.run(statements.map(queryOf));
    return results.map(toRows);
  }

  /** The newest that an answer of this session has told of; null before the first. */
  getBookmark(): string | null {
    return this.#asker.bookmark;
  }
}
