/** Objects of R2 as they come in requests, and go: as streams, never kept in memory. */
import {
  getR2Object,
  headR2Object,
  type PutOptions,
  putR2Object,
  type StoredObject,
} from "../control/r2-objects.ts";
import { R2_PUT_BYTES_MAX } from "../domain/limits-r2.ts";
import type { R2BucketInfo } from "../domain/r2.ts";
import type { ApiContext } from "./api-env.ts";
import { accept, refuseWith } from "./envelope.ts";
import { objectHeaders } from "./wire/r2.ts";

/** Headers of an upload that are kept with the object. */
const KEPT_HEADERS = [
  "content-type",
  "content-language",
  "content-disposition",
  "content-encoding",
  "cache-control",
  "expires",
];
/** Headers of a read by which it may turn out that the client has the object already. */
const CONDITIONS = ["if-none-match", "if-modified-since"];

/** The object's bytes, with its metadata as headers. */
export async function sendObject(
  c: ApiContext,
  bucket: R2BucketInfo,
  key: string,
): Promise<Response> {
  const { context } = c.var;
  if (c.req.raw.method === "HEAD") {
    const object = accept(await headR2Object(context, bucket, key));
    const headers = objectHeaders(object);
    headers.set("content-length", String(object.size));
    return new Response(null, { headers });
  }
  const conditions = headersOf(c, CONDITIONS);
  const options = conditions.length === 0 ? {} : { onlyIf: { headers: conditions } };
  const { object, hasBody, body } = accept(await getR2Object(context, bucket, key, options));
  const headers = objectHeaders(object);
  if (!hasBody) return new Response(null, { status: 304, headers });
  // The bytes are in the encoding that the header names; they must not be encoded once more.
  return new Response(body, { headers, encodeBody: "manual" });
}

export async function storeObject(
  c: ApiContext,
  bucket: R2BucketInfo,
  key: string,
  storageClass: string,
): Promise<StoredObject> {
  const { raw } = c.req;
  const declared = c.req.header("content-length");
  if (declared === undefined && raw.body !== null) refuseWith({ kind: "r2_length_missing" });
  if (Number(declared ?? 0) > R2_PUT_BYTES_MAX) {
    refuseWith({ kind: "body_too_large", bytesMax: R2_PUT_BYTES_MAX });
  }
  const options: PutOptions = {
    httpMetadata: { headers: headersOf(c, KEPT_HEADERS) },
    storageClass,
  };
  const body = Number(declared ?? 0) === 0 ? null : raw.body;
  return accept(await putR2Object(c.var.context, bucket, key, body, options));
}

const headersOf = (c: ApiContext, names: readonly string[]) =>
  names.flatMap((name): [string, string][] => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value]];
  });
