/**
 * Calls that carry an object's bytes. They go over HTTP, also within one process: there a stream keeps the length that
 * is known of it, which R2 asks for, and in an RPC message it does not.
 */
import { R2_CALL_CHARS_MAX } from "../../domain/limits-r2.ts";
import type { R2Answer } from "./answer.ts";
import type { GetOptions, PutOptions } from "./options.ts";
import type { StoredObject } from "./stored-object.ts";

/** What is asked, besides the bytes. Of code's own making up to the door: its fields may be anything. */
export type BytesCall = { readonly key: string } & (
  | { readonly action: "get"; readonly options?: GetOptions }
  | {
      readonly action: "put";
      readonly options?: PutOptions;
      /** There are no bytes at all, not even a stream of none. */
      readonly empty?: boolean;
    }
  | { readonly action: "uploadPart"; readonly uploadId: string; readonly partNumber: number }
);

export interface FoundObject {
  readonly object: StoredObject;
  /** False: a condition does not hold. Else the response's body is the object's, or the range that was asked for. */
  readonly hasBody: boolean;
}

export interface BytesResults {
  readonly get: FoundObject | null;
  /** Null: a condition does not hold, and nothing was written. */
  readonly put: StoredObject | null;
  readonly uploadPart: R2UploadedPart;
}

/** Carries a {@link BytesCall} and its answer. */
const HEADER = "x-switchback-r2";
/** Carries the bucket's id, on the way to the door. */
const BUCKET_HEADER = "x-switchback-r2-bucket";
const URL = "http://r2/";

/** Null: there is more than fits. */
export function callRequest(
  bucket: string,
  call: BytesCall,
  body: BodyInit | null,
): Request | null {
  const text = asciiJson(call);
  if (text.length > R2_CALL_CHARS_MAX) return null;
  const headers = { [HEADER]: text, [BUCKET_HEADER]: bucket };
  return new Request(URL, { method: body === null ? "GET" : "PUT", headers, body });
}

/** Null: no call. */
export function callOf(request: Request): BytesCall | null {
  const call = parsed(request.headers.get(HEADER));
  return typeof call === "object" ? (call as BytesCall | null) : null;
}

export const bucketOf = (request: Request): string => request.headers.get(BUCKET_HEADER) ?? "";

export const answerResponse = (
  answer: R2Answer<BytesResults[keyof BytesResults]>,
  body: ReadableStream | null = null,
): Response => new Response(body, { headers: { [HEADER]: asciiJson(answer) } });

/** Throws when the response is none of the door's. */
export function answerOf<Action extends keyof BytesResults>(
  response: Response,
): R2Answer<BytesResults[Action]> {
  const answer = parsed(response.headers.get(HEADER));
  if (answer === null) throw new Error(`R2 answered with status ${response.status}.`);
  return answer as R2Answer<BytesResults[Action]>;
}

/** JSON that can be a header. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\u007F-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
