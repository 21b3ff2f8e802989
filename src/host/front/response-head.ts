/** Reads the head of an upstream's response: its status, where its body ends, whether the connection stays. */
import { CR, LF, TOKEN, decimal, isName, isWord, latin1, listHas } from "./grammar.ts";

/** How long the body is: bytes, or one of these. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

export interface ResponseHead {
  readonly status: number;
  /** Index after the empty line. */
  readonly end: number;
  /** Bytes, CHUNKED or UNTIL_CLOSE. */
  readonly body: number;
  /** The upstream closes after it. */
  readonly close: boolean;
}

/** The head at `from`; null while incomplete; "malformed" where no head can be. */
export function parseResponseHead(
  bytes: Buffer,
  from: number,
  toHead: boolean,
): ResponseHead | "malformed" | null {
  const end = bytes.length;
  // `HTTP/1.1 200 OK`: the reason may be empty, and some leave out the space before it.
  if (end - from < 15) return null;
  const version = latin1(bytes, from, from + 9);
  if (version !== "HTTP/1.1 " && version !== "HTTP/1.0 ") return "malformed";
  const status = decimal(bytes, from + 9, from + 12);
  if (status < 100 || status > 999) return "malformed";
  let at = lineEnd(bytes, from + 12);
  if (at < 0) return at === -1 ? null : "malformed";

  let length = -1;
  let chunked = false;
  let close = version === "HTTP/1.0 ";
  for (;;) {
    const start = at + 2;
    if (start + 1 >= end) return null;
    if (bytes[start] === CR) {
      if (bytes[start + 1] !== LF) return "malformed";
      return head(status, start + 2, toHead, chunked, length, close);
    }
    at = lineEnd(bytes, start);
    if (at < 0) return at === -1 ? null : "malformed";
    let colon = start;
    while (TOKEN[bytes[colon]!] === 1) colon++;
    if (colon === start || bytes[colon] !== 58) return "malformed";
    const size = colon - start;
    if (size !== 10 && size !== 14 && size !== 17) continue;
    let value = colon + 1;
    let valueEnd = at;
    while (bytes[value] === 32 || bytes[value] === 9) value++;
    while (valueEnd > value && (bytes[valueEnd - 1] === 32 || bytes[valueEnd - 1] === 9))
      valueEnd--;
    if (size === 14 && isName(bytes, start, colon, "content-length")) {
      if (length >= 0) return "malformed";
      length = decimal(bytes, value, valueEnd);
      if (length < 0) return "malformed";
    } else if (size === 17 && isName(bytes, start, colon, "transfer-encoding")) {
      if (chunked || !isWord(bytes, value, valueEnd, "chunked")) return "malformed";
      chunked = true;
    } else if (size === 10 && isName(bytes, start, colon, "connection")) {
      if (listHas(bytes, value, valueEnd, "close")) close = true;
    }
  }
}

function head(
  status: number,
  end: number,
  toHead: boolean,
  chunked: boolean,
  length: number,
  close: boolean,
): ResponseHead | "malformed" {
  if (chunked && length >= 0) return "malformed";
  if (toHead || status < 200 || status === 204 || status === 304) {
    return { status, end, body: 0, close };
  }
  if (chunked) return { status, end, body: CHUNKED, close };
  return length >= 0
    ? { status, end, body: length, close }
    : { status, end, body: UNTIL_CLOSE, close: true };
}

/** Index of the CR that ends the line; -1: not there yet; -2: ended by a bare LF or holding a bare CR. */
function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.length;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === LF) return -2;
    if (byte !== CR) continue;
    if (at + 1 >= end) return -1;
    return bytes[at + 1] === LF ? at : -2;
  }
  return -1;
}

/** The head at `bytes[from..head.end]` with `connection: close` in place of what it said there. */
export function closing(bytes: Buffer, from: number, head: ResponseHead): Buffer {
  const lines = latin1(bytes, from, head.end - 4).split("\r\n");
  const kept = lines.filter((line) => !/^(?:connection|keep-alive):/i.test(line));
  return Buffer.from(`${[...kept, "connection: close"].join("\r\n")}\r\n\r\n`, "latin1");
}
