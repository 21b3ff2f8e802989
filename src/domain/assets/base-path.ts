/** `base_path`: the directory of the host under which a version's assets are served. */
import { err, ok, type Result } from "../result.ts";

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Begins and ends with a slash. The error is a sentence. */
export function normalizeBasePath(raw: unknown): Result<string, string> {
  if (typeof raw !== "string") return err(`Expected a string but got ${typeof raw}.`);
  if (raw.length === 0) return err("The value must not be empty.");
  if (raw.length > 1_024) return err("The value is longer than 1024 characters.");
  if (raw.startsWith("//") || /^[a-zA-Z][a-zA-Z\d+.-]*:/.test(raw))
    return err("The value must be a pathname, not a URL.");
  if (raw.includes("\\")) return err("The value must not contain backslashes.");
  if (CONTROL.test(raw)) return err("The value must not contain control characters.");
  if (/[?#]/.test(raw)) return err("The value must not contain query strings or fragments.");
  if (raw.includes("%")) return err("The value must not contain percent-encoded sequences.");
  const segments: string[] = [];
  for (const segment of raw.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return ok(segments.length === 0 ? "/" : `/${segments.join("/")}/`);
}

/** The path within the base, both decoded; null outside it. */
export function withinBase(path: string, base: string): string | null {
  if (base === "/") return path;
  if (path !== base.slice(0, -1) && !path.startsWith(base)) return null;
  return path.slice(base.length - 1) || "/";
}

/** The path on the host. */
export function onBase(path: string, base: string): string {
  if (base === "/") return path;
  return path === "/" ? base : base.slice(0, -1) + path;
}
