/** Expressions of an analytics query: read from its words, told as SQLite's. */
import { type ColumnType, type Expression, FUNCTIONS } from "./analytics-functions.ts";
import type { Token } from "./analytics-tokens.ts";
import {
  ANALYTICS_DEPTH_MAX,
  ANALYTICS_FIELDS_MAX,
  ANALYTICS_SQL_CHARS_MAX,
} from "./limits-analytics.ts";

/** What is wrong with a query, as a sentence. Never leaves the domain. */
export class QueryError extends Error {}

const COMPARISONS: ReadonlySet<string> = new Set(["=", "!=", "<>", "<", "<=", ">", ">="]);
const UNITS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
};
/** Words that end an expression, so that none of them is taken for an alias. */
const RESERVED: ReadonlySet<string> = new Set(
  "select from where group by having order limit offset format as and or not in like ilike between is null case when then else end asc desc distinct union join".split(
    " ",
  ),
);

/** Columns of every dataset, in the order of `SELECT *`. What a data point does not give is empty, or 0. */
const COLUMNS: ReadonlyMap<string, Expression> = new Map<string, Expression>([
  ["timestamp", { sql: "timestamp", type: "DateTime" }],
  ["_sample_interval", { sql: "1", type: "UInt64" }],
  ["index1", { sql: "ifnull(index1, '')", type: "String" }],
  ...numbered("blob", "''", "String"),
  ...numbered("double", "0.0", "Float64"),
]);

function numbered(name: string, empty: string, type: ColumnType): [string, Expression][] {
  return Array.from({ length: ANALYTICS_FIELDS_MAX }, (_, index) => {
    const column = `${name}${index + 1}`;
    return [column, { sql: `ifnull(${column}, ${empty})`, type }];
  });
}

export const quoted = (text: string): string => {
  if (text.includes("\0")) throw new QueryError("a text has a NUL character in it.");
  return `'${text.replaceAll("'", "''")}'`;
};

export class ExpressionReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  /** Names given with AS, in lower case: what they stand for is put in their place. */
  readonly aliases = new Map<string, Expression>();
  /** The column `dataset` says this; set when it is known. */
  dataset = "";

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** All columns, for `*`. */
  columns(): readonly (readonly [name: string, expression: Expression])[] {
    return [["dataset", this.#datasetColumn()], ...COLUMNS];
  }

  peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  isWord(word: string): boolean {
    const { kind, text } = this.peek();
    return kind === "name" && text.toLowerCase() === word.toLowerCase();
  }

  isSymbol(symbol: string): boolean {
    const { kind, text } = this.peek();
    return kind === "symbol" && text === symbol;
  }

  /** Takes it if it is there. */
  word(word: string): boolean {
    const isThere = this.isWord(word);
    if (isThere) this.#at++;
    return isThere;
  }

  symbol(symbol: string): boolean {
    const isThere = this.isSymbol(symbol);
    if (isThere) this.#at++;
    return isThere;
  }

  expect(what: string): void {
    if (!this.word(what) && !this.symbol(what)) {
      throw new QueryError(`${what.toUpperCase()} was expected, not ${this.#shown()}.`);
    }
  }

  take(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** A name of the query's own: an alias, a dataset. */
  name(): string {
    const token = this.take();
    if (token.kind === "quoted" || token.kind === "text") return token.text;
    if (token.kind === "name" && !RESERVED.has(token.text.toLowerCase())) return token.text;
    this.#at--;
    throw new QueryError(`a name was expected, not ${this.#shown()}.`);
  }

  wholeNumber(): number {
    const { kind, text } = this.take();
    if (kind === "number" && /^\d{1,9}$/.test(text)) return Number(text);
    throw new QueryError(`a whole number was expected, not ${JSON.stringify(text.slice(0, 40))}.`);
  }

  expression(): Expression {
    if (++this.#depth > ANALYTICS_DEPTH_MAX) {
      throw new QueryError(`it is nested more than ${ANALYTICS_DEPTH_MAX} levels deep.`);
    }
    const made = this.#or();
    this.#depth--;
    if (made.sql.length > ANALYTICS_SQL_CHARS_MAX) throw new QueryError("it is too long.");
    return made;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.word("or")) left = truth(`(${left.sql} OR ${this.#and().sql})`);
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.word("and")) left = truth(`(${left.sql} AND ${this.#not().sql})`);
    return left;
  }

  #not(): Expression {
    if (!this.word("not")) return this.#comparison();
    return truth(`(NOT ${this.expression().sql})`);
  }

  #comparison(): Expression {
    const left = this.#sum();
    const { kind, text } = this.peek();
    if (kind === "symbol" && COMPARISONS.has(text)) {
      this.take();
      const [first, second] = sameKind(left, this.#sum());
      return truth(`(${first} ${text} ${second})`);
    }
    if (this.word("is")) {
      const not = this.word("not") ? " NOT" : "";
      this.expect("null");
      return truth(`(${left.sql} IS${not} NULL)`);
    }
    const isNegated = this.word("not");
    const not = isNegated ? "NOT " : "";
    if (this.word("in")) return truth(`(${left.sql} ${not}IN (${this.#list(left).join(", ")}))`);
    if (this.word("between")) {
      const [low, high] = [sameKind(left, this.#sum()), (this.expect("and"), this.#sum())];
      return truth(`(${low[0]} ${not}BETWEEN ${low[1]} AND ${sameKind(left, high)[1]})`);
    }
    for (const like of ["like", "ilike"]) {
      if (this.word(like)) return truth(`(${not}${this.#like(left, like === "ilike")})`);
    }
    if (isNegated) throw new QueryError(`IN, BETWEEN or LIKE was expected, not ${this.#shown()}.`);
    return left;
  }

  #list(left: Expression): readonly string[] {
    this.expect("(");
    const items = [];
    do items.push(sameKind(left, this.expression())[1]);
    while (this.symbol(","));
    this.expect(")");
    return items;
  }

  /** With wildcards at the ends only: matching any others takes a time that nothing bounds. */
  #like(left: Expression, isAnyCase: boolean): string {
    const pattern = this.take();
    const inner = pattern.text.replace(/^%/, "").replace(/%$/, "");
    if (pattern.kind !== "text" || /[%_\\]/.test(inner)) {
      throw new QueryError("LIKE takes a text with % at its start and its end, and nowhere else.");
    }
    const fold = (sql: string) => (isAnyCase ? `lower(${sql})` : sql);
    const [text, wanted] = [fold(left.sql), fold(quoted(inner))];
    const [isOpenAtStart, isOpenAtEnd] = [pattern.text.startsWith("%"), pattern.text.endsWith("%")];
    if (pattern.text === "%") return `(${left.sql} IS NOT NULL)`;
    if (isOpenAtStart && isOpenAtEnd) return `(instr(${text}, ${wanted}) > 0)`;
    if (isOpenAtEnd) return `(substr(${text}, 1, length(${wanted})) = ${wanted})`;
    if (isOpenAtStart) return `(substr(${text}, -max(length(${wanted}), 1)) = ${wanted})`;
    return `(${text} = ${wanted})`;
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      if (this.symbol("||")) left = text(`(${left.sql} || ${this.#product().sql})`);
      else if (this.symbol("+")) left = arithmetic("+", left, this.#product());
      else if (this.symbol("-")) left = arithmetic("-", left, this.#product());
      else return left;
    }
  }

  #product(): Expression {
    let left = this.#unary();
    for (;;) {
      if (this.symbol("*")) left = arithmetic("*", left, this.#unary());
      else if (this.symbol("%")) left = arithmetic("%", left, this.#unary());
      else if (this.symbol("/")) {
        left = { sql: `(${left.sql} * 1.0 / ${this.#unary().sql})`, type: "Float64" };
      } else return left;
    }
  }

  #unary(): Expression {
    if (!this.symbol("-")) return this.#primary();
    const { sql, type } = this.#primary();
    return { sql: `(-${sql})`, type: type === "UInt64" ? "Int64" : type };
  }

  #primary(): Expression {
    if (this.symbol("(")) {
      const inner = this.expression();
      this.expect(")");
      return inner;
    }
    const token = this.take();
    switch (token.kind) {
      case "number":
        return { sql: token.text, type: /^\d+$/.test(token.text) ? "UInt64" : "Float64" };
      case "text":
        return { sql: quoted(token.text), type: "String", literal: token.text };
      case "quoted":
        return this.#named(token.text);
      case "name":
        return this.#word(token.text);
      case "symbol":
      case "end":
        this.#at--;
        throw new QueryError(`a value was expected, not ${this.#shown()}.`);
    }
  }

  #word(word: string): Expression {
    const lower = word.toLowerCase();
    if (lower === "interval") return this.#interval();
    if (lower === "case") return this.#case();
    if (lower === "null") return { sql: "NULL", type: "String" };
    if (lower === "true" || lower === "false") return truth(lower === "true" ? "1" : "0");
    if (RESERVED.has(lower)) {
      this.#at--;
      throw new QueryError(`a value was expected, not ${this.#shown()}.`);
    }
    return this.symbol("(") ? this.#call(word) : this.#named(word);
  }

  #named(name: string): Expression {
    const lower = name.toLowerCase();
    if (lower === "dataset") return this.#datasetColumn();
    const found = COLUMNS.get(lower) ?? this.aliases.get(lower);
    if (found !== undefined) return found;
    const shown = JSON.stringify(name.slice(0, 80));
    throw new QueryError(
      `there is no column ${shown}. There are timestamp, dataset, _sample_interval, index1, blob1 to blob20 and double1 to double20.`,
    );
  }

  #datasetColumn(): Expression {
    return { sql: quoted(this.dataset), type: "String" };
  }

  #call(name: string): Expression {
    const isDistinct = this.word("distinct");
    const args: Expression[] = [];
    const isCount = name.toLowerCase() === "count";
    if (isCount && this.symbol("*")) this.expect(")");
    else if (!this.symbol(")")) {
      do args.push(this.expression());
      while (this.symbol(","));
      this.expect(")");
    }
    const definition = Object.hasOwn(FUNCTIONS, name.toLowerCase())
      ? FUNCTIONS[name.toLowerCase()]
      : undefined;
    if (definition === undefined) throw new QueryError(`the function ${name} is not supported.`);
    const { takes, type, sql } = definition;
    if (args.length < takes[0] || args.length > takes[1]) {
      throw new QueryError(`the function ${name} takes another number of arguments.`);
    }
    if (isDistinct && !/^(?:count|sum|avg)$/i.test(name)) {
      throw new QueryError(`DISTINCT has no meaning in ${name}.`);
    }
    if (isDistinct && args.length !== 1) throw new QueryError(`DISTINCT needs an argument.`);
    const given = args.map((arg) => (isDistinct ? `DISTINCT ${arg.sql}` : arg.sql));
    return { sql: sql(given, args), type: typeof type === "string" ? type : type(args) };
  }

  #interval(): Expression {
    const { kind, text: amount } = this.take();
    const isNumber = (kind === "text" || kind === "number") && /^\d{1,9}$/.test(amount);
    const unit = this.take().text.toLowerCase().replace(/s$/, "");
    const seconds = UNITS[unit];
    if (!isNumber || seconds === undefined || Number(amount) === 0) {
      throw new QueryError(
        "an interval is written INTERVAL '5' MINUTE; there are SECOND, MINUTE, HOUR, DAY and WEEK.",
      );
    }
    return {
      sql: String(Number(amount) * seconds),
      type: "Int64",
      interval: Number(amount) * seconds,
    };
  }

  #case(): Expression {
    let sql = "CASE";
    let type: ColumnType = "String";
    while (this.word("when")) {
      const condition = this.expression();
      this.expect("then");
      const value = this.expression();
      ({ type } = value);
      sql += ` WHEN ${condition.sql} THEN ${value.sql}`;
    }
    if (sql === "CASE") throw new QueryError(`WHEN was expected, not ${this.#shown()}.`);
    if (this.word("else")) sql += ` ELSE ${this.expression().sql}`;
    this.expect("end");
    return { sql: `(${sql} END)`, type };
  }

  #shown(): string {
    const { kind, text: shown } = this.peek();
    return kind === "end" ? shown : JSON.stringify(shown.slice(0, 40));
  }
}

const truth = (sql: string): Expression => ({ sql, type: "UInt8" });
const text = (sql: string): Expression => ({ sql, type: "String" });

function arithmetic(operator: string, left: Expression, right: Expression): Expression {
  const sql = `(${left.sql} ${operator} ${right.sql})`;
  if (left.type === "DateTime" && right.interval !== undefined) return { sql, type: "DateTime" };
  const isWhole = [left, right].every(({ type }) => type !== "Float64");
  return { sql, type: isWhole ? "Int64" : "Float64" };
}

/** A time is compared with a text that spells one. */
function sameKind(left: Expression, right: Expression): readonly [string, string] {
  const asTime = ({ sql, literal }: Expression) =>
    literal === undefined ? sql : `unixepoch(${sql})`;
  if (left.type === "DateTime" && right.type === "String") return [left.sql, asTime(right)];
  if (right.type === "DateTime" && left.type === "String") return [asTime(left), right.sql];
  return [left.sql, right.sql];
}
