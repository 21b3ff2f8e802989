/**
 * What a client says about a version or a deployment. Messages are cut, since half a message still tells;
 * tags and aliases are refused, since half a name would name something else.
 */
import { byteLength } from "./byte-length.ts";
import type { DomainError } from "./errors.ts";
import {
  MESSAGE_BYTES_MAX,
  OTHER_ANNOTATION_BYTES_MAX,
  OTHER_ANNOTATION_KEY_CHARS_MAX,
  OTHER_ANNOTATIONS_MAX,
  PREVIEW_LABEL_CHARS_MAX,
  TAG_BYTES_MAX,
} from "./limits.ts";
import { err, ok, type Result } from "./result.ts";
import type { VersionDraft } from "./upload.ts";

type Annotations = VersionDraft["annotations"];

const ALIAS = /^[a-z][a-z0-9-]*$/;
/** Read below, or decided by us and never by a client. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  "workers/message",
  "workers/tag",
  "workers/alias",
  "workers/triggered_by",
]);

/** The longest start of `text` that fits in `bytesMax` UTF-8 bytes and cuts no character in two. */
export function truncateBytes(text: string, bytesMax: number): string {
  const whole = text.toWellFormed();
  const { read } = new TextEncoder().encodeInto(whole, new Uint8Array(bytesMax));
  return whole.slice(0, read);
}

/**
 * A `workers/message` as it is stored: nothing when it is absent or empty, cut with a notice when it is long.
 * Refused with `bad_request` when it is not a string: deployments use it too.
 */
export function decideMessage(
  raw: unknown,
): Result<{ readonly message?: string; readonly notice?: string }, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok({});
  if (typeof raw !== "string")
    return err({ kind: "bad_request", detail: "The annotation workers/message must be a string." });
  const message = truncateBytes(raw, MESSAGE_BYTES_MAX);
  if (message.length === raw.length) return ok({ message });
  return ok({
    message,
    notice: `The message is longer than ${MESSAGE_BYTES_MAX} bytes and was cut to its first ${byteLength(message)}.`,
  });
}

/** The annotations of an upload to the Worker `workerName`, with a notice for each that was cut. */
export function decideAnnotations(
  raw: unknown,
  workerName: string,
): Result<{ readonly annotations: Annotations; readonly notices: readonly string[] }, DomainError> {
  if (raw === undefined || raw === null) return ok({ annotations: { other: {} }, notices: [] });
  if (typeof raw !== "object" || Array.isArray(raw))
    return invalid("The field annotations must be an object of strings.");
  const fields = new Map(Object.entries(raw));

  const message = decideMessage(fields.get("workers/message"));
  if (!message.ok) return message;
  const tag = decideTag(fields.get("workers/tag"));
  if (!tag.ok) return tag;
  const alias = decideAlias(fields.get("workers/alias"), workerName);
  if (!alias.ok) return alias;
  const other = decideOther(fields);
  if (!other.ok) return other;

  return ok({
    annotations: {
      ...(message.value.message === undefined ? {} : { message: message.value.message }),
      ...(tag.value === null ? {} : { tag: tag.value }),
      ...(alias.value === null ? {} : { alias: alias.value }),
      other: other.value,
    },
    notices: message.value.notice === undefined ? [] : [message.value.notice],
  });
}

function decideTag(raw: unknown): Result<string | null, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok(null);
  if (typeof raw !== "string") return invalid("The annotation workers/tag must be a string.");
  const tag = raw.toWellFormed();
  const bytes = byteLength(tag);
  if (bytes > TAG_BYTES_MAX)
    return invalid(
      `The tag is ${bytes} bytes long; a tag has at most ${TAG_BYTES_MAX}. Shorten it.`,
    );
  return ok(tag);
}

function decideAlias(raw: unknown, workerName: string): Result<string | null, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok(null);
  if (typeof raw !== "string") return invalid("The annotation workers/alias must be a string.");
  // Cloudflare's text; the rule follows it, so that a reader knows what to change.
  if (!ALIAS.test(raw))
    return invalid(
      `validation failures: invalid alias: ${truncateBytes(raw, TAG_BYTES_MAX)}. An alias starts with a lower-case letter and has only lower-case letters, digits and dashes.`,
    );
  const label = `${raw}-${workerName}`;
  if (label.length > PREVIEW_LABEL_CHARS_MAX)
    return invalid(
      `validation failures: invalid alias: ${truncateBytes(raw, TAG_BYTES_MAX)}. "<alias>-${workerName}" would be ${label.length} characters long; a host name label has at most ${PREVIEW_LABEL_CHARS_MAX}.`,
    );
  return ok(raw);
}

function decideOther(
  fields: ReadonlyMap<string, unknown>,
): Result<Readonly<Record<string, string>>, DomainError> {
  const other: [string, string][] = [];
  for (const [key, value] of fields) {
    if (!key.startsWith("workers/") || OWN_KEYS.has(key)) continue;
    if (key.length > OTHER_ANNOTATION_KEY_CHARS_MAX)
      return invalid(
        `An annotation's key is ${key.length} characters long; at most ${OTHER_ANNOTATION_KEY_CHARS_MAX} are allowed.`,
      );
    if (typeof value !== "string") return invalid(`The annotation ${key} must be a string.`);
    const text = value.toWellFormed();
    if (byteLength(text) > OTHER_ANNOTATION_BYTES_MAX)
      return invalid(
        `The annotation ${key} is longer than ${OTHER_ANNOTATION_BYTES_MAX} bytes. Shorten it.`,
      );
    other.push([key.toWellFormed(), text]);
  }
  if (other.length > OTHER_ANNOTATIONS_MAX)
    return invalid(
      `There are ${other.length} further workers/ annotations; at most ${OTHER_ANNOTATIONS_MAX} are kept. Leave some out.`,
    );
  return ok(Object.fromEntries(other));
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
