/** How a version serves its static assets: as uploaded, and as the gateway uses it. */
import { byteLength } from "../byte-length.ts";
import type { DomainError } from "../errors.ts";
import { ASSET_RULE_COMPLAINTS_MAX, ASSET_RULES_BYTES_MAX } from "../limits-assets.ts";
import { err, ok, type Result } from "../result.ts";
import {
  HTML_HANDLING,
  type HtmlHandling,
  NOT_FOUND_HANDLING,
  type NotFoundHandling,
} from "./asset-handling.ts";
import { normalizeBasePath } from "./base-path.ts";
import { type Complaint, type HeaderRule, parseHeaders } from "./parse-headers.ts";
import { parseRedirects, type RedirectRule } from "./parse-redirects.ts";
import { decideWorkerFirst, type WorkerFirst } from "./worker-first.ts";

/** As it is stored: Cloudflare's names, checked, with what is not given left out. */
export interface StoredAssetsConfig {
  readonly html_handling?: HtmlHandling;
  readonly not_found_handling?: NotFoundHandling;
  readonly base_path?: string;
  readonly run_worker_first?: boolean | readonly string[];
  readonly _headers?: string;
  readonly _redirects?: string;
}

/** Everything said, and the rules read. */
export interface AssetsConfig {
  readonly htmlHandling: HtmlHandling;
  readonly notFoundHandling: NotFoundHandling;
  /** Begins and ends with a slash; `/` is the whole host. */
  readonly basePath: string;
  readonly workerFirst: WorkerFirst;
  readonly headers: readonly HeaderRule[];
  readonly redirects: readonly RedirectRule[];
}

/** The `config` of an upload's `assets`. Form fields carry texts only, so `"true"` means true there. */
export function decideAssetsConfig(raw: unknown): Result<StoredAssetsConfig, DomainError> {
  const fields = raw ?? {};
  if (typeof fields !== "object" || Array.isArray(fields))
    return invalid("The config of the metadata's assets must be an object.");
  const given = fields as Readonly<Record<string, unknown>>;
  const html = oneOf("html_handling", given["html_handling"], HTML_HANDLING);
  if (!html.ok) return html;
  const notFound = oneOf("not_found_handling", given["not_found_handling"], NOT_FOUND_HANDLING);
  if (!notFound.ok) return notFound;
  const basePath = decideBasePath(given["base_path"]);
  if (!basePath.ok) return basePath;
  const first = decideWorkerFirst(given["run_worker_first"] ?? legacyWorkerFirst(given));
  if (!first.ok) return invalid(first.error);
  const headers = decideRules("_headers", given["_headers"], (text) => parseHeaders(text));
  if (!headers.ok) return headers;
  const redirects = decideRules("_redirects", given["_redirects"], (text) =>
    parseRedirects(text, html.value ?? HTML_HANDLING[0]),
  );
  if (!redirects.ok) return redirects;
  return ok({
    ...(html.value === null ? {} : { html_handling: html.value }),
    ...(notFound.value === null ? {} : { not_found_handling: notFound.value }),
    ...(basePath.value === null ? {} : { base_path: basePath.value }),
    ...(first.value === null ? {} : { run_worker_first: first.value }),
    ...(headers.value === null ? {} : { _headers: headers.value }),
    ...(redirects.value === null ? {} : { _redirects: redirects.value }),
  });
}

/** A stored configuration, ready for use. Total: what was refused at its upload cannot be in it. */
export function readAssetsConfig(stored: StoredAssetsConfig): AssetsConfig {
  const htmlHandling = stored.html_handling ?? "auto-trailing-slash";
  const basePath = normalizeBasePath(stored.base_path ?? "/");
  const first = stored.run_worker_first ?? false;
  return {
    htmlHandling,
    notFoundHandling: stored.not_found_handling ?? "none",
    basePath: basePath.ok ? basePath.value : "/",
    workerFirst:
      typeof first === "boolean"
        ? { kind: first ? "always" : "never" }
        : {
            kind: "patterns",
            worker: first.filter((rule) => !rule.startsWith("!")),
            assets: first.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1)),
          },
    headers: parseHeaders(stored._headers ?? "").rules,
    redirects: parseRedirects(stored._redirects ?? "", htmlHandling).rules,
  };
}

/** The names under which older clients say it. */
function legacyWorkerFirst(given: Readonly<Record<string, unknown>>): unknown {
  if (given["serve_directly"] === false || given["serve_directly"] === "false") return true;
  return given["invoke_user_worker_ahead_of_assets"];
}

function oneOf<const T extends string>(
  field: string,
  raw: unknown,
  allowed: readonly T[],
): Result<T | null, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok(null);
  const found = allowed.find((value) => value === raw);
  if (found !== undefined) return ok(found);
  return invalid(`The assets' ${field} must be one of ${allowed.join(", ")}.`);
}

function decideBasePath(raw: unknown): Result<string | null, DomainError> {
  if (raw === undefined || raw === null) return ok(null);
  const normalized = normalizeBasePath(raw);
  if (normalized.ok) return ok(normalized.value);
  return invalid(`The assets' base_path cannot be used: ${normalized.error}`);
}

/** The text as it came, if all its lines can be read. Cloudflare too refuses a file with a line that it would have to leave out. */
function decideRules(
  file: "_headers" | "_redirects",
  raw: unknown,
  parse: (text: string) => { readonly complaints: readonly Complaint[] },
): Result<string | null, DomainError> {
  if (raw === undefined || raw === null || raw === "") return ok(null);
  if (typeof raw !== "string") return invalid(`The assets' ${file} must be a text.`);
  const bytes = byteLength(raw);
  if (bytes > ASSET_RULES_BYTES_MAX)
    return invalid(
      `The file ${file} is ${bytes} bytes long; at most ${ASSET_RULES_BYTES_MAX} are allowed.`,
    );
  const { complaints } = parse(raw);
  if (complaints.length === 0) return ok(raw);
  const shown = complaints.slice(0, ASSET_RULE_COMPLAINTS_MAX);
  const more = complaints.length - shown.length;
  const lines = shown.map(({ line, text }) => `Line ${line}: ${text}`);
  if (more > 0) lines.push(`And ${more} more.`);
  return err({ kind: "asset_rules_invalid", file, lines });
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });
