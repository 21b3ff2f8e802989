/** The binding of an R2 bucket, as the Workers API has it. What options say is checked where the bucket is. */
import { R2Calls, valueOf } from "./r2-broker.ts";
import { getResult, headResult } from "./r2-object.ts";
import { type OptionsKind, sentOptions, type SentOptions } from "./r2-options.ts";
import type { RawBinding } from "./raw-binding.ts";
import { illegalInvocation, isObject, wrongArgument as wrongType } from "./wrong-arguments.ts";

const { defineProperty } = Object;
const { isArray } = Array;

/** Known to this module alone: nobody else can make such objects. */
const OURS = Symbol("r2");

const VALUE_TYPES = "JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob";

let callsOf: (bucket: unknown) => R2Calls;
let ownUpload: (upload: unknown) => R2MultipartUpload;

/** No class names itself inside: the bundler would give it another name, and code can see that. */
class R2Bucket {
  static {
    callsOf = (bucket) => {
      if (!isObject(bucket) || !(#calls in bucket)) throw illegalInvocation();
      return bucket.#calls;
    };
  }

  readonly #calls: R2Calls;

  constructor(ours: symbol, calls: R2Calls) {
    if (ours !== OURS) throw new TypeError("Illegal constructor");
    this.#calls = calls;
  }

  async head(...args: [key: string]) {
    const calls = callsOf(this);
    const key = textOf(args, 0, "head");
    const object = await calls.ask((broker) => broker.head(key));
    return object && headResult(object);
  }

  async get(...args: [key: string, options?: object]) {
    const calls = callsOf(this);
    const key = textOf(args, 0, "get");
    const options = optionsOf(args, 1, "get", "GetOptions");
    const found = await calls.get(key, options);
    if (found === null) return null;
    return found.body === null ? headResult(found.object) : getResult(found.object, found.body);
  }

  async put(...args: [key: string, value: unknown, options?: object]) {
    const calls = callsOf(this);
    const key = textOf(args, 0, "put");
    const options = optionsOf(args, 2, "put", "PutOptions");
    const isEmpty = args.length > 1 && (args[1] === null || args[1] === undefined);
    const value = isEmpty ? null : valueOf(args[1]);
    if (value === undefined) throw wrongType("put", "R2Bucket", 1, VALUE_TYPES);
    const object = await calls.put(key, value, options);
    return object && headResult(object);
  }

  async delete(...args: readonly (string | string[])[]): Promise<void> {
    const calls = callsOf(this);
    if (args.length === 0) throw wrongType("delete", "R2Bucket", 0, "string or Array");
    const keys = isArray(args[0]) ? args[0].map((key) => `${key}`) : `${args[0]}`;
    await calls.ask((broker) => broker.delete(keys));
  }

  async list(...args: [options?: object]) {
    const calls = callsOf(this);
    const options = optionsOf(args, 0, "list", "ListOptions");
    const page = await calls.ask((broker) => broker.list(options));
    const { objects, truncated, cursor, delimitedPrefixes } = page;
    return { objects: objects.map(headResult), truncated, cursor, delimitedPrefixes };
  }

  async createMultipartUpload(...args: [key: string, options?: object]) {
    const calls = callsOf(this);
    const key = textOf(args, 0, "createMultipartUpload");
    const options = optionsOf(args, 1, "createMultipartUpload", "MultipartOptions");
    const uploadId = await calls.ask((broker) => broker.createMultipartUpload(key, options));
    return new R2MultipartUpload(OURS, calls, key, uploadId);
  }

  resumeMultipartUpload(...args: [key: string, uploadId: string]) {
    const calls = callsOf(this);
    const key = textOf(args, 0, "resumeMultipartUpload");
    const uploadId = textOf(args, 1, "resumeMultipartUpload");
    return new R2MultipartUpload(OURS, calls, key, uploadId);
  }
}

class R2MultipartUpload {
  static {
    ownUpload = (upload) => {
      if (!isObject(upload) || !(#calls in upload)) throw illegalInvocation();
      return upload;
    };
  }

  declare readonly key: string;
  declare readonly uploadId: string;
  readonly #calls: R2Calls;
  readonly #key: string;
  readonly #uploadId: string;

  constructor(ours: symbol, calls: R2Calls, key: string, uploadId: string) {
    if (ours !== OURS) throw new TypeError("Illegal constructor");
    this.#calls = calls;
    this.#key = key;
    this.#uploadId = uploadId;
    defineProperty(this, "uploadId", { value: uploadId, enumerable: true, configurable: true });
    defineProperty(this, "key", { value: key, enumerable: true, configurable: true });
  }

  async uploadPart(...args: [partNumber: number, value: unknown, options?: object]) {
    const upload = ownUpload(this);
    const value = valueOf(args[1]);
    if (value === undefined) throw wrongType("uploadPart", "R2MultipartUpload", 1, VALUE_TYPES);
    const partNumber = partNumberOf(args[0]);
    const options = optionsOf(args, 2, "uploadPart", "UploadPartOptions");
    if (options?.["ssecKey"] !== undefined) throw noOwnKeys("uploadPart");
    return upload.#calls.uploadPart(upload.#key, upload.#uploadId, partNumber, value);
  }

  async complete(...args: [parts: R2UploadedPart[]]) {
    const upload = ownUpload(this);
    if (!isArray(args[0])) throw wrongType("complete", "R2MultipartUpload", 0, "Array");
    const parts = args[0].map(({ partNumber, etag }) => ({
      partNumber: partNumberOf(partNumber),
      etag: `${etag}`,
    }));
    const object = await upload.#calls.ask((broker) =>
      broker.completeMultipartUpload(upload.#key, upload.#uploadId, parts),
    );
    return headResult(object);
  }

  async abort(): Promise<void> {
    const upload = ownUpload(this);
    await upload.#calls.ask((broker) => broker.abortMultipartUpload(upload.#key, upload.#uploadId));
  }
}

for (const kind of [R2Bucket, R2MultipartUpload]) {
  defineProperty(kind.prototype, Symbol.toStringTag, { value: kind.name, configurable: true });
}

export const r2Bucket = (raw: RawBinding): unknown => new R2Bucket(OURS, new R2Calls(raw.stub!));

function textOf(args: readonly unknown[], index: number, action: string): string {
  if (args.length <= index) throw wrongType(action, "R2Bucket", index, "string");
  return `${args[index] as string}`;
}

function optionsOf(
  args: readonly unknown[],
  index: number,
  action: string,
  kind: OptionsKind,
): SentOptions | undefined {
  const given = args[index];
  if (given === undefined || given === null) return undefined;
  if (isObject(given) || typeof given === "function") return sentOptions(given, kind);
  throw wrongType(action, "R2Bucket", index, kind);
}

function partNumberOf(value: unknown): number {
  const partNumber = Number(value) | 0;
  if (partNumber >= 1 && partNumber <= 10_000) return partNumber;
  throw new TypeError(
    `Part number must be between 1 and 10000 (inclusive). Actual value was: ${partNumber}`,
  );
}

const noOwnKeys = (action: string) =>
  new Error(
    `${action}: Objects cannot be encrypted with a key of your own (ssecKey) by this Switchback. Encrypt the bytes before you store them.`,
  );
