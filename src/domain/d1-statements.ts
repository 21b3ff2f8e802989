/**
 * SQL text cut into its statements, by SQLite's own rules (`sqlite3_complete`): a semicolon ends a statement unless
 * it is in a string, a name, a comment or the body of a trigger. Text may come in pieces, cut anywhere.
 */

export interface Statement {
  /** With its semicolon, if it has one, and the comments before it. */
  readonly sql: string;
  /** It can only read: none of its words begins a change. */
  readonly reads: boolean;
}

/** Where a statement stands. A trigger ends with `; END ;` alone. */
type Stage = "start" | "normal" | "explain" | "create" | "trigger" | "trigger;" | "trigger;end";

/** SQLite's own classes: whatever is not ASCII is part of a word. */
const BLANKS = /[\t-\r ]+/y;
const WORD = /[A-Za-z0-9_$\u0080-\uffff]+/y;
const READING = new Set(["SELECT", "VALUES", "WITH", "EXPLAIN"]);
const WRITING = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);
const CLOSING: Readonly<Record<string, string>> = { "'": "'", '"': '"', "`": "`", "[": "]" };

export class StatementSplitter {
  /** What is not yet given: the statement at hand, and what follows it. */
  #text = "";
  /** Everything before has been looked at. */
  #at = 0;
  #stage: Stage = "start";
  #first = "";
  #writes = false;
  #isEmpty = true;

  /** Characters that wait for the end of their statement. */
  get pending(): number {
    return this.#text.length;
  }

  /** The statements that `text` completes. */
  push(text: string): Statement[] {
    this.#text += text;
    return this.#scan(false);
  }

  /** What is left: a last statement needs no semicolon. */
  end(): Statement[] {
    const statements = this.#scan(true);
    const rest = this.#take();
    return rest === null ? statements : [...statements, rest];
  }

  #scan(isLast: boolean): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      const end = endOfToken(this.#text, this.#at, isLast);
      if (end === null) return statements;
      const token = this.#text.slice(this.#at, end);
      this.#at = end;
      if (!this.#note(token)) continue;
      const statement = this.#take();
      if (statement !== null) statements.push(statement);
    }
  }

  /** Whether the token ends the statement. */
  #note(token: string): boolean {
    if (token === ";") {
      if (this.#stage === "trigger" || this.#stage === "trigger;") this.#stage = "trigger;";
      else return true;
      return false;
    }
    if (isSpace(token)) return false;
    const word = token.length > 9 ? "" : token.toUpperCase();
    this.#isEmpty = false;
    this.#first ||= word === "" ? token : word;
    if (WRITING.has(word)) this.#writes = true;
    this.#stage = next(this.#stage, word);
    return false;
  }

  /** The statement up to here; null when it is nothing but blanks and comments. */
  #take(): Statement | null {
    const statement = {
      sql: this.#text.slice(0, this.#at).trim(),
      reads: READING.has(this.#first) && !this.#writes,
    };
    const isEmpty = this.#isEmpty;
    this.#text = this.#text.slice(this.#at);
    this.#at = 0;
    this.#stage = "start";
    this.#first = "";
    this.#writes = false;
    this.#isEmpty = true;
    return isEmpty ? null : statement;
  }
}

export function splitStatements(sql: string): Statement[] {
  const splitter = new StatementSplitter();
  return [...splitter.push(sql), ...splitter.end()];
}

/** Whether running it twice is the same as once. */
export const onlyReads = (sql: string): boolean =>
  splitStatements(sql).every((statement) => statement.reads);

function next(stage: Stage, word: string): Stage {
  switch (stage) {
    case "start":
      return word === "EXPLAIN" ? "explain" : word === "CREATE" ? "create" : "normal";
    case "explain":
      return word === "CREATE" ? "create" : "normal";
    case "create":
      if (word === "TRIGGER") return "trigger";
      return word === "TEMP" || word === "TEMPORARY" ? "create" : "normal";
    case "trigger;":
      return word === "END" ? "trigger;end" : "trigger";
    case "trigger;end":
      return "trigger";
    case "normal":
    case "trigger":
      return stage;
  }
}

/** Where what begins at `at` ends; null when nothing of that kind does. */
function endOf(kind: RegExp, text: string, at: number): number | null {
  kind.lastIndex = at;
  return kind.test(text) ? kind.lastIndex : null;
}

const isSpace = (token: string): boolean =>
  endOf(BLANKS, token, 0) !== null || token.startsWith("--") || token.startsWith("/*");

/** Null when there is none, or more text could make it longer. */
function endOfToken(text: string, at: number, isLast: boolean): number | null {
  const { length } = text;
  if (at >= length) return null;
  const first = text[at] as string;
  const ended = (end: number): number | null => (end < length || isLast ? end : null);
  const after = (found: number, size: number): number | null =>
    found < 0 ? (isLast ? length : null) : found + size;
  const closing = CLOSING[first];
  if (closing !== undefined) return after(text.indexOf(closing, at + 1), 1);
  if (first === "-" || first === "/") {
    if (at + 1 >= length) return isLast ? length : null;
    if (text.startsWith("--", at)) return after(text.indexOf("\n", at), 1);
    if (text.startsWith("/*", at)) return after(text.indexOf("*/", at + 2), 2);
    return at + 1;
  }
  const end = endOf(BLANKS, text, at) ?? endOf(WORD, text, at);
  return end === null ? at + 1 : ended(end);
}
