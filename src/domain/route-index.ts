import type { RoutePattern } from "./route-pattern.ts";

/**
 * Finds the most specific of many patterns without looking at all of them: one map look-up per distinct
 * length of host suffix and of path prefix. With equal patterns, the one added first stays.
 */
export interface RouteIndex<T> {
  readonly exactHosts: Map<string, PathIndex<T>>;
  readonly hostSuffixes: LengthIndex<PathIndex<T>>;
}

interface PathIndex<T> {
  readonly exact: Map<string, Entry<T>>;
  readonly prefixes: LengthIndex<Entry<T>>;
}

/** Values by text, and the lengths that occur, longest first. */
interface LengthIndex<V> {
  readonly byText: Map<string, V>;
  lengths: number[];
}

interface Entry<T> {
  readonly value: T;
}

const emptyLengthIndex = <V>(): LengthIndex<V> => ({ byText: new Map(), lengths: [] });

export function indexRoutes<T>(
  routes: Iterable<{ readonly pattern: RoutePattern; readonly value: T }>,
): RouteIndex<T> {
  const index: RouteIndex<T> = { exactHosts: new Map(), hostSuffixes: emptyLengthIndex() };
  for (const { pattern, value } of routes) {
    const hosts = pattern.hostIsSuffix ? index.hostSuffixes.byText : index.exactHosts;
    let paths = hosts.get(pattern.host);
    if (!paths)
      hosts.set(pattern.host, (paths = { exact: new Map(), prefixes: emptyLengthIndex() }));
    const entries = pattern.pathIsPrefix ? paths.prefixes.byText : paths.exact;
    if (!entries.has(pattern.path)) entries.set(pattern.path, { value });
  }
  sortLengths(index.hostSuffixes);
  for (const paths of index.exactHosts.values()) sortLengths(paths.prefixes);
  for (const paths of index.hostSuffixes.byText.values()) sortLengths(paths.prefixes);
  return index;
}

function sortLengths(index: LengthIndex<unknown>): void {
  const lengths = new Set<number>();
  for (const text of index.byText.keys()) lengths.add(text.length);
  index.lengths = [...lengths].toSorted((a, b) => b - a);
}

/**
 * The value of the most specific pattern that matches, or null. Host and path as `matchesRoute` takes them;
 * patterns that name fewer than `hostCharsMin` characters of the host do not count.
 */
export function findRoute<T>(
  index: RouteIndex<T>,
  host: string,
  path: string,
  hostCharsMin = 0,
): { readonly value: T } | null {
  const exact = index.exactHosts.get(host);
  const found = exact && findPath(exact, path);
  if (found) return found;
  const { lengths, byText } = index.hostSuffixes;
  for (const length of lengths) {
    if (length > host.length) continue;
    if (length < hostCharsMin) return null;
    const paths = byText.get(host.slice(host.length - length));
    const below = paths && findPath(paths, path);
    if (below) return below;
  }
  return null;
}

function findPath<T>(index: PathIndex<T>, path: string): Entry<T> | null {
  const exact = index.exact.get(path);
  if (exact) return exact;
  for (const length of index.prefixes.lengths) {
    if (length > path.length) continue;
    const found = index.prefixes.byText.get(path.slice(0, length));
    if (found) return found;
  }
  return null;
}
