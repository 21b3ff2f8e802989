/**
 * The Host header as everybody behind the front will read it. Two spellings of one host would be two
 * hosts here and one to deployed code, so only the canonical spelling (and its upper case) is taken.
 */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
/** Hosts remembered. */
const REMEMBERED_MAX = 2_000;

export class HostNames {
  readonly #known = new Map<string, string | null>();

  /** Lower case, without port and trailing dot; null where it is not the name of a host. */
  canonical(raw: string): string | null {
    const known = this.#known.get(raw);
    if (known !== undefined) return known;
    const host = canonicalHost(raw);
    if (raw.length <= 255) {
      if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
      this.#known.set(raw, host);
    }
    return host;
  }
}

function canonicalHost(raw: string): string | null {
  const lower = raw.toLowerCase();
  if (raw.length > 262 || !HOST.test(lower)) return null;
  const port = /:(?<digits>[0-9]+)$/.exec(lower.replace(/^\[.*\]/, ""))?.groups?.["digits"];
  if (port !== undefined && Number(port) > 65_535) return null;
  const host = port === undefined ? lower : lower.slice(0, -port.length - 1);
  // `127.1` and `[0::1]` are other spellings of what a URL says: the front takes none of them.
  if (!URL.canParse(`http://${host}/`) || new URL(`http://${host}/`).hostname !== host) return null;
  return host.endsWith(".") ? host.slice(0, -1) : host;
}
