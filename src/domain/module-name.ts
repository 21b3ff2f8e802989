/**
 * The one rule for module names. A name is later a specifier that the runtime resolves, so nothing gets
 * through that the runtime would resolve to something else, fail on with an internal error, or that could
 * stand for one of our own modules.
 */
import type { DomainError } from "./errors.ts";
import { MODULE_NAME_CHARS_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";

/** No dot segments, no empty ones, no scheme, query, control or non-ASCII characters; not absolute. */
const MODULE_NAME = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!.*\/\/)[\w@.+-][\w@.+/ -]*(?<!\/)$/;
/** Keys that mean something else on a plain object. */
const OBJECT_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
/** Modules that the gateway adds to a version. */
const RESERVED_PREFIX = "__switchback";

/** A part's name as a module name: one leading `./` is taken off (wrangler's bundled text and data imports have it). */
export function decideModuleName(text: string): Result<string, DomainError> {
  const name = text.startsWith("./") ? text.slice(2) : text;
  if (name.length > MODULE_NAME_CHARS_MAX)
    return invalid(
      `A module name is ${name.length} characters long; at most ${MODULE_NAME_CHARS_MAX} are allowed.`,
    );
  if (name.toLowerCase().startsWith(RESERVED_PREFIX))
    return invalid(
      `The module name ${JSON.stringify(name)} is reserved: names starting with ${RESERVED_PREFIX} are the gateway's. Rename the module.`,
    );
  if (OBJECT_KEYS.has(name) || !MODULE_NAME.test(name))
    return invalid(
      `The module name ${JSON.stringify(text)} is not allowed. Use a relative path of letters, digits and _ @ . + - / without "." or ".." segments.`,
    );
  return ok(name);
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
