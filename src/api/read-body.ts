/**
 * Request bodies, read with a count. Nothing is kept beyond its limit, nothing that a client sends makes
 * these functions throw, and no more of a refused body is read than was needed to refuse it.
 */
import { gunzipSync, inflateSync } from "node:zlib";
import type { ZodType } from "zod";
import { isShallow } from "../domain/canonical-json.ts";
import type { DomainError } from "../domain/errors.ts";
import {
  JSON_BODY_BYTES_MAX,
  JSON_DEPTH_MAX,
  UPLOAD_INFLATION_RATIO_MAX,
} from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { joinBytes } from "./join-bytes.ts";

/** Inflated bytes that a body may have before its ratio is judged: short texts compress extremely well. */
const RATIO_FREE_BYTES = 1024 * 1024;
const INFLATE = { gzip: gunzipSync, deflate: inflateSync };

/** Ends the iteration of {@link bodyChunks}; carries why. Never leaves this directory. */
export class BodyRefused extends Error {
  readonly refusal: DomainError;
  constructor(refusal: DomainError) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

/**
 * The body's bytes after decompression, at most `bytesMax` of them.
 * @throws BodyRefused with `body_too_large` or `bad_request`, and nothing else
 */
export async function* bodyChunks(request: Request, bytesMax: number): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const encoding = contentEncoding(request.headers);
  const declared = Number(request.headers.get("content-length") ?? 0);
  // Compressed bytes count as well: no real body grows by being compressed.
  if (declared > bytesMax) throw tooLarge(bytesMax);
  if (encoding === "identity") yield* counted(request.body, bytesMax);
  else yield await inflated(request.body, encoding, bytesMax);
}

/** The whole body; `body_too_large` or `bad_request` otherwise. */
export async function readBytes(
  request: Request,
  bytesMax: number,
): Promise<Result<Uint8Array, DomainError>> {
  try {
    return ok(await joinBytes(bodyChunks(request, bytesMax)));
  } catch (error) {
    if (error instanceof BodyRefused) return err(error.refusal);
    throw error;
  }
}

/**
 * A JSON body, whatever its Content-Type says: wrangler sends much of it as text/plain.
 * An empty body reads as `undefined`, so a schema that allows `undefined` makes the body optional.
 * @returns `bad_json` with the parser's message, `bad_request` with the field that the schema refuses
 */
export async function readJson(request: Request): Promise<Result<unknown, DomainError>>;
export async function readJson<T>(
  request: Request,
  schema: ZodType<T>,
  bytesMax?: number,
): Promise<Result<T, DomainError>>;
export async function readJson(
  request: Request,
  schema?: ZodType,
  bytesMax = JSON_BODY_BYTES_MAX,
): Promise<Result<unknown, DomainError>> {
  const bytes = await readBytes(request, bytesMax);
  if (!bytes.ok) return bytes;
  const parsed = bytes.value.byteLength === 0 ? ok(undefined) : parseJson(bytes.value);
  if (!parsed.ok || schema === undefined) return parsed;
  if (parsed.value === undefined && !schema.safeParse(undefined).success)
    return err({ kind: "bad_json", detail: "The body is empty; JSON was expected." });
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return ok(checked.data);
  const issue = checked.error.issues[0];
  const place = issue?.path.map(String).join(".") ?? "";
  const message = issue?.message ?? "The body has another shape than expected";
  return err({ kind: "bad_request", detail: place === "" ? message : `${place}: ${message}` });
}

/** JSON text of bounded depth; `bad_json` with the parser's message otherwise. */
export function parseJson(bytes: Uint8Array): Result<unknown, DomainError> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (error) {
    const detail = error instanceof SyntaxError ? error.message : "It is not valid UTF-8.";
    return err({ kind: "bad_json", detail });
  }
  if (!isShallow(value, JSON_DEPTH_MAX))
    return err({
      kind: "bad_json",
      detail: `It is nested more than ${JSON_DEPTH_MAX} levels deep.`,
    });
  return ok(value);
}

function contentEncoding(headers: Headers): "identity" | keyof typeof INFLATE {
  const named = (headers.get("content-encoding") ?? "").trim().toLowerCase();
  if (named === "" || named === "identity") return "identity";
  if (named === "gzip" || named === "x-gzip") return "gzip";
  if (named === "deflate") return "deflate";
  throw new BodyRefused({
    kind: "bad_request",
    detail: `The Content-Encoding ${JSON.stringify(named.slice(0, 64))} is not supported. Send gzip, deflate or none.`,
  });
}

/** The stream's chunks, at most `bytesMax` bytes of them; cancels it when whoever iterates stops early. */
async function* counted(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((): never => {
        throw badRequest("The request body ended before it was complete.");
      });
      if (done) return;
      bytes += value.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      yield value;
    }
  } finally {
    // Not cancelled: what is left is read and thrown away behind the handler, or the client, still sending,
    // would never hear why it was refused.
    reader.releaseLock();
  }
}

/**
 * The whole body inflated, bounded while it inflates. DecompressionStream cannot be: it inflates whatever is
 * written to it at once, however far behind its reader is.
 */
async function inflated(
  body: ReadableStream<Uint8Array>,
  encoding: keyof typeof INFLATE,
  bytesMax: number,
): Promise<Uint8Array> {
  const compressed = await joinBytes(counted(body, bytesMax));
  const ratioMax = Math.max(RATIO_FREE_BYTES, compressed.byteLength * UPLOAD_INFLATION_RATIO_MAX);
  try {
    return INFLATE[encoding](compressed, { maxOutputLength: Math.min(bytesMax, ratioMax) });
  } catch (error) {
    if (!(error instanceof RangeError))
      throw badRequest(
        `The body is not the ${encoding} stream that its Content-Encoding promises.`,
      );
    if (bytesMax <= ratioMax) throw tooLarge(bytesMax);
    throw badRequest(
      `The body inflates to more than ${UPLOAD_INFLATION_RATIO_MAX} times its size, which code never does. Send it without compression.`,
    );
  }
}

const tooLarge = (bytesMax: number) => new BodyRefused({ kind: "body_too_large", bytesMax });
const badRequest = (detail: string) => new BodyRefused({ kind: "bad_request", detail });
