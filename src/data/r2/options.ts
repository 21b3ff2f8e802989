/**
 * Options as they travel between processes: as JSON, with times in milliseconds and bytes in hex, both of which R2
 * takes as they are. Headers are the one thing of which R2 has to be given the real one. Everything else that the
 * fields say R2 checks, in its own words.
 */
export interface SentHeaders {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface GetOptions {
  readonly onlyIf?: unknown;
  readonly range?: unknown;
  readonly ssecKey?: unknown;
}

export interface MultipartOptions {
  readonly httpMetadata?: unknown;
  readonly customMetadata?: unknown;
  readonly storageClass?: unknown;
  readonly ssecKey?: unknown;
}

export interface PutOptions extends MultipartOptions {
  readonly onlyIf?: unknown;
  readonly md5?: unknown;
  readonly sha1?: unknown;
  readonly sha256?: unknown;
  readonly sha384?: unknown;
  readonly sha512?: unknown;
}

/** What R2 is given. Its type is R2's to check. */
export function realOptions<T extends object>(
  options: GetOptions | PutOptions | undefined | null,
): T | undefined {
  if (typeof options !== "object" || options === null) return options as T | undefined;
  const fields = Object.entries(options).map(([name, value]) => [name, realHeaders(value)]);
  return Object.fromEntries(fields) as T;
}

function realHeaders(value: unknown): unknown {
  const headers = (value as Partial<SentHeaders> | null)?.headers;
  return Array.isArray(headers) ? new Headers(headers as [string, string][]) : value;
}
