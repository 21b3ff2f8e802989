/**
 * What KV accepts. Statuses and sentences are those of Cloudflare's KV, which code and people know: a binding shows
 * them as `KV PUT failed: 400 Invalid expiration_ttl of 30. …`.
 */
import {
  KV_BULK_GET_KEYS_MAX,
  KV_CACHE_TTL_S_MIN,
  KV_KEY_BYTES_MAX,
  KV_LIST_KEYS_MAX,
  KV_METADATA_BYTES_MAX,
  KV_TTL_S_MIN,
  KV_VALUE_BYTES_MAX,
} from "./limits-kv.ts";
import { err, ok, type Result } from "./result.ts";

/** A namespace as an account has it. */
export interface KvNamespace {
  /** 32 hex digits. */
  readonly id: string;
  readonly title: string;
}

/** Why KV does not do it. `status` is HTTP's. */
export interface KvRefusal {
  readonly status: 400 | 404 | 413 | 414 | 429;
  readonly message: string;
}

export interface KvPutOptions {
  /** Seconds since 1970. Only looked at without `expirationTtl`. */
  readonly expiration?: number;
  /** Seconds from now. */
  readonly expirationTtl?: number;
  /** JSON text. */
  readonly metadata?: string;
}

/** What is stored beside a value. */
export interface KvAttributes {
  /** Seconds since 1970 from which the key is not there any more; null: never. */
  readonly expiresOn: number | null;
  /** JSON text. */
  readonly metadata: string | null;
}

export interface KvListOptions {
  readonly prefix?: string;
  readonly limit?: number;
  /** Where the page before ended. */
  readonly cursor?: string;
}

/** The namespace was deleted; bindings that are still held must neither find nor make anything. */
export const KV_NAMESPACE_GONE: KvRefusal = { status: 404, message: "namespace not found" };

export const KV_TOO_MANY_STREAMS: KvRefusal = {
  status: 429,
  message: "Too many values are being written to the namespace as streams. Try again.",
};

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

const refuse = (status: KvRefusal["status"], message: string): Result<never, KvRefusal> =>
  err({ status, message });

export function checkKey(key: string): Result<void, KvRefusal> {
  if (key === "") return refuse(400, "Key names must not be empty");
  if (key === "." || key === "..") {
    return refuse(400, `Illegal key name "${key}". Please use a different name.`);
  }
  return checkLength(key);
}

function checkLength(text: string): Result<void, KvRefusal> {
  const bytes = bytesOf(text);
  return bytes <= KV_KEY_BYTES_MAX
    ? ok(undefined)
    : refuse(
        414,
        `UTF-8 encoded length of ${bytes} exceeds key length limit of ${KV_KEY_BYTES_MAX}.`,
      );
}

/** `now` in seconds since 1970. */
export function decidePut(
  key: string,
  options: KvPutOptions,
  now: number,
): Result<KvAttributes, KvRefusal> {
  const allowed = checkKey(key);
  if (!allowed.ok) return allowed;
  const expiresOn = decideExpiration(options, now);
  if (!expiresOn.ok) return expiresOn;
  const { metadata = null } = options;
  const bytes = metadata === null ? 0 : bytesOf(metadata);
  return bytes <= KV_METADATA_BYTES_MAX
    ? ok({ expiresOn: expiresOn.value, metadata })
    : refuse(413, `Metadata length of ${bytes} exceeds limit of ${KV_METADATA_BYTES_MAX}.`);
}

function decideExpiration(
  { expiration, expirationTtl }: KvPutOptions,
  now: number,
): Result<number | null, KvRefusal> {
  if (expirationTtl !== undefined) {
    const invalid = `Invalid expiration_ttl of ${expirationTtl}.`;
    if (!Number.isSafeInteger(expirationTtl) || expirationTtl <= 0) {
      return refuse(400, `${invalid} Please specify integer greater than 0.`);
    }
    return expirationTtl < KV_TTL_S_MIN
      ? refuse(400, `${invalid} Expiration TTL must be at least ${KV_TTL_S_MIN}.`)
      : ok(now + expirationTtl);
  }
  if (expiration === undefined) return ok(null);
  const invalid = `Invalid expiration of ${expiration}.`;
  if (!Number.isSafeInteger(expiration) || expiration <= now) {
    return refuse(
      400,
      `${invalid} Please specify integer greater than the current number of seconds since the UNIX epoch.`,
    );
  }
  return expiration < now + KV_TTL_S_MIN
    ? refuse(
        400,
        `${invalid} Expiration times must be at least ${KV_TTL_S_MIN} seconds in the future.`,
      )
    : ok(expiration);
}

export const valueTooLarge = (bytes: number): KvRefusal => ({
  status: 413,
  message: `Value length of ${bytes} exceeds limit of ${KV_VALUE_BYTES_MAX}.`,
});

export function checkList({ prefix = "", limit }: KvListOptions): Result<void, KvRefusal> {
  if (limit !== undefined && !(limit >= 1)) {
    return refuse(
      400,
      `Invalid key_count_limit of ${limit}. Please specify an integer greater than 0.`,
    );
  }
  if (limit !== undefined && limit > KV_LIST_KEYS_MAX) {
    return refuse(
      400,
      `Invalid key_count_limit of ${limit}. Please specify an integer less than ${KV_LIST_KEYS_MAX}.`,
    );
  }
  return checkLength(prefix);
}

/** `cacheTtl` in seconds. */
export function checkGet(key: string, cacheTtl?: number): Result<void, KvRefusal> {
  const allowed = checkKey(key);
  if (!allowed.ok || cacheTtl === undefined || cacheTtl >= KV_CACHE_TTL_S_MIN) return allowed;
  return refuse(
    400,
    `Invalid cache_ttl of ${cacheTtl}. Cache TTL must be at least ${KV_CACHE_TTL_S_MIN}.`,
  );
}

export function checkBulkGet(keys: readonly string[], cacheTtl?: number): Result<void, KvRefusal> {
  if (keys.length > KV_BULK_GET_KEYS_MAX) {
    return refuse(400, `You can request a maximum of ${KV_BULK_GET_KEYS_MAX} keys`);
  }
  if (keys.length === 0) return refuse(400, "You must request a minimum of 1 key");
  for (const key of keys) {
    const allowed = checkGet(key, cacheTtl);
    if (!allowed.ok) return allowed;
  }
  return ok(undefined);
}

/** A cursor says after which key the next page begins; opaque to clients. */
export const cursorAfter = (key: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(key)));

/** Null: no cursor of ours. */
export function keyOfCursor(cursor: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(cursor), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
