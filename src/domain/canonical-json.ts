/**
 * The one text of a JSON value: keys in code-unit order, no white space. Two values give the same text
 * exactly when they are equal as JSON, so a hash over it is a hash over the value.
 *
 * `undefined` is left out of objects and is `null` in lists, as in JSON.stringify. Nesting is bounded by
 * the caller (JSON_DEPTH_MAX at the door).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(",")}}`;
}

/** Whether nothing in `value` lies inside more than `depthMax` objects and lists. Never recurses. */
export function isShallow(value: unknown, depthMax: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const containers = level.filter((item) => typeof item === "object" && item !== null);
    if (depth === depthMax && containers.length > 0) return false;
    level = containers.flatMap((item) => Object.values(item as object));
  }
  return true;
}
