/** A D1 binding as the Workers API has it, over a broker that runs SQL. */
import { Asker } from "./d1-asker.ts";
import { d1Error, type D1ExecResult, type D1Rows } from "./d1-results.ts";
import { D1DatabaseSession } from "./d1-session.ts";
import type { D1PreparedStatement } from "./d1-statement.ts";
import type { D1Broker } from "./d1-wire.ts";
import type { RawBinding } from "./raw-binding.ts";

export function d1Database({ stub }: RawBinding): unknown {
  return new D1Database(stub as unknown as D1Broker);
}

class D1Database {
  readonly #broker: D1Broker;
  readonly #asker: Asker;
  readonly #session: D1DatabaseSession;

  constructor(broker: D1Broker) {
    this.#broker = broker;
    this.#asker = new Asker(broker, null);
    this.#session = new D1DatabaseSession(this.#asker);
  }

  prepare(query: string): D1PreparedStatement {
    return this.#session.prepare(query);
  }

  async batch(statements: readonly D1PreparedStatement[]): Promise<D1Rows[]> {
    return this.#session.batch(statements);
  }

  /** Each line is a query, as D1 has it. */
  async exec(query: string): Promise<D1ExecResult> {
    const lines = query.trim().split("\n");
    const answer = await this.#asker.ask(lines.map((sql) => ({ sql, params: [] })));
    if (!answer.ok) {
      // Always the first line: D1 does not tell either which one it was.
      throw d1Error("D1_EXEC_ERROR", `Error in line 1: ${lines[0] ?? ""}: ${answer.error}`);
    }
    const duration = answer.results.reduce((sum, { meta }) => sum + meta.duration, 0);
    return { count: answer.results.length, duration };
  }

  withSession(constraintOrBookmark?: string): D1DatabaseSession {
    const held = constraintOrBookmark?.trim() ?? "";
    return new D1DatabaseSession(
      new Asker(this.#broker, held === "" ? "first-unconstrained" : held),
    );
  }

  /** @deprecated Cloudflare has it for alpha databases only. */
  async dump(): Promise<ArrayBuffer> {
    throw d1Error("D1_DUMP_ERROR", "dump() is not supported. Use wrangler d1 export.");
  }
}
