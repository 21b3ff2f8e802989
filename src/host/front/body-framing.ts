/**
 * Follows a body's bytes to its end without changing or keeping any: by length, by chunks (RFC 9112 §7.1,
 * strictly), or until the connection closes.
 */
import {
  BACKSLASH,
  COLON,
  CR,
  EQUALS,
  FIELD,
  HEX,
  LF,
  QUOTE,
  SEMICOLON,
  TOKEN,
} from "./grammar.ts";
import { CHUNKED, UNTIL_CLOSE } from "./response-head.ts";

/** Digits of a chunk's size. Sixteen would not be exact as a number. */
const SIZE_DIGITS_MAX = 12;
/** Bytes of one chunk's extensions, and of all trailers together. */
const EXTENSION_BYTES_MAX = 4_096;
const TRAILER_BYTES_MAX = 16_384;
/** Too late to say these: a reader that believed them would read on elsewhere. */
const NO_TRAILERS = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
]);

/** Of a trailer's name: more than the longest of those. */
const NAME_KEPT = 32;

const COUNTED = 0;
const OPEN = 1;
const SIZE = 2;
const EXTENSION_NAME = 3;
const SIZE_LF = 4;
const DATA = 5;
const DATA_CR = 6;
const DATA_LF = 7;
const LINE = 8;
const TRAILER_NAME = 9;
const TRAILER_VALUE = 10;
const TRAILER_LF = 11;
const LAST_LF = 12;
const EXTENSION_VALUE = 13;
const QUOTED = 14;
const QUOTED_PAIR = 15;
const QUOTED_END = 16;

export class BodyFraming {
  #state = COUNTED;
  /** Bytes to come of the body or of the chunk. */
  #left = 0;
  /** Digits of the size, bytes of the extension or of the trailers so far. */
  #count = 0;
  /** The part of an extension has no byte yet. */
  #empty = true;
  /** The name of the trailer, its first bytes. */
  #name = "";
  done = true;

  /** Before a body: its length in bytes, or CHUNKED, or UNTIL_CLOSE. */
  begin(body: number): void {
    this.#state = body === CHUNKED ? SIZE : body === UNTIL_CLOSE ? OPEN : COUNTED;
    this.#left = body > 0 ? body : 0;
    this.#count = 0;
    this.done = body === 0;
  }

  get untilClose(): boolean {
    return this.#state === OPEN && !this.done;
  }

  /** The index after the last byte at or after `from` that is of this body; -1: not a body. */
  scan(bytes: Buffer, from: number): number {
    if (this.done) return from;
    const here = bytes.length - from;
    if (this.#state === OPEN) return bytes.length;
    if (this.#state !== COUNTED) return this.#chunks(bytes, from);
    if (here < this.#left) {
      this.#left -= here;
      return bytes.length;
    }
    this.done = true;
    return from + this.#left;
  }

  #chunks(bytes: Buffer, from: number): number {
    const end = bytes.length;
    let at = from;
    while (at < end) {
      if (this.#state === DATA) {
        const here = Math.min(this.#left, end - at);
        at += here;
        this.#left -= here;
        if (this.#left === 0) this.#state = DATA_CR;
        continue;
      }
      const next = this.#step(bytes[at]!);
      if (next < 0) return -1;
      this.#state = next;
      at++;
      if (this.done) return at;
    }
    return at;
  }

  /** The state after a byte that is not data; -1: it may not stand there. */
  #step(byte: number): number {
    switch (this.#state) {
      case SIZE:
        return this.#sizeByte(byte);
      case SIZE_LF:
        this.#count = 0;
        if (byte !== LF) return -1;
        return this.#left === 0 ? LINE : DATA;
      case DATA_CR:
        return byte === CR ? DATA_LF : -1;
      case DATA_LF:
        return byte === LF ? SIZE : -1;
      case LINE:
      case TRAILER_NAME:
      case TRAILER_VALUE:
      case TRAILER_LF:
      case LAST_LF:
        return this.#trailerByte(byte);
      default:
        return ++this.#count > EXTENSION_BYTES_MAX ? -1 : this.#extensionByte(byte);
    }
  }

  #sizeByte(byte: number): number {
    const digit = HEX[byte]!;
    if (digit < 16) {
      if (this.#count === 0) this.#left = 0;
      this.#left = this.#left * 16 + digit;
      return ++this.#count <= SIZE_DIGITS_MAX ? SIZE : -1;
    }
    if (this.#count === 0) return -1;
    if (byte === CR) return SIZE_LF;
    if (byte !== SEMICOLON) return -1;
    this.#count = 0;
    return this.#part(EXTENSION_NAME);
  }

  /** `;name`, `;name=value` or `;name="value"`. The spaces that the grammar knows nobody sends. */
  #extensionByte(byte: number): number {
    const state = this.#state;
    if (state === QUOTED_PAIR) return FIELD[byte] === 1 ? QUOTED : -1;
    if (state === QUOTED) {
      if (byte === QUOTE) return QUOTED_END;
      if (byte === BACKSLASH) return QUOTED_PAIR;
      return FIELD[byte] === 1 ? QUOTED : -1;
    }
    if (state !== QUOTED_END) {
      if (TOKEN[byte] === 1) {
        this.#empty = false;
        return state;
      }
      if (state === EXTENSION_VALUE && byte === QUOTE && this.#empty) return QUOTED;
      if (this.#empty) return -1;
      if (state === EXTENSION_NAME && byte === EQUALS) return this.#part(EXTENSION_VALUE);
    }
    if (byte === CR) return SIZE_LF;
    return byte === SEMICOLON ? this.#part(EXTENSION_NAME) : -1;
  }

  #part(state: number): number {
    this.#empty = true;
    return state;
  }

  #trailerByte(byte: number): number {
    if (++this.#count > TRAILER_BYTES_MAX) return -1;
    switch (this.#state) {
      case LINE:
        if (byte === CR) return LAST_LF;
        this.#name = "";
        return this.#nameByte(byte);
      case TRAILER_NAME:
        return this.#nameByte(byte);
      case TRAILER_VALUE:
        if (byte === CR) return TRAILER_LF;
        return FIELD[byte] === 1 ? TRAILER_VALUE : -1;
      case TRAILER_LF:
        return byte === LF ? LINE : -1;
      case LAST_LF:
        this.done = byte === LF;
        return this.done ? COUNTED : -1;
      default:
        return -1;
    }
  }

  #nameByte(byte: number): number {
    if (byte === COLON && this.#name !== "") {
      return NO_TRAILERS.has(this.#name.toLowerCase()) ? -1 : TRAILER_VALUE;
    }
    if (this.#name.length < NAME_KEPT) this.#name += String.fromCharCode(byte);
    return TOKEN[byte] === 1 ? TRAILER_NAME : -1;
  }
}
