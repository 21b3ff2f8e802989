/**
 * Whether a client's hash of a file follows from the file. wrangler hashes the base64 of the bytes and the extension
 * with BLAKE3, Cloudflare's guide for other clients with SHA-256; both keep the first half of the digest.
 */
import { blake3 } from "@noble/hashes/blake3.js";
import { ASSET_HASH_STEP_BYTES } from "../domain/limits-assets.ts";

const DIGITS = 32;

/** `base64`: the bytes, as text in ASCII. */
export async function isHashOf(
  hash: string,
  base64: Uint8Array,
  extension: string,
): Promise<boolean> {
  const ending = new TextEncoder().encode(extension);
  const hasher = blake3.create();
  for (let at = 0; at < base64.byteLength; at += ASSET_HASH_STEP_BYTES) {
    // Others of this process have a turn in between.
    if (at > 0) await scheduler.wait(0);
    hasher.update(base64.subarray(at, at + ASSET_HASH_STEP_BYTES));
  }
  if (hex(hasher.update(ending).digest()) === hash) return true;
  const whole = new Uint8Array(base64.byteLength + ending.byteLength);
  whole.set(base64);
  whole.set(ending, base64.byteLength);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", whole))) === hash;
}

const hex = (digest: Uint8Array): string =>
  Array.from(digest.subarray(0, DIGITS / 2), (byte) => byte.toString(16).padStart(2, "0")).join("");
