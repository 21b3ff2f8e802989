/** What R2 calls its buckets and keys, and where a page of a list ends. */
import {
  R2_BUCKET_NAME_CHARS_MAX,
  R2_BUCKET_NAME_CHARS_MIN,
  R2_CURSOR_CHARS_MAX,
  R2_KEY_BYTES_MAX,
} from "./limits-r2.ts";

/** A bucket of the account. */
export interface R2BucketInfo {
  /** Never used again, so that no bucket ever finds what an earlier one of its name left behind. */
  readonly ordinal: number;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdOn: number;
  readonly storageClass: R2StorageClass;
  readonly jurisdiction: string;
  readonly location: string | null;
}

export const R2_STORAGE_CLASSES = ["Standard", "InfrequentAccess"] as const;
export type R2StorageClass = (typeof R2_STORAGE_CLASSES)[number];

const BUCKET_NAME = /^[a-z0-9][a-z0-9-]*[a-z0-9]$/;
/** Short, since it takes away from the length of keys. */
const BUCKET_RADIX = 36;
const BUCKET_ID = /^[1-9]\d{0,9}$/;

/** 3 to 63 of `a-z 0-9 -`, with no dash at either end. */
export const isBucketName = (text: string): boolean =>
  text.length >= R2_BUCKET_NAME_CHARS_MIN &&
  text.length <= R2_BUCKET_NAME_CHARS_MAX &&
  BUCKET_NAME.test(text);

/** What a bucket is called where it is stored: its number, in decimal. */
export const bucketIdOf = ({ ordinal }: Pick<R2BucketInfo, "ordinal">): string => String(ordinal);

/** What stands before the keys of a bucket's objects; null for what is no bucket's id. */
export const keyPrefixOf = (bucketId: string): string | null =>
  BUCKET_ID.test(bucketId) ? `${Number(bucketId).toString(BUCKET_RADIX)}/` : null;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A key that an object can have. */
export function isObjectKey(key: string): boolean {
  const { byteLength } = utf8(key);
  return byteLength > 0 && byteLength <= R2_KEY_BYTES_MAX;
}

/** The place in a bucket at which a page of a list ended: after a key, or after all keys that begin alike. */
export interface ListPlace {
  readonly after: "key" | "prefix";
  readonly text: string;
}

/** Opaque to clients, and nothing but a place in their own bucket. */
export function cursorOf({ after, text }: ListPlace): string {
  const bytes = utf8(`${after === "key" ? "k" : "p"}${text}`);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Null: no cursor that {@link cursorOf} has made. */
export function placeOf(cursor: string): ListPlace | null {
  if (cursor.length > R2_CURSOR_CHARS_MAX || !/^[\w-]+$/.test(cursor)) return null;
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text[0] !== "k" && text[0] !== "p") return null;
    return { after: text[0] === "k" ? "key" : "prefix", text: text.slice(1) };
  } catch {
    return null;
  }
}

/** The last character that there is: no key goes on with anything that sorts after a row of it. */
const LAST_CHARACTER = "\u{10FFFF}";
const LAST_CHARACTER_BYTES = 4;

/** A key that sorts after every one that the place is after, and before all others. */
export function lastKeyOf({ after, text }: ListPlace): string {
  if (after === "key") return text;
  const room = Math.max(0, R2_KEY_BYTES_MAX - utf8(text).byteLength);
  return text + LAST_CHARACTER.repeat(Math.floor(room / LAST_CHARACTER_BYTES));
}

/** Which key sorts later, as R2 sorts: by bytes of UTF-8, which is another order than that of JavaScript's strings. */
export function laterKey(one: string, other: string): string {
  const [a, b] = [utf8(one), utf8(other)];
  const length = Math.min(a.byteLength, b.byteLength);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! > b[i]! ? one : other;
  }
  return a.byteLength > b.byteLength ? one : other;
}
