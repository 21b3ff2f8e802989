/** Values of KV as they come in requests, and go. */
import { writeKvKey } from "../control/kv-keys.ts";
import type { DomainError } from "../domain/errors.ts";
import { type KvPutOptions, valueTooLarge } from "../domain/kv.ts";
import { KV_FORM_BYTES_MAX, KV_VALUE_BYTES_MAX } from "../domain/limits-kv.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { ApiContext } from "./api-env.ts";
import type { KvPairBody } from "./kv-schemas.ts";
import { readMultipart } from "./multipart.ts";
import { positive } from "./paging.ts";
import { bodyChunks, BodyRefused, parseJson } from "./read-body.ts";

/** What the runtime has and its types have not. */
const { from: streamFrom } = ReadableStream as unknown as {
  from: (chunks: AsyncIterable<Uint8Array>) => ReadableStream<Uint8Array>;
};

/** The body is the value, or a form with the value and metadata. */
export async function putValue(
  c: ApiContext,
  namespaceId: string,
  key: string,
): Promise<Result<void, DomainError>> {
  const expiration = positive(c, "expiration");
  const expirationTtl = positive(c, "expiration_ttl");
  const options = {
    ...(expiration === undefined ? {} : { expiration }),
    ...(expirationTtl === undefined ? {} : { expirationTtl }),
  };
  const contentType = c.req.header("content-type") ?? "";
  return /^\s*multipart\/form-data/i.test(contentType)
    ? putForm(c, namespaceId, key, options, contentType)
    : putBody(c, namespaceId, key, options);
}

async function putBody(
  c: ApiContext,
  namespaceId: string,
  key: string,
  options: KvPutOptions,
): Promise<Result<void, DomainError>> {
  const request = c.req.raw;
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > KV_VALUE_BYTES_MAX) return err({ kind: "kv_refused", ...valueTooLarge(declared) });
  // The store hears that the body failed, but not why: that is kept here.
  let refused: DomainError | null = null;
  const value = streamFrom(
    (async function* () {
      try {
        // It is the store that counts; this only bounds what is inflated.
        yield* bodyChunks(request, 2 * KV_VALUE_BYTES_MAX);
      } catch (error) {
        if (error instanceof BodyRefused) refused = error.refusal;
        throw error;
      }
    })(),
  );
  try {
    const written = await writeKvKey(c.var.context, namespaceId, key, value, options);
    return refused === null ? written : err(refused);
  } catch (error) {
    if (refused === null) throw error;
    return err(refused);
  }
}

async function putForm(
  c: ApiContext,
  namespaceId: string,
  key: string,
  options: KvPutOptions,
  contentType: string,
): Promise<Result<void, DomainError>> {
  const parts = await readMultipart(bodyChunks(c.req.raw, KV_FORM_BYTES_MAX), contentType);
  if (!parts.ok) return parts;
  const part = (name: string) => parts.value.find((candidate) => candidate.name === name)?.bytes;
  const value = part("value");
  if (value === undefined) {
    return err({ kind: "bad_multipart", detail: 'It has no part named "value".' });
  }
  if (parts.value.some(({ name }) => name.startsWith("metadata["))) {
    // The SDK spells an object so. Its numbers would come back as texts.
    const detail = "Send the metadata as one part of JSON text: with the SDK, JSON.stringify it.";
    return err({ kind: "bad_multipart", detail });
  }
  const metadata = part("metadata");
  if (metadata === undefined) return writeKvKey(c.var.context, namespaceId, key, value, options);
  const parsed = parseJson(metadata);
  if (!parsed.ok && parsed.error.kind === "bad_json") {
    return err({ kind: "bad_json", detail: `In the metadata part: ${parsed.error.detail}` });
  }
  if (!parsed.ok) return parsed;
  return writeKvKey(c.var.context, namespaceId, key, value, {
    ...options,
    metadata: JSON.stringify(parsed.value),
  });
}

/** One of a bulk write, as the store takes it. */
export function toKvPair(
  body: KvPairBody,
): Result<KvPutOptions & { readonly key: string; readonly value: Uint8Array }, DomainError> {
  const { key, base64 = false, expiration, expiration_ttl: expirationTtl, metadata } = body;
  const value = base64 ? bytesOfBase64(body.value) : new TextEncoder().encode(body.value);
  if (value === null) {
    const name = JSON.stringify(key.slice(0, 80));
    return err({ kind: "bad_request", detail: `the value of the key ${name} is not base64.` });
  }
  return ok({
    key,
    value,
    ...(expiration === undefined ? {} : { expiration }),
    ...(expirationTtl === undefined ? {} : { expirationTtl }),
    ...(metadata === undefined || metadata === null ? {} : { metadata: JSON.stringify(metadata) }),
  });
}

function bytesOfBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

export function decodeValue(
  key: string,
  bytes: Uint8Array,
  type: "text" | "json",
): Result<unknown, DomainError> {
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  if (type === "text") return ok(text);
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    const message = `The value of the key ${JSON.stringify(key.slice(0, 80))} is not JSON. Ask for it as text.`;
    return err({ kind: "kv_refused", status: 400, message });
  }
}
