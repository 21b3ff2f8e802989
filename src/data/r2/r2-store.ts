/**
 * The door to R2. All buckets of the account are one real bucket, in which the objects of each have a prefix of their
 * own; nothing that comes back out of here has it. Conditions, ranges, checksums and multipart uploads are R2's own.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { R2_DELETE_KEYS_MAX, R2_OPTIONS_CHARS_MAX } from "../../domain/limits-r2.ts";
import { isObjectKey, keyPrefixOf } from "../../domain/r2.ts";
import { answer, type R2Answer } from "./answer.ts";
import { answerResponse, asciiJson, bucketOf, type BytesCall, callOf } from "./calls.ts";
import { closeIfEmpty, isClosed } from "./closed-buckets.ts";
import { listPage, type ListOptions, type ListPage } from "./list-page.ts";
import { type GetOptions, type MultipartOptions, type PutOptions, realOptions } from "./options.ts";
import { storedObject, type StoredObject } from "./stored-object.ts";

const NO_SUCH_BUCKET = "The specified bucket does not exist. (10006)";
const BAD_KEY = "The specified object name is not valid. (10020)";
const METADATA_TOO_LARGE =
  "Your metadata headers exceed the maximum allowed metadata size. (10012)";

/** The first argument of each method is the bucket's id; see `bucketIdOf`. */
export class R2Store extends WorkerEntrypoint<Env> {
  /** See `AttemptDoor`. */
  ping(): void {}

  head(bucket: string, key: string): Promise<R2Answer<StoredObject | null>> {
    return answer(async () => {
      const prefix = await this.#prefixOf("head", bucket);
      const object = await this.#objects.head(keyIn("head", prefix, key));
      return object && storedObject(object, prefix);
    });
  }

  delete(bucket: string, keys: string | readonly string[]): Promise<R2Answer<void>> {
    return answer(async () => {
      const prefix = await this.#prefixOf("delete", bucket);
      const list = typeof keys === "string" ? [keys] : keys;
      if (!Array.isArray(list)) throw new TypeError("delete: The keys have to be a list.");
      if (list.length > R2_DELETE_KEYS_MAX) {
        throw new Error(
          `delete: At most ${R2_DELETE_KEYS_MAX} keys can be deleted in one call, not ${list.length}. (10029)`,
        );
      }
      await this.#objects.delete(list.map((key) => keyIn("delete", prefix, key)));
    });
  }

  list(bucket: string, options?: ListOptions): Promise<R2Answer<ListPage>> {
    return answer(async () => {
      const prefix = await this.#prefixOf("list", bucket);
      return listPage(this.#objects, prefix, options ?? {});
    });
  }

  /** The id of the upload. */
  createMultipartUpload(
    bucket: string,
    key: string,
    options?: MultipartOptions,
  ): Promise<R2Answer<string>> {
    return answer(async () => {
      const prefix = await this.#prefixOf("createMultipartUpload", bucket);
      checkStored("createMultipartUpload", options);
      const upload = await this.#objects.createMultipartUpload(
        keyIn("createMultipartUpload", prefix, key),
        realOptions<R2MultipartOptions>(options),
      );
      return upload.uploadId;
    });
  }

  completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: R2UploadedPart[],
  ): Promise<R2Answer<StoredObject>> {
    return answer(async () => {
      const upload = await this.#upload("completeMultipartUpload", bucket, key, uploadId);
      const prefix = await this.#prefixOf("completeMultipartUpload", bucket);
      return storedObject(await upload.complete(parts), prefix);
    });
  }

  abortMultipartUpload(bucket: string, key: string, uploadId: string): Promise<R2Answer<void>> {
    return answer(async () => {
      await (await this.#upload("abortMultipartUpload", bucket, key, uploadId)).abort();
    });
  }

  /** False: it is not empty, and was not closed. What is closed does not exist any more, and never will again. */
  close(bucket: string): Promise<R2Answer<boolean>> {
    return answer(async () => {
      const prefix = keyPrefixOf(bucket);
      if (prefix === null) throw new Error(`close: ${NO_SUCH_BUCKET}`);
      return closeIfEmpty(this.#objects, prefix);
    });
  }

  /** The calls that carry bytes; see `calls`. */
  override async fetch(request: Request): Promise<Response> {
    const bucket = bucketOf(request);
    const call = callOf(request);
    if (call === null) return new Response(null, { status: 400 });
    const { key } = call;
    switch (call.action) {
      case "get": {
        const found = await answer(() => this.#get(bucket, key, call.options));
        if (!found.ok || found.value === null) return answerResponse(found as R2Answer<null>);
        const { object, body } = found.value;
        return answerResponse({ ok: true, value: { object, hasBody: body !== null } }, body);
      }
      case "put": {
        const value = call.empty === true ? null : request.body;
        return answerResponse(await answer(() => this.#put(bucket, key, value, call.options)));
      }
      case "uploadPart":
        return answerResponse(await answer(() => this.#uploadPart(bucket, call, request.body)));
      default:
        // Nobody's own code asks so.
        return new Response(null, { status: 400 });
    }
  }

  async #get(bucket: string, key: string, options?: GetOptions) {
    const prefix = await this.#prefixOf("get", bucket);
    refuseOwnKeys("get", options);
    const stored = keyIn("get", prefix, key);
    const found = await this.#objects.get(stored, realOptions<R2GetOptions>(options));
    if (found === null) return null;
    const body = "body" in found ? (found.body as ReadableStream) : null;
    return { object: storedObject(found, prefix), body };
  }

  async #put(
    bucket: string,
    key: string,
    value: ReadableStream | null,
    options?: PutOptions,
  ): Promise<StoredObject | null> {
    const prefix = await this.#prefixOf("put", bucket);
    checkStored("put", options);
    const stored = keyIn("put", prefix, key);
    const object = await this.#objects.put(stored, value, realOptions<R2PutOptions>(options));
    return object && storedObject(object, prefix);
  }

  async #uploadPart(
    bucket: string,
    { key, uploadId, partNumber }: BytesCall & { readonly action: "uploadPart" },
    value: ReadableStream | null,
  ): Promise<R2UploadedPart> {
    const upload = await this.#upload("uploadPart", bucket, key, uploadId);
    const part = await upload.uploadPart(partNumber, value ?? new ArrayBuffer(0));
    return { partNumber: part.partNumber, etag: part.etag };
  }

  async #upload(
    action: string,
    bucket: string,
    key: string,
    uploadId: string,
  ): Promise<R2MultipartUpload> {
    const stored = keyIn(action, await this.#prefixOf(action, bucket), key);
    if (typeof uploadId !== "string") {
      throw new TypeError(`${action}: uploadId has to be a string.`);
    }
    return this.#objects.resumeMultipartUpload(stored, uploadId);
  }

  async #prefixOf(action: string, bucket: string): Promise<string> {
    const prefix = typeof bucket === "string" ? keyPrefixOf(bucket) : null;
    if (prefix !== null && !(await isClosed(this.#objects, prefix))) return prefix;
    throw new Error(`${action}: ${NO_SUCH_BUCKET}`);
  }

  get #objects(): R2Bucket {
    return this.env.TENANT_OBJECTS;
  }
}

/** A key that is no string could be another one each time it is looked at. */
function keyIn(action: string, prefix: string, key: string): string {
  if (typeof key !== "string" || !isObjectKey(key)) throw new Error(`${action}: ${BAD_KEY}`);
  return prefix + key;
}

/** Local storage takes HTTP metadata of any size; what is too much could never be read again. */
function checkStored(action: string, options: MultipartOptions | undefined): void {
  refuseOwnKeys(action, options);
  if (asciiJson(options ?? null).length > R2_OPTIONS_CHARS_MAX) {
    throw new Error(`${action}: ${METADATA_TOO_LARGE}`);
  }
}

/** Local storage would take such a key, and store the object as it is. */
function refuseOwnKeys(action: string, options: GetOptions | undefined): void {
  if (options?.ssecKey === undefined) return;
  throw new Error(
    `${action}: Objects cannot be encrypted with a key of your own (ssecKey) by this Switchback. Encrypt the bytes before you store them.`,
  );
}
