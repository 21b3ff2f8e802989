/** Compatibility date and flags of an upload, as far as they can be judged without the runtime. */
import type { DomainError } from "./errors.ts";
import { COMPATIBILITY_FLAG_CHARS_MAX, COMPATIBILITY_FLAGS_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";

/** What Cloudflare takes for Workers that name no date. */
const DEFAULT_COMPATIBILITY_DATE = "2021-11-02";
const FLAG = /^[a-z0-9_]+$/;

/** A real day as `YYYY-MM-DD`; the default when there is none. */
export function decideCompatibilityDate(raw: unknown): Result<string, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok(DEFAULT_COMPATIBILITY_DATE);
  if (typeof raw !== "string" || !isDay(raw))
    return invalid("The compatibility_date must be a day written as YYYY-MM-DD.");
  return ok(raw);
}

/** Flags without repetitions, in order. */
export function decideCompatibilityFlags(raw: unknown): Result<readonly string[], DomainError> {
  const list = raw ?? [];
  if (!Array.isArray(list)) return invalid("The compatibility_flags must be a list of strings.");
  if (list.length > COMPATIBILITY_FLAGS_MAX)
    return invalid(
      `There are ${list.length} compatibility_flags; at most ${COMPATIBILITY_FLAGS_MAX} are allowed.`,
    );
  for (const flag of list as unknown[]) {
    if (typeof flag !== "string" || flag.length > COMPATIBILITY_FLAG_CHARS_MAX || !FLAG.test(flag))
      return invalid(
        `Each of the compatibility_flags must be a string of lower-case letters, digits and _, at most ${COMPATIBILITY_FLAG_CHARS_MAX} characters long.`,
      );
    // It would open interfaces of the runtime that are not kept apart between Workers.
    if (flag === "experimental")
      return invalid("The compatibility flag experimental is not allowed. Take it out.");
  }
  return ok([...new Set(list as string[])]);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  // The 31st of a shorter month parses as a day of the next.
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().slice(0, 10) === text;
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
