/**
 * The patterns of `_headers` and `_redirects`: texts with `*` (anything) and `:name` (up to the next slash; in a host
 * name, up to the next dot). Matched without regular expressions: theirs come from people who may mean harm, and a
 * match here takes time that grows with the pattern times the path, and no faster.
 */
import { ASSET_RULE_WORK_MAX } from "../limits-assets.ts";

type Token =
  | { readonly kind: "text"; readonly text: string }
  /** One character or more, none of which is in `end`. */
  | { readonly kind: "name"; readonly name: string; readonly end: string }
  | { readonly kind: "splat" };

export interface RulePattern {
  /** It begins with `https://`, so that it is matched against the host name and the path. */
  readonly crossHost: boolean;
  readonly tokens: readonly Token[];
}

/** What was found for each name; `splat` for `*`. */
export type Captures = Readonly<Record<string, string>>;

const HTTPS = "https://";
const NAME = /^:([A-Za-z]\w*)/;
/** After a name in a host, so that the name ends at a dot. */
const HOST_DELIMITER = /^[-/\\^$*+?.()|[\]{}]/;

/** null when it has two of one name: such a rule never matches anything. */
export function parseRulePattern(rule: string): RulePattern | null {
  const crossHost = rule.startsWith(HTTPS);
  const pathAt = crossHost ? rule.indexOf("/", HTTPS.length) : 0;
  const hostEnd = pathAt === -1 ? rule.length : pathAt;
  const tokens: Token[] = [];
  const names = new Set<string>();
  let text = "";
  const add = (token: Token, name: string) => {
    if (text !== "") tokens.push({ kind: "text", text });
    text = "";
    tokens.push(token);
    const isNew = !names.has(name);
    names.add(name);
    return isNew;
  };
  for (let at = 0; at < rule.length;) {
    const name = NAME.exec(rule.slice(at))?.[1];
    if (rule[at] === "*") {
      if (!add({ kind: "splat" }, "splat")) return null;
      at += 1;
    } else if (name !== undefined) {
      const after = at + 1 + name.length;
      const inHost = after <= hostEnd && at < hostEnd && HOST_DELIMITER.test(rule.slice(after));
      if (!add({ kind: "name", name, end: inHost ? "/." : "/" }, name)) return null;
      at = after;
    } else {
      text += rule[at];
      at += 1;
    }
  }
  if (text !== "") tokens.push({ kind: "text", text });
  return { crossHost, tokens };
}

/** What the names stand for; null when it does not match. `path` is percent-encoded. */
export function matchRule(pattern: RulePattern, hostname: string, path: string): Captures | null {
  const subject = pattern.crossHost ? `${HTTPS}${hostname}${path}` : path;
  const { tokens } = pattern;
  const [first] = tokens;
  // Most rules are not about most paths.
  if (first?.kind === "text" && !subject.startsWith(first.text)) return null;
  const names = tokens.filter(({ kind }) => kind === "name").length;
  if (names * subject.length > ASSET_RULE_WORK_MAX) return null;
  const ends = endsOf(tokens, subject);
  const captures: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    const end = ends[index]?.[at] ?? NONE;
    if (end === NONE) return null;
    if (token.kind === "splat") captures["splat"] = subject.slice(at, end);
    if (token.kind === "name") captures[token.name] = subject.slice(at, end);
    at = end;
  }
  return at === subject.length ? captures : null;
}

const NONE = -1;

/**
 * For each token, and each place where it may begin: the last place where it may end so that all tokens after it still
 * match what is left. From the last token to the first, so that nothing is tried twice.
 */
function endsOf(tokens: readonly Token[], subject: string): readonly Int32Array[] {
  const ends: Int32Array[] = [];
  let next = new Int32Array(subject.length + 1).fill(NONE);
  next[subject.length] = subject.length;
  for (const token of tokens.toReversed()) {
    const own = new Int32Array(subject.length + 1).fill(NONE);
    if (token.kind === "text") endsOfText(own, token.text, subject, next);
    else endsOfAny(own, token, subject, next);
    ends.unshift(own);
    next = own;
  }
  return ends;
}

function endsOfText(own: Int32Array, text: string, subject: string, next: Int32Array): void {
  for (let at = subject.indexOf(text); at !== -1; at = subject.indexOf(text, at + 1)) {
    if (next[at + text.length] !== NONE) own[at] = at + text.length;
  }
}

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * From right to left, the last place that will do is the same until a delimiter is met. A hundred rules with all the names
 * that a rule may have pass here for each character of a long path: so it compares numbers, and calls nothing.
 */
function endsOfAny(
  own: Int32Array,
  token: Exclude<Token, { readonly kind: "text" }>,
  subject: string,
  next: Int32Array,
): void {
  const isName = token.kind === "name";
  const slash = isName ? SLASH : NONE;
  const dot = isName && token.end.includes(".") ? DOT : NONE;
  const least = isName ? 1 : 0;
  let last = NONE;
  for (let at = subject.length; at >= 0; at -= 1) {
    const unit = subject.charCodeAt(at);
    if (unit === slash || unit === dot) last = NONE;
    if (last === NONE && next[at] !== NONE) last = at;
    if (last >= at + least) own[at] = last;
  }
}

/** A text with `:name` in it, with what the names stand for put in their place. Names that are not known stay. */
export function fillIn(template: string, captures: Captures): string {
  // The longest first, so that `:slug_id` is not taken for `:slug` and more.
  const names = Object.keys(captures).sort((a, b) => b.length - a.length);
  if (names.length === 0) return template;
  const pattern = new RegExp(`:(${names.join("|")})`, "g");
  return template.replace(pattern, (_, name: string) => captures[name] ?? "");
}

/** A pattern in which `*` stands for anything, and nothing else for anything but itself. */
export function matchGlob(glob: string, path: string): boolean {
  const [first = "", ...parts] = glob.split("*");
  if (parts.length === 0) return path === glob;
  if (!path.startsWith(first)) return false;
  const last = parts.pop() ?? "";
  let at = first.length;
  for (const part of parts) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return path.length - last.length >= at && path.endsWith(last);
}
