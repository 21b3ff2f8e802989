/** The further settings that a version carries: kept verbatim, unknown metadata fields left out. */
import { byteLength } from "./byte-length.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { DomainError } from "./errors.ts";
import { SETTINGS_BYTES_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";

type Kind = "object" | "list" | "string" | "boolean";

const SETTINGS: ReadonlyMap<string, Kind> = new Map([
  ["cache_options", "object"],
  ["exports", "object"],
  ["limits", "object"],
  ["logpush", "boolean"],
  ["observability", "object"],
  ["package_dependencies", "list"],
  ["placement", "object"],
  ["streaming_tail_consumers", "list"],
  ["tail_consumers", "list"],
  ["usage_model", "string"],
]);

/**
 * Settings whose values are numbers and booleans throughout. Form fields can only carry text, so there
 * `"100"` means 100; a text that is neither stays as it is.
 */
const TYPED: ReadonlySet<string> = new Set(["cache_options", "limits", "logpush", "observability"]);

export function decideSettings(
  metadata: Readonly<Record<string, unknown>>,
): Result<Readonly<Record<string, unknown>>, DomainError> {
  const settings: [string, unknown][] = [];
  for (const [name, kind] of SETTINGS) {
    const raw = metadata[name];
    if (raw === undefined || raw === null) continue;
    const value = TYPED.has(name) ? fromText(raw) : raw;
    if (kindOf(value) !== kind)
      return invalid(`The metadata's ${name} must be ${kind === "object" ? "an" : "a"} ${kind}.`);
    settings.push([name, value]);
  }
  const decided = Object.fromEntries(settings);
  const bytes = byteLength(canonicalJson(decided));
  if (bytes > SETTINGS_BYTES_MAX)
    return invalid(
      `The settings (${settings.map(([name]) => name).join(", ")}) are ${bytes} bytes together; at most ${SETTINGS_BYTES_MAX} are allowed.`,
    );
  return ok(decided);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return typeof value;
}

/** Texts of numbers and booleans as what they spell, inside objects too; lists hold names and stay. */
function fromText(value: unknown): unknown {
  if (value === "true") return true;
  if (value === "false") return false;
  if (typeof value === "string") return spelledNumber(value) ?? value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fromText(field)]));
}

/** The number that `text` spells exactly, as a program would have written it; null for any other text. */
export function spelledNumber(text: string): number | null {
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : null;
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
