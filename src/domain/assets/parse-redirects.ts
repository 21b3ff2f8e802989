/** `_redirects`: `<from> <to> [<status>]` on each line; 302 unless it says otherwise, 200 to answer with another path's file. */
import {
  ASSET_DYNAMIC_REDIRECTS_MAX,
  ASSET_RULE_LINE_CHARS_MAX,
  ASSET_STATIC_REDIRECTS_MAX,
} from "../limits-assets.ts";
import type { HtmlHandling } from "./asset-handling.ts";
import type { Complaint } from "./parse-headers.ts";
import { hasHost, readRuleUrl } from "./rule-url.ts";

export interface RedirectRule {
  readonly from: string;
  readonly to: string;
  /** 200, 301, 302, 303, 307 or 308. */
  readonly status: number;
  /** A pattern, or a rule that comes after one. */
  readonly isDynamic: boolean;
}

export interface ParsedRedirects {
  /** In the order in which they apply, among the static ones and among the dynamic ones. */
  readonly rules: readonly RedirectRule[];
  readonly complaints: readonly Complaint[];
}

const STATUSES: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308]);
const PATTERN = /\*|:[A-Za-z]\w*/;
const INDEX = /\/index(.html)?$/;

export function parseRedirects(text: string, htmlHandling: HtmlHandling): ParsedRedirects {
  const rules: RedirectRule[] = [];
  const complaints: Complaint[] = [];
  const seen = new Set<string>();
  let statics = 0;
  let dynamics = 0;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    const read = readLine(content, htmlHandling);
    if (typeof read === "string") {
      complaints.push({ line, text: read });
      continue;
    }
    const isDynamic = dynamics > 0 || PATTERN.test(read.from);
    if (isDynamic) dynamics += 1;
    else statics += 1;
    if (dynamics > ASSET_DYNAMIC_REDIRECTS_MAX) {
      const what = "rules with a splat or a placeholder, or after the first such";
      complaints.push({ line, text: `There are more than ${ASSET_DYNAMIC_REDIRECTS_MAX} ${what}` });
      break;
    }
    if (statics > ASSET_STATIC_REDIRECTS_MAX) {
      const sentence = `There are more than ${ASSET_STATIC_REDIRECTS_MAX} rules without patterns`;
      complaints.push({ line, text: sentence });
      break;
    }
    if (seen.has(read.from)) {
      complaints.push({ line, text: `Ignoring duplicate rule for path ${read.from}.` });
      continue;
    }
    seen.add(read.from);
    rules.push({ ...read, isDynamic });
  }
  return { rules, complaints };
}

/** A rule, or what is wrong with its line. */
function readLine(
  content: string,
  htmlHandling: HtmlHandling,
): Omit<RedirectRule, "isDynamic"> | string {
  if (content.length > ASSET_RULE_LINE_CHARS_MAX)
    return `The line is longer than ${ASSET_RULE_LINE_CHARS_MAX} characters`;
  const tokens = content.replace(/\s+#.*$/, "").split(/\s+/);
  const [rawFrom = "", rawTo = "", rawStatus = "302"] = tokens;
  if (tokens.length < 2 || tokens.length > 3)
    return `Expected exactly 2 or 3 whitespace-separated tokens. Got ${tokens.length}.`;
  const from = readRuleUrl(rawFrom, { relativeOnly: true });
  if (!from.ok) return from.complaint;
  const to = readRuleUrl(rawTo, { ports: true, search: true, hash: true });
  if (!to.ok) return to.complaint;
  const status = Number(rawStatus);
  if (!STATUSES.has(status))
    return `Valid status codes are 200, 301, 302 (default), 303, 307, or 308. Got ${rawStatus}.`;
  if (!hasHost(to.url) && isLoop(from.url, to.url, htmlHandling))
    return "Infinite loop detected in this rule. It leads to /index or /index.html, which is served without that name, where the rule applies again.";
  if (status === 200 && hasHost(to.url))
    return `Proxy (200) redirects can only point to relative paths. Got ${to.url}`;
  return { from: from.url, to: to.url, status };
}

const isLoop = (from: string, to: string, htmlHandling: HtmlHandling): boolean =>
  INDEX.test(to) && (from.endsWith("/*") || (from.endsWith("/") && htmlHandling !== "none"));
