import { ROUTE_PATTERN_CHARS_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";

/**
 * Cloudflare's route patterns: `host/path`, where the host may begin with `*` or `*.` and the path may end
 * with `*`. A scheme may be given; it is not matched, since TLS ends in front of the gateway.
 *
 * `*.example.com/*` is for subdomains only. `*example.com/*` is for every host that *ends in* these
 * characters: `example.com`, `a.example.com`, and `notexample.com` too. On Cloudflare the zone keeps the last
 * one out; here there is no zone to ask, so whoever owns both names has to say `example.com` and
 * `*.example.com`. A pattern without `*` at its end never matches a URL with a query.
 */
export interface RoutePattern {
  /** Lower case; without the star. A suffix of the host if `hostIsSuffix`. */
  readonly host: string;
  readonly hostIsSuffix: boolean;
  /** Begins with `/`; without the star. A prefix of path and query if `pathIsPrefix`. */
  readonly path: string;
  readonly pathIsPrefix: boolean;
}

const SCHEME = /^https?:\/\//i;
const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
/** RFC 3986's path characters. */
const PATH = /^\/[A-Za-z0-9\-._~%!$&'()+,;=:@/]*$/;
const HOST_CHARS_MAX = 253;

/** Parses a pattern; the error is a sentence that says what is wrong with it. */
export function parseRoutePattern(text: string): Result<RoutePattern, string> {
  if (text.length > ROUTE_PATTERN_CHARS_MAX) {
    return err(`A route pattern has at most ${ROUTE_PATTERN_CHARS_MAX} characters.`);
  }
  const rest = text.replace(SCHEME, "");
  if (rest === "") return err("A route pattern needs a host, like example.com/*.");
  if (rest.includes("?")) return err("A route pattern cannot have a query string.");
  if (rest.includes("#")) return err("A route pattern cannot have a fragment.");
  const slash = rest.indexOf("/");
  const host = parseHost(slash === -1 ? rest : rest.slice(0, slash));
  if (!host.ok) return host;
  const path = parsePath(slash === -1 ? "/" : rest.slice(slash));
  if (!path.ok) return path;
  return ok({ ...host.value, ...path.value });
}

function parseHost(given: string): Result<Pick<RoutePattern, "host" | "hostIsSuffix">, string> {
  const hostIsSuffix = given.startsWith("*");
  const host = (hostIsSuffix ? given.slice(1) : given).toLowerCase();
  if (host.includes("*")) {
    return err("A route pattern's host can have a * only at its beginning.");
  }
  if (host.includes(":")) return err("A route pattern cannot have a port.");
  if (host === "" && hostIsSuffix) return ok({ host, hostIsSuffix });
  const named = hostIsSuffix && host.startsWith(".") ? host.slice(1) : host;
  if (named === "") return err("A route pattern needs a host, like example.com/*.");
  if (!HOST.test(named) || named.length > HOST_CHARS_MAX) {
    return err(
      `"${given}" is not a host name. Write international names in their xn-- form, without a dot at the end.`,
    );
  }
  return ok({ host, hostIsSuffix });
}

function parsePath(given: string): Result<Pick<RoutePattern, "path" | "pathIsPrefix">, string> {
  const pathIsPrefix = given.endsWith("*");
  const path = pathIsPrefix ? given.slice(0, -1) : given;
  if (path.includes("*")) return err("A route pattern's path can have a * only at its end.");
  if (!PATH.test(path)) {
    return err("A route pattern's path has characters that a URL writes percent-encoded.");
  }
  return ok({ path, pathIsPrefix });
}

/** The one way to write a pattern: two patterns match the same requests exactly when these are equal. */
export const formatRoutePattern = (pattern: RoutePattern): string =>
  `${pattern.hostIsSuffix ? "*" : ""}${pattern.host}${pattern.path}${pattern.pathIsPrefix ? "*" : ""}`;

/**
 * Whether a request is the pattern's. `host` is lower case without port, `path` the URL's path with its
 * query as sent.
 */
export function matchesRoute(pattern: RoutePattern, host: string, path: string): boolean {
  const hostMatches = pattern.hostIsSuffix ? host.endsWith(pattern.host) : host === pattern.host;
  if (!hostMatches) return false;
  return pattern.pathIsPrefix ? path.startsWith(pattern.path) : path === pattern.path;
}

/**
 * Order of patterns that match the same request, most specific first: exact host before wildcard host, longer
 * host before shorter, longer path before shorter, exact path before wildcard path.
 */
export function compareSpecificity(a: RoutePattern, b: RoutePattern): number {
  return (
    Number(a.hostIsSuffix) - Number(b.hostIsSuffix) ||
    b.host.length - a.host.length ||
    b.path.length - a.path.length ||
    Number(a.pathIsPrefix) - Number(b.pathIsPrefix)
  );
}
