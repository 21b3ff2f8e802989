import type { Asker } from "./d1-asker.ts";
import { d1Error, toArrays, toRows, type D1Rows } from "./d1-results.ts";
import { toWire, type WireQuery, type WireResult } from "./d1-wire.ts";

export class D1PreparedStatement {
  readonly #asker: Asker;
  readonly statement: string;
  readonly params: readonly unknown[];

  constructor(asker: Asker, statement: string, values: readonly unknown[] = []) {
    this.#asker = asker;
    this.statement = statement;
    this.params = values;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return bound(this.#asker, this.statement, values.map(checkedValue));
  }

  async first(column?: string): Promise<unknown> {
    const first = toRows(await this.#result()).results[0];
    if (first === undefined) return null;
    if (column === undefined) return first;
    const value = first[column];
    if (value !== undefined) return value;
    throw new Error(`D1_COLUMN_NOTFOUND: Column not found (${column})`, {
      cause: new Error("Column not found"),
    });
  }

  async run(): Promise<D1Rows> {
    return toRows(await this.#result());
  }

  async all(): Promise<D1Rows> {
    return toRows(await this.#result());
  }

  async raw(options?: { columnNames?: boolean }): Promise<unknown[][]> {
    const result = await this.#result();
    return [...(options?.columnNames ? [[...result.columns]] : []), ...toArrays(result)];
  }

  async #result(): Promise<WireResult> {
    const [result] = await this.#asker.run([queryOf(this)]);
    return result as WireResult;
  }
}

/** Not in the class: one that names itself inside gets another name from the bundler, and code can see it. */
const bound = (asker: Asker, statement: string, values: readonly unknown[]): D1PreparedStatement =>
  new D1PreparedStatement(asker, statement, values);

/** Whatever it is that somebody gives for a statement, it is taken for its text and values alone, as D1 does. */
export function queryOf(statement: D1PreparedStatement): WireQuery {
  const { statement: sql, params } = statement;
  return { sql, params: Array.isArray(params) ? params.map(toWire) : [] };
}

function checkedValue(value: unknown): unknown {
  const type = typeof value;
  // As JSON has it: there is one zero.
  if (type === "number") return value === 0 ? 0 : value;
  if (type === "string") return value;
  if (type === "boolean") return value === true ? 1 : 0;
  if (value === null) return value;
  if (type === "object") {
    if (Array.isArray(value) && value.every(isByte)) return value;
    if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
    // The elements, not the bytes: so D1 reads a view of larger numbers.
    if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<number>);
  }
  throw d1Error("D1_TYPE_ERROR", `Type '${type}' not supported for value '${value as string}'`);
}

const isByte = (value: unknown): boolean => typeof value === "number" && value >= 0 && value < 256;
