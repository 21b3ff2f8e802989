/** What the API does with objects of a bucket: R2's refusals become refusals of the API. */
import type { R2Answer, R2Failure } from "../data/r2/answer.ts";
import {
  answerOf,
  type BytesCall,
  type BytesResults,
  callRequest,
  type FoundObject,
} from "../data/r2/calls.ts";
import type { ListOptions, ListPage } from "../data/r2/list-page.ts";
import type { GetOptions, PutOptions } from "../data/r2/options.ts";
import type { StoredObject } from "../data/r2/stored-object.ts";
import type { DomainError } from "../domain/errors.ts";
import { bucketIdOf, type R2BucketInfo } from "../domain/r2.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { askStore } from "./ask-store.ts";
import type { ControlContext } from "./context.ts";

export type { StoredHttpMetadata, StoredObject } from "../data/r2/stored-object.ts";
export type { PutOptions } from "../data/r2/options.ts";

type Context = Pick<ControlContext, "stores">;
type Store = Context["stores"]["R2Store"];

export interface FoundBytes extends FoundObject {
  /** Null when a condition does not hold. */
  readonly body: ReadableStream | null;
}

/** `r2_object_not_found` when it is not there. */
export async function headR2Object(
  context: Context,
  bucket: R2BucketInfo,
  key: string,
): Promise<Result<StoredObject, DomainError>> {
  const found = await askR2(context, true, (store) => store.head(bucketIdOf(bucket), key));
  return found.ok && found.value === null ? err(NOT_FOUND) : (found as Result<StoredObject, never>);
}

/** `r2_object_not_found` when it is not there. */
export async function getR2Object(
  context: Context,
  bucket: R2BucketInfo,
  key: string,
  options: GetOptions,
): Promise<Result<FoundBytes, DomainError>> {
  const sent = await sendBytes(context, bucket, { action: "get", key, options }, null);
  if (!sent.ok) return sent;
  const { result, body } = sent.value;
  return result === null ? err(NOT_FOUND) : ok({ ...result, body });
}

/** `body` is stored as it comes, without being kept in memory; its length has to be known. */
export async function putR2Object(
  context: Context,
  bucket: R2BucketInfo,
  key: string,
  body: ReadableStream | null,
  options: PutOptions,
): Promise<Result<StoredObject, DomainError>> {
  const call = { action: "put", key, options, empty: body === null } as const;
  const sent = await sendBytes(context, bucket, call, body);
  if (!sent.ok) return sent;
  if (sent.value.result === null) throw new Error("a put without a condition was not done");
  return ok(sent.value.result);
}

/** What is not there is deleted already. */
export const deleteR2Object = (
  context: Context,
  bucket: R2BucketInfo,
  key: string,
): Promise<Result<void, DomainError>> =>
  askR2(context, true, (store) => store.delete(bucketIdOf(bucket), key));

export const listR2Objects = (
  context: Context,
  bucket: R2BucketInfo,
  options: ListOptions,
): Promise<Result<ListPage, DomainError>> =>
  askR2(context, true, (store) => store.list(bucketIdOf(bucket), options));

export async function askR2<T>(
  context: Context,
  idempotent: boolean,
  call: (store: Store) => Promise<R2Answer<T>>,
): Promise<Result<T, DomainError>> {
  const asked = await askStore("R2", { idempotent }, () => call(context.stores.R2Store));
  if (!asked.ok) return asked;
  return asked.value.ok ? ok(asked.value.value) : err(refusalOf(asked.value.error));
}

async function sendBytes<Action extends keyof BytesResults>(
  context: Context,
  bucket: R2BucketInfo,
  call: BytesCall & { readonly action: Action },
  body: ReadableStream | null,
): Promise<
  Result<
    { readonly result: BytesResults[Action]; readonly body: ReadableStream | null },
    DomainError
  >
> {
  const door = context.stores.R2Store as unknown as Fetcher;
  const request = callRequest(bucketIdOf(bucket), call, body);
  if (request === null) {
    return err({ kind: "bad_request", detail: "the key and the headers are too large." });
  }
  // A request without a body can be sent again as it is.
  const sent = await askStore("R2", { idempotent: body === null }, () => door.fetch(request));
  if (!sent.ok) return sent;
  const answer = answerOf<Action>(sent.value);
  return answer.ok
    ? ok({ result: answer.value, body: sent.value.body })
    : err(refusalOf(answer.error));
}

const NOT_FOUND = { kind: "r2_object_not_found" } as const;
const NO_SUCH_BUCKET = 10_006;
const INTERNAL = 10_001;

/** Throws what is a fault of ours. */
function refusalOf({ message }: R2Failure): DomainError {
  const [, text, digits] = /^(?:\w+: )?(.*) \((\d+)\)$/s.exec(message) ?? [];
  const code = Number(digits);
  if (code === NO_SUCH_BUCKET) return { kind: "r2_bucket_not_found" };
  if (text === undefined || code === INTERNAL) throw new Error(`R2: ${message}`);
  return { kind: "r2_refused", code, message: text };
}
