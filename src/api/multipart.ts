/** A multipart/form-data body as its parts. Whatever is malformed is refused with a sentence, never thrown. */
import {
  MaxHeaderSizeExceededError,
  MaxPartsExceededError,
  MultipartParseError,
  MultipartParser,
  type MultipartPart,
} from "@remix-run/multipart-parser";
import type { DomainError } from "../domain/errors.ts";
import {
  UPLOAD_BODY_BYTES_MAX,
  UPLOAD_PART_HEADER_BYTES_MAX,
  UPLOAD_PARTS_MAX,
} from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { joinBytes } from "./join-bytes.ts";
import { BodyRefused } from "./read-body.ts";

export interface Part {
  readonly name: string;
  readonly filename: string | null;
  /** Without parameters, lower case; empty when the part has none. */
  readonly contentType: string;
  /** As it came; empty when the part has none. */
  readonly contentTypeHeader: string;
  readonly bytes: Uint8Array;
}

/** RFC 2046, in a Content-Type header. */
const BOUNDARY_PARAMETER = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
/** Two dashes, a boundary, a line end. */
const FIRST_LINE_BYTES_MAX = 2 + 70 + 2;

/**
 * Reads all parts of `body`. The boundary comes from `contentType`, or from the body's first line when that
 * header is not multipart: the `cloudflare` SDK sends uploads as `application/javascript`.
 * @returns `bad_multipart`, or what {@link BodyRefused} carried
 */
export async function readMultipart(
  body: AsyncIterable<Uint8Array>,
  contentType: string | null,
): Promise<Result<readonly Part[], DomainError>> {
  try {
    return ok(await readParts(body, contentType));
  } catch (error) {
    if (error instanceof BodyRefused) return err(error.refusal);
    return err({ kind: "bad_multipart", detail: sentenceFor(error) });
  }
}

async function readParts(
  body: AsyncIterable<Uint8Array>,
  contentType: string | null,
): Promise<readonly Part[]> {
  const parts: Part[] = [];
  const names = new Set<string>();
  let head: Uint8Array = new Uint8Array(0);
  let parser: MultipartParser | null = null;
  let closed = false;
  for await (const chunk of body) {
    // What follows the closing boundary is read, so that it is counted, and means nothing.
    if (chunk.byteLength === 0 || closed) continue;
    let unread = chunk;
    if (parser === null) {
      head = await joinBytes([head, chunk]);
      const boundary = boundaryOf(contentType) ?? sniffBoundary(head);
      if (boundary === null) continue;
      parser = newParser(boundary);
      unread = head;
    }
    for (const part of parser.write(unread)) parts.push(readPart(part, names));
    closed = isClosed(parser);
  }
  if (parser === null) throw new Malformed(head.byteLength === 0 ? EMPTY : NO_FORM);
  if (!closed) throw new Malformed("It ends before its closing boundary.");
  return parts;
}

const newParser = (boundary: string): MultipartParser =>
  new MultipartParser(boundary, {
    maxHeaderSize: UPLOAD_PART_HEADER_BYTES_MAX,
    maxParts: UPLOAD_PARTS_MAX,
    // The body as a whole is counted where it is read.
    maxFileSize: UPLOAD_BODY_BYTES_MAX,
    maxTotalSize: UPLOAD_BODY_BYTES_MAX,
  });

/** The parser says so only by not throwing here, and would throw on the line end that often follows. */
function isClosed(parser: MultipartParser): boolean {
  try {
    parser.finish();
    return true;
  } catch {
    return false;
  }
}

function readPart(part: MultipartPart, names: Set<string>): Part {
  const name = part.name;
  if (name === undefined || name === "") throw new Malformed("One of its parts has no name.");
  // `files[]` and `metadata[bindings][][name]` are lists, spelled by repeating the name.
  if (names.has(name) && !name.includes("[]"))
    throw new Malformed(`Two of its parts are named ${JSON.stringify(name.slice(0, 255))}.`);
  names.add(name);
  return {
    name,
    filename: part.filename ?? null,
    contentType: part.mediaType?.toLowerCase() ?? "",
    contentTypeHeader: part.headers["content-type"] ?? "",
    bytes: part.bytes,
  };
}

function boundaryOf(contentType: string | null): string | null {
  if (contentType === null || !/^\s*multipart\//i.test(contentType)) return null;
  const parameter = BOUNDARY_PARAMETER.exec(contentType);
  const boundary = parameter?.[1] ?? parameter?.[2] ?? "";
  return BOUNDARY.test(boundary) ? boundary : null;
}

/** The boundary that the first line spells; null while the line is not complete. */
function sniffBoundary(head: Uint8Array): string | null {
  const line = new TextDecoder("latin1").decode(head.subarray(0, FIRST_LINE_BYTES_MAX));
  const end = line.indexOf("\r\n");
  if (end === -1 && head.byteLength < FIRST_LINE_BYTES_MAX) return null;
  const boundary = line.slice(2, Math.max(end, 2));
  if (!line.startsWith("--") || !BOUNDARY.test(boundary)) throw new Malformed(NO_FORM);
  return boundary;
}

/** A finding of our own, in words for the client. */
class Malformed extends Error {}

const EMPTY = "The body is empty.";
const NO_FORM =
  "It does not start with a boundary. Send the metadata and the modules as multipart/form-data.";

function sentenceFor(error: unknown): string {
  if (error instanceof Malformed) return error.message;
  if (error instanceof MaxPartsExceededError) return `It has more than ${UPLOAD_PARTS_MAX} parts.`;
  if (error instanceof MaxHeaderSizeExceededError)
    return `The headers of one of its parts are longer than ${UPLOAD_PART_HEADER_BYTES_MAX} bytes.`;
  if (error instanceof MultipartParseError) return `${error.message}.`;
  return "The headers of one of its parts cannot be read.";
}
