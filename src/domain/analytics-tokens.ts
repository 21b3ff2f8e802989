/** The words of an analytics query. */
import { err, ok, type Result } from "./result.ts";

export interface Token {
  readonly kind: "name" | "quoted" | "text" | "number" | "symbol" | "end";
  /** Of a text or quoted name: without its quotes. */
  readonly text: string;
}

const SPACE = /(?:\s|--[^\n]*|\/\*[^]*?\*\/)*/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const TEXT = /'(?:[^'\\]|''|\\[^])*'/y;
const QUOTED = /"(?:[^"\\]|"")*"|`[^`\\]*`/y;
const SYMBOL = /<=|>=|<>|!=|\|\||[=<>+\-*/%(),;]/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0" };

/** The last is `end`; otherwise what is wrong, as a sentence. */
export function tokensOf(query: string): Result<readonly Token[], string> {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(query)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  };
  for (;;) {
    take(SPACE);
    if (at === query.length) break;
    const token = next(take);
    if (token === null) {
      return err(`${JSON.stringify(query.slice(at, at + 20))} is not understood.`);
    }
    tokens.push(token);
  }
  return ok([...tokens, { kind: "end", text: "the end of the query" }]);
}

function next(take: (pattern: RegExp) => string | null): Token | null {
  const name = take(NAME);
  if (name !== null) return { kind: "name", text: name };
  const number = take(NUMBER);
  if (number !== null) return { kind: "number", text: number };
  const text = take(TEXT);
  if (text !== null) return { kind: "text", text: unescaped(text.slice(1, -1)) };
  const quoted = take(QUOTED);
  if (quoted !== null) return { kind: "quoted", text: quoted.slice(1, -1).replaceAll('""', '"') };
  const symbol = take(SYMBOL);
  return symbol === null ? null : { kind: "symbol", text: symbol };
}

const unescaped = (text: string): string =>
  text.replaceAll(/''|\\([^])/g, (_, escaped: string | undefined) =>
    escaped === undefined ? "'" : (ESCAPES[escaped] ?? escaped),
  );
