/**
 * Reads the head of an HTTP/1.1 request, strictly: what two readers could take differently is refused.
 * Never changes a byte, except that it leaves out the header lines that only this system may send, and adds some.
 */
import {
  COLON,
  CR,
  FIELD,
  LF,
  SLASH,
  SPACE,
  TAB,
  TARGET,
  TOKEN,
  decimal,
  isName,
  isWord,
  latin1,
  listHas,
} from "./grammar.ts";
import type { ClientLines } from "./client-lines.ts";
import type { FrontLimits } from "./front-limits.ts";
import type { HostNames } from "./host-name.ts";

/** CONNECT is not among them: workerd has a back door behind it. */
const METHODS = new Set(
  (
    "GET HEAD POST PUT DELETE PATCH OPTIONS TRACE PURGE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH " +
    "SEARCH UNLOCK ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE QUERY"
  ).split(" "),
);
const METHOD_BYTES_MAX = 16;
/** Miniflare would take `request.cf` from it. */
const CF_BLOB = "mf-cf-blob";
/** Who the client is, is for this system to say, or for a proxy on this machine. */
const CONNECTING_IP = "cf-connecting-ip";
const INTERNAL_PREFIX = "x-switchback-internal";

/** What is wrong with a request, for `Switchyard.refused`. */
export class HeadRefusal {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}
const bad = (reason: string) => new HeadRefusal(400, reason);

export class RequestHead {
  readonly method: string;
  /** See `Flight.path`. */
  path = "";
  host = "";
  /** Bytes of the head, with its empty line. */
  length = 0;
  /** HTTP/1.0: no kept connection, no chunks, no interim responses. */
  readonly old: boolean;
  /** -1: none. */
  contentLength = -1;
  chunked = false;
  /** The client closes after this one. */
  close = false;
  upgrade = false;
  webSocket = false;
  /** Where lines to be left out begin and end, in pairs. */
  dropped: number[] | null = null;
  /** The same of those that say who the client is. */
  connecting: number[] | null = null;
  /** Where the header lines begin. */
  linesAt = 0;
  readonly #bytes: Buffer;

  constructor(method: string, old: boolean, bytes: Buffer) {
    this.method = method;
    this.old = old;
    this.#bytes = bytes;
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  get replayable(): boolean {
    const { method } = this;
    return (method === "GET" || method === "HEAD" || method === "OPTIONS") && !this.hasBody;
  }

  /** The first line of that name, trimmed; null where there is none. Slow: for the front's own answers. */
  header(name: string): string | null {
    const lines = latin1(this.#bytes, 0, this.length).split("\r\n").slice(1, -2);
    const prefix = `${name.toLowerCase()}:`;
    const line = lines.find((text) => text.toLowerCase().startsWith(prefix));
    return line === undefined ? null : line.slice(prefix.length).trim();
  }

  /** What goes to the upstream. */
  outgoing({ address, rest, isTrusted }: ClientLines): Buffer {
    const { dropped, connecting, length, linesAt } = this;
    const bytes = this.#bytes;
    // A proxy that says so twice is not believed.
    const isTold = isTrusted && connecting?.length === 2;
    const out = isTold ? dropped : joined(dropped, connecting);
    const kept = [bytes.subarray(0, linesAt), isTold ? rest : address];
    let from = linesAt;
    for (let i = 0; out !== null && i < out.length; i += 2) {
      kept.push(bytes.subarray(from, out[i]));
      from = out[i + 1]!;
    }
    kept.push(bytes.subarray(from, length));
    return Buffer.concat(kept);
  }
}

/** The head that `bytes` begin with; null while it is not complete. */
export function parseRequestHead(
  bytes: Buffer,
  limits: FrontLimits,
  hosts: HostNames,
): RequestHead | HeadRefusal | null {
  const end = bytes.length;
  let at = 0;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  if (at > METHOD_BYTES_MAX) return new HeadRefusal(501, "The method is not known.");
  if (at === end) return null;
  if (at === 0 || bytes[at] !== SPACE) return bad("This is not an HTTP request line.");
  const method = isGet(bytes, at) ? "GET" : latin1(bytes, 0, at);

  const targetStart = at + 1;
  at = targetStart;
  while (at < end && TARGET[bytes[at]!] === 1) at++;
  const targetEnd = at;
  if (at > limits.headBytesMax) return tooLarge(limits);
  if (at + 11 > end) return mayGoOn(bytes, at) ? null : bad("The request line is malformed.");
  const old = versionIsOld(bytes, at);
  if (typeof old !== "boolean") return old;
  if (!METHODS.has(method)) return new HeadRefusal(501, "The method is not implemented.");
  if (targetEnd === targetStart) return bad("The request line has no target.");

  const head = new RequestHead(method, old, bytes);
  head.linesAt = at + 11;
  const problem = readLines(head, bytes, head.linesAt, limits, hosts);
  if (problem !== undefined) return problem;
  return readTarget(head, bytes, targetStart, targetEnd) ?? checked(head);
}

/** Reads the header lines into `head`; what is wrong, null while incomplete, undefined when all is well. */
function readLines(
  head: RequestHead,
  bytes: Buffer,
  from: number,
  limits: FrontLimits,
  hosts: HostNames,
): HeadRefusal | null | undefined {
  const end = bytes.length;
  let at = from;
  for (let lines = 0; ; lines++) {
    if (at > limits.headBytesMax) return tooLarge(limits);
    if (at >= end) return null;
    if (bytes[at] === CR) {
      if (at + 1 >= end) return null;
      if (bytes[at + 1] !== LF) return bad("A line of the head ends in a bare CR.");
      head.length = at + 2;
      return head.length > limits.headBytesMax ? tooLarge(limits) : undefined;
    }
    if (lines >= limits.headerLinesMax) {
      return new HeadRefusal(431, `More than ${limits.headerLinesMax} header lines.`);
    }
    const start = at;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at === end) return at > limits.headBytesMax ? tooLarge(limits) : null;
    if (at === start || bytes[at] !== COLON) return bad("A header line has no proper name.");
    const nameEnd = at++;
    while (at < end && FIELD[bytes[at]!] === 1) at++;
    if (at > limits.headBytesMax) return tooLarge(limits);
    if (at + 1 >= end) return at < end && bytes[at] !== CR ? badValue() : null;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return badValue();
    const problem = readField(head, bytes, start, nameEnd, at, hosts);
    if (problem !== undefined) return problem;
    at += 2;
  }
}

const badValue = () =>
  bad("A header value has a control character, or a line does not end in CR LF.");

/** The header fields that say where a request goes and where it ends. */
function readField(
  head: RequestHead,
  bytes: Buffer,
  start: number,
  nameEnd: number,
  lineEnd: number,
  hosts: HostNames,
): HeadRefusal | undefined {
  const first = bytes[start]! | 0x20;
  switch (nameEnd - start) {
    case 4:
      if (first !== 0x68 || !isName(bytes, start, nameEnd, "host")) return undefined;
      return readHost(head, bytes, nameEnd, lineEnd, hosts);
    case 7:
      if (first !== 0x75 || !isName(bytes, start, nameEnd, "upgrade")) return undefined;
      head.upgrade = true;
      if (/websocket/i.test(latin1(bytes, nameEnd + 1, lineEnd))) head.webSocket = true;
      return undefined;
    case 10:
      if (isName(bytes, start, nameEnd, "connection")) {
        const [from, to] = trimmed(bytes, nameEnd + 1, lineEnd);
        if (listHas(bytes, from, to, "close")) head.close = true;
      } else if (isName(bytes, start, nameEnd, CF_BLOB)) drop(head, start, lineEnd);
      return undefined;
    case 14:
      if (first !== 0x63 || !isName(bytes, start, nameEnd, "content-length")) return undefined;
      return readLength(head, bytes, nameEnd, lineEnd);
    case 16:
      if (first === 0x63 && isName(bytes, start, nameEnd, CONNECTING_IP)) {
        (head.connecting ??= []).push(start, lineEnd + 2);
      }
      return undefined;
    case 17: {
      if (first !== 0x74 || !isName(bytes, start, nameEnd, "transfer-encoding")) return undefined;
      const [from, to] = trimmed(bytes, nameEnd + 1, lineEnd);
      if (head.chunked) return bad("More than one Transfer-Encoding.");
      // White space behind it is legal, and readers disagree about it.
      if (to !== lineEnd || !isWord(bytes, from, to, "chunked")) {
        return bad("The Transfer-Encoding is not chunked.");
      }
      head.chunked = true;
      return undefined;
    }
    default:
      if (first !== 0x78 || nameEnd - start < INTERNAL_PREFIX.length) return undefined;
      if (isName(bytes, start, start + INTERNAL_PREFIX.length, INTERNAL_PREFIX)) {
        drop(head, start, lineEnd);
      }
      return undefined;
  }
}

function readHost(
  head: RequestHead,
  bytes: Buffer,
  nameEnd: number,
  lineEnd: number,
  hosts: HostNames,
): HeadRefusal | undefined {
  if (head.host !== "") return bad("More than one Host.");
  const [from, to] = trimmed(bytes, nameEnd + 1, lineEnd);
  const host = hosts.canonical(latin1(bytes, from, to));
  if (host === null) return bad("The Host is not the name of a host.");
  head.host = host;
  return undefined;
}

function readLength(
  head: RequestHead,
  bytes: Buffer,
  nameEnd: number,
  lineEnd: number,
): HeadRefusal | undefined {
  if (head.contentLength >= 0) return bad("More than one Content-Length.");
  const [from, to] = trimmed(bytes, nameEnd + 1, lineEnd);
  const length = decimal(bytes, from, to);
  if (length < 0) return bad("The Content-Length is not a number of bytes.");
  head.contentLength = length;
  return undefined;
}

/** Origin form, or absolute form of the very Host. */
function readTarget(
  head: RequestHead,
  bytes: Buffer,
  start: number,
  end: number,
): HeadRefusal | undefined {
  if (head.host === "") return bad("The request has no Host.");
  if (bytes[start] === SLASH) {
    head.path = latin1(bytes, start, end);
    return undefined;
  }
  // `OPTIONS *` too: workerd would join host and target to the URL of another host.
  const absolute = /^https?:\/\/([^/?]+)(\/.*)$/i.exec(latin1(bytes, start, end));
  if (absolute === null) return bad("The target is not a path.");
  const host = head.header("host") ?? "";
  if (absolute[1]!.toLowerCase() !== host.toLowerCase()) {
    return bad("The target names another host than Host.");
  }
  head.path = absolute[2]!;
  return undefined;
}

/** What only the whole head can tell. */
function checked(head: RequestHead): RequestHead | HeadRefusal {
  if (head.chunked && head.contentLength >= 0) {
    return bad("Content-Length and Transfer-Encoding exclude each other.");
  }
  if (head.old && head.chunked) return bad("HTTP/1.0 has no Transfer-Encoding.");
  // To one reader the body of such a request is its body, to another what comes after the upgrade.
  if (head.webSocket && head.hasBody) {
    return bad("A WebSocket's request has no body.");
  }
  if (head.old) head.close = true;
  return head;
}

function drop(head: RequestHead, start: number, lineEnd: number): void {
  (head.dropped ??= []).push(start, lineEnd + 2);
}

/** Pairs of both, in the order of the lines. */
function joined(one: number[] | null, other: number[] | null): number[] | null {
  return one === null || other === null ? (one ?? other) : [...one, ...other].sort((a, b) => a - b);
}

/** False for HTTP/1.1, true for HTTP/1.0; `at` is the space before it, and eleven bytes are there. */
function versionIsOld(bytes: Buffer, at: number): boolean | HeadRefusal {
  const text = latin1(bytes, at, at + 11);
  if (text === " HTTP/1.1\r\n") return false;
  if (text === " HTTP/1.0\r\n") return true;
  return / HTTP\/[0-9]\.[0-9]\r\n/.test(text)
    ? new HeadRefusal(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    : bad("The request line is malformed.");
}

function mayGoOn(bytes: Buffer, at: number): boolean {
  return " HTTP/".startsWith(latin1(bytes, at, at + 6));
}

function isGet(bytes: Buffer, length: number): boolean {
  return length === 3 && bytes[0] === 71 && bytes[1] === 69 && bytes[2] === 84;
}

function trimmed(bytes: Buffer, start: number, end: number): [number, number] {
  let from = start;
  let to = end;
  while (from < to && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  return [from, to];
}

const tooLarge = (limits: FrontLimits) =>
  new HeadRefusal(431, `The head is larger than ${limits.headBytesMax} bytes.`);
