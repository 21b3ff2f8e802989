/** `_headers`: a path pattern on a line of its own, then the headers of answers there, or `! Name` for one to leave out. */
import { ASSET_HEADER_RULES_MAX, ASSET_RULE_LINE_CHARS_MAX } from "../limits-assets.ts";
import { readRuleUrl } from "./rule-url.ts";

export interface HeaderRule {
  readonly path: string;
  /** Lower-case names; several values of one name are one, joined by commas. */
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

/** A line that cannot be read, from 1; 0 for what is wrong with the file. */
export interface Complaint {
  readonly line: number;
  readonly text: string;
}

export interface ParsedHeaders {
  readonly rules: readonly HeaderRule[];
  readonly complaints: readonly Complaint[];
}

interface OpenRule {
  readonly path: string;
  readonly line: number;
  readonly set: Map<string, string>;
  readonly unset: string[];
}

const PATH_LINE = /^([^\s]+:\/\/|^\/)/;
const UNSET = "! ";
/** RFC 9110's token: what every client takes as a name. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// oxlint-disable-next-line no-control-regex
const NOT_IN_A_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

export function parseHeaders(text: string): ParsedHeaders {
  const rules: HeaderRule[] = [];
  const complaints: Complaint[] = [];
  const complain = (line: number, sentence: string) => complaints.push({ line, text: sentence });
  let open: OpenRule | null = null;
  let isSkipping = false;
  const close = () => {
    if (open === null) return;
    if (open.set.size === 0 && open.unset.length === 0) complain(open.line, "No headers specified");
    else rules.push({ path: open.path, set: Object.fromEntries(open.set), unset: [...open.unset] });
    open = null;
  };
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    if (content.length > ASSET_RULE_LINE_CHARS_MAX) {
      complain(line, `The line is longer than ${ASSET_RULE_LINE_CHARS_MAX} characters`);
      continue;
    }
    if (PATH_LINE.test(content)) {
      close();
      isSkipping = false;
      if (rules.length >= ASSET_HEADER_RULES_MAX) {
        complain(line, `There are more than ${ASSET_HEADER_RULES_MAX} rules`);
        break;
      }
      const path = readPath(content);
      if (typeof path === "string") open = { path, line, set: new Map(), unset: [] };
      else {
        complain(line, path.complaint);
        isSkipping = true;
      }
    } else if (!isSkipping) {
      const complaint = readHeader(content, open);
      if (complaint !== null) complain(line, complaint);
    }
  }
  close();
  return { rules, complaints };
}

function readPath(content: string): string | { readonly complaint: string } {
  const read = readRuleUrl(content, {});
  if (!read.ok) return read;
  const wildcards = read.url.split("*").length - 1;
  if (wildcards > 1)
    return {
      complaint: `Only one wildcard is allowed per rule. Use a named placeholder (e.g. :project) instead. Skipping ${read.url}.`,
    };
  if (wildcards > 0 && /:splat(?!\w)/.test(read.url))
    return {
      complaint: `Cannot combine a wildcard * with a :splat placeholder because wildcards are converted to :splat at runtime. Skipping ${read.url}.`,
    };
  return read.url;
}

/** Adds the header of a line to its rule; or what is wrong with it. */
function readHeader(content: string, open: OpenRule | null): string | null {
  const colon = content.indexOf(":");
  if (open === null) return "Expected a path before headers";
  if (colon === -1) {
    if (!content.startsWith(UNSET))
      return "Expected a colon-separated header pair (e.g. name: value)";
    const unset = content.slice(UNSET.length).trim().toLowerCase();
    if (!HEADER_NAME.test(unset)) return "Expected the name of a header after the exclamation mark";
    open.unset.push(unset);
    return null;
  }
  const name = content.slice(0, colon).trim().toLowerCase();
  const value = content.slice(colon + 1).trim();
  if (name === "") return "No header name specified";
  if (name.includes(" ")) return "Header name cannot include spaces";
  if (!HEADER_NAME.test(name)) return "Header name has characters that no name may have";
  if (value === "") return "No header value specified";
  if (NOT_IN_A_VALUE.test(value)) return "Header value has characters that no value may have";
  const before = open.set.get(name);
  open.set.set(name, before === undefined ? value : `${before}, ${value}`);
  return null;
}
