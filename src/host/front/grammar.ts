/** The bytes that RFC 9112 allows where, as tables: the parsers look at every byte of a head once. */

const TOKEN_TEXT = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function table(allows: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allows(byte) ? 1 : 0));
}

/** Methods and header names. */
export const TOKEN = table((byte) => TOKEN_TEXT.includes(String.fromCharCode(byte)));
/** Header values: a tab, printable ASCII, and bytes above it. No NUL, no bare CR or LF. */
export const FIELD = table((byte) => byte === 9 || (byte >= 32 && byte !== 127));
/** Targets: no space, and no `#`, which one reader keeps and the next one drops. */
export const TARGET = table((byte) => byte > 32 && byte !== 127 && byte !== 35);
/** The value of a hexadecimal digit, or 255. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;
export const SEMICOLON = 59;
export const SLASH = 47;
export const QUOTE = 34;
export const EQUALS = 61;
export const BACKSLASH = 92;

/** Each byte one character. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end);
}

/** `lower` is of small letters, digits and hyphens; the bytes have passed TOKEN. */
export function isName(bytes: Buffer, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if ((bytes[start + i]! | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** As `isName`, for values: these may hold any byte, and `|` makes a hyphen of a CR. */
export function isWord(bytes: Buffer, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    const byte = bytes[start + i]!;
    const small = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (small !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** A Content-Length: digits only, at most fifteen, so that it is exact as a number. Else -1. */
export function decimal(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Whether a comma-separated list, as of Connection, has the word. */
export function listHas(bytes: Buffer, start: number, end: number, lower: string): boolean {
  if (isWord(bytes, start, end, lower)) return true;
  if (end - start <= lower.length) return false;
  return latin1(bytes, start, end)
    .toLowerCase()
    .split(",")
    .some((word) => word.trim() === lower);
}
