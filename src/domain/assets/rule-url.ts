/** The URLs in `_headers` and `_redirects`, as Cloudflare's own reading of these files has them. */
import { ASSET_RULE_NAMES_MAX } from "../limits-assets.ts";

interface Allowed {
  readonly relativeOnly?: boolean;
  readonly ports?: boolean;
  readonly search?: boolean;
  readonly hash?: boolean;
}

export type RuleUrl =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly complaint: string };

const ABSOLUTE = /^https:\/\/+([^/]+)\/?(.*)/;
const NAMES = /:[A-Za-z]/g;
const WITH_PORT = /.*:\d+$/;

export function readRuleUrl(token: string, allowed: Allowed): RuleUrl {
  if ((token.match(NAMES)?.length ?? 0) > ASSET_RULE_NAMES_MAX)
    return no(`It has more than ${ASSET_RULE_NAMES_MAX} placeholders`);
  const absolute = ABSOLUTE.exec(token);
  if (absolute !== null) {
    const [, host = "", path = ""] = absolute;
    if (allowed.relativeOnly)
      return no(`Only relative URLs are allowed. Skipping absolute URL ${token}.`);
    if (!allowed.ports && WITH_PORT.test(host))
      return no(`Specifying ports is not supported. Skipping absolute URL ${token}.`);
    const read = pathOf(path, allowed);
    return read === null
      ? no(`Error parsing URL segment ${token}. Skipping.`)
      : { ok: true, url: `https://${host}${read}` };
  }
  const relative = token.startsWith("/") || !allowed.relativeOnly ? token : `/${token}`;
  if (!relative.startsWith("/"))
    return no(
      'URLs should either be relative (e.g. begin with a forward-slash), or use HTTPS (e.g. begin with "https://").',
    );
  const read = pathOf(relative, allowed);
  return read === null
    ? no(`Error parsing URL segment ${relative}. Skipping.`)
    : { ok: true, url: read };
}

export const hasHost = (url: string): boolean => ABSOLUTE.test(url);

function pathOf(path: string, allowed: Allowed): string | null {
  const rooted = path.startsWith("/") ? path : `/${path}`;
  try {
    const url = new URL(`//${rooted}`, "relative://");
    return `${url.pathname}${allowed.search ? url.search : ""}${allowed.hash ? url.hash : ""}`;
  } catch {
    return null;
  }
}

const no = (complaint: string): RuleUrl => ({ ok: false, complaint });
