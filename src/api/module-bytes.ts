/** Modules on the wire: their content types, and their bytes as base64. */
import type { ModuleType } from "../domain/version.ts";

const CONTENT_TYPES: Readonly<Record<ModuleType, string>> = {
  esm: "application/javascript+module",
  cjs: "application/javascript",
  text: "text/plain",
  data: "application/octet-stream",
  wasm: "application/wasm",
  json: "application/json",
  python: "text/x-python",
};

/** A multiple of 3, so that the parts' base64 can be put together; small enough for a call's arguments. */
const PART_BYTES = 3 * 8_192;

export const contentTypeOf = (type: ModuleType): string => CONTENT_TYPES[type];

export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += PART_BYTES) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PART_BYTES))));
  }
  return parts.join("");
}

/** Null when the text is not base64. */
export function fromBase64(text: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
