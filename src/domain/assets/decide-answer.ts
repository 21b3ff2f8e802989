/** What a version's assets have for a request: redirects first, then files. After Cloudflare's own asset Worker. */
import type { AssetFile } from "./asset-files.ts";
import type { AssetsConfig } from "./assets-config.ts";
import { onBase, withinBase } from "./base-path.ts";
import { findIntent, type FindFile, type Intent } from "./html-handling.ts";
import { decodePath, encodePath } from "./path-encoding.ts";
import { fillIn, matchRule, parseRulePattern, type RulePattern } from "./rule-pattern.ts";

export type AssetAnswer =
  | {
      readonly kind: "file";
      readonly file: AssetFile;
      readonly status: 200 | 404;
      /** It stands in for what there is not. */
      readonly isNotFound: boolean;
    }
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  | { readonly kind: "method_not_allowed" }
  /** `isClaimed`: a rule has sent it here, so nobody else is asked. */
  | { readonly kind: "none"; readonly isClaimed: boolean }
  /** Not below the base path: nothing here is about it. */
  | { readonly kind: "outside" };

export interface AssetRequest {
  readonly method: string;
  readonly url: URL;
}

/** A configuration with its rules made ready to be matched. */
export interface RedirectIndex {
  readonly statics: ReadonlyMap<string, RedirectTarget>;
  readonly dynamics: readonly (RedirectTarget & { readonly pattern: RulePattern })[];
}

interface RedirectTarget {
  readonly to: string;
  readonly status: number;
}

export function indexRedirects(rules: AssetsConfig["redirects"]): RedirectIndex {
  const dynamics = rules
    .filter((rule) => rule.isDynamic)
    .flatMap(({ from, to, status }) => {
      const pattern = parseRulePattern(from);
      return pattern === null ? [] : [{ pattern, to, status }];
    });
  const statics = rules.filter((rule) => !rule.isDynamic);
  return {
    statics: new Map(statics.map(({ from, to, status }) => [from, { to, status }])),
    dynamics,
  };
}

export function decideAnswer(
  { method, url }: AssetRequest,
  config: Pick<AssetsConfig, "htmlHandling" | "notFoundHandling" | "basePath">,
  redirects: RedirectIndex,
  find: FindFile,
): AssetAnswer {
  const { basePath } = config;
  const decoded = decodePath(url.pathname);
  if (withinBase(decoded, basePath) === null) return { kind: "outside" };
  const redirect = findRedirect(url, redirects);
  if (redirect !== null && redirect.status !== 200) return { kind: "redirect", ...redirect };
  const isClaimed = redirect !== null;
  // A path that a rule has put in this one's place.
  const pathname = redirect?.location ?? url.pathname;
  const asked = isClaimed ? decodePath(pathname) : decoded;
  const inner = withinBase(asked, basePath);
  if (inner === null) return { kind: "none", isClaimed };
  const intent =
    (isClaimed ? null : rootIntent(decoded, config, find)) ?? findIntent(inner, config, find);
  if (intent === null) return { kind: "none", isClaimed };
  if (method !== "GET" && method !== "HEAD") return { kind: "method_not_allowed" };
  const wanted = intent.kind === "redirect" ? onBase(intent.to, basePath) : asked;
  const location = encodePath(wanted);
  if (intent.kind === "redirect" || location !== pathname)
    return { kind: "redirect", status: 307, location: location + url.search };
  return intent;
}

/** The base path itself, spelled as `html_handling` does not want it. */
function rootIntent(
  decoded: string,
  { basePath, htmlHandling }: Pick<AssetsConfig, "basePath" | "htmlHandling">,
  find: FindFile,
): Intent | null {
  if (basePath === "/" || htmlHandling === "none" || find("/index.html") === undefined) return null;
  if (htmlHandling === "drop-trailing-slash")
    return decoded === basePath ? { kind: "redirect", to: "" } : null;
  return decoded === basePath.slice(0, -1) ? { kind: "redirect", to: "/" } : null;
}

/** `location` is the path to be answered with when the status is 200. */
function findRedirect(
  url: URL,
  { statics, dynamics }: RedirectIndex,
): { readonly status: number; readonly location: string } | null {
  const found = statics.get(url.pathname) ?? findDynamic(url, dynamics);
  if (found === null) return null;
  const destination = URL.parse(found.to, url.href);
  if (destination === null) return null;
  if (found.status === 200) return { status: 200, location: destination.pathname };
  const { origin, pathname, search, hash, href } = destination;
  const bare =
    origin === url.origin ? pathname : href.slice(0, href.length - search.length - hash.length);
  return { status: found.status, location: bare + (search || url.search) + hash };
}

function findDynamic(url: URL, dynamics: RedirectIndex["dynamics"]): RedirectTarget | null {
  for (const { pattern, to, status } of dynamics) {
    const captures = matchRule(pattern, url.hostname, url.pathname);
    if (captures === null) continue;
    const target = fillIn(to, captures).trim();
    // Two slashes at the beginning would lead to another host.
    return { status, to: /^\w+:\/\//.test(target) ? target : target.replace(/\/+/g, "/") };
  }
  return null;
}
