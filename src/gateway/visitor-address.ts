import { HOST_HEADERS_KEPT_MAX } from "../domain/limits.ts";
import { normalizeHost } from "../domain/routing.ts";

/** Which host a visitor asks, and for what. */
export interface VisitorAddress {
  /** As the route table knows it: lower case, no port, no dot at the end. */
  readonly host: string;
  /** The URL's path with its query. */
  readonly path: string;
}

/**
 * A name or an address, and perhaps a port. The runtime makes the URL from this header as it came, so that
 * "a.example:80@localhost" would be another host here than for a proxy in front.
 */
const PLAIN_HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;

/** Nothing in it that the URL parser would change: no segment begins with a dot, nothing needs an escape. */
const PLAIN_PATH = /^(?:\/(?!\.)[\w.~!$&()*+,;=:@-]*)+(?:\?[\w.~!$&()*+,;=:@/?%-]+)?$/;

/** Host headers that were seen before, and the hosts that they name. */
const hosts = new Map<string, string>();

/**
 * What a request's URL says, as the URL parser reads it; null when the Host header is no plain host. Parsing costs
 * as much as all else that the gateway does, so a host that is known and a path that is plain are read as they are.
 */
export function readAddress(url: string, hostHeader: string): VisitorAddress | null {
  const host = hosts.get(hostHeader) ?? hostOf(hostHeader);
  if (host === null) return null;
  const authorityAt = url.indexOf("://") + 3;
  if (url.startsWith(hostHeader, authorityAt)) {
    const path = url.slice(authorityAt + hostHeader.length);
    if (PLAIN_PATH.test(path)) return { host, path };
  }
  const parsed = URL.parse(url);
  return parsed && { host: normalizeHost(parsed.hostname), path: parsed.pathname + parsed.search };
}

function hostOf(hostHeader: string): string | null {
  const url = PLAIN_HOST.test(hostHeader) ? URL.parse(`http://${hostHeader}/`) : null;
  if (url === null) return null;
  const host = normalizeHost(url.hostname);
  // Whoever invents hosts makes this slower for a moment, not larger.
  if (hosts.size >= HOST_HEADERS_KEPT_MAX) hosts.clear();
  hosts.set(hostHeader, host);
  return host;
}
