/** A KV namespace as the Workers API has it, over a broker that knows bytes and JSON text only. */
import type { RawBinding } from "./raw-binding.ts";
import { illegalInvocation, isObject, wrongArgument } from "./wrong-arguments.ts";

/** Larger values are sent as streams: a message between isolates has its limit. */
const INLINE_BYTES_MAX = 1024 * 1024;
const VALUE_BYTES_MAX = 25 * 1024 * 1024;
const VALUE_TYPES =
  "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.";
const READ_TYPES =
  'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".';

type Operation = "GET" | "GET_BULK" | "PUT" | "DELETE";
type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly status: number; readonly message: string } };

interface Attributes {
  readonly expiresOn: number | null;
  readonly metadata: string | null;
}
interface Found<Value> extends Attributes {
  readonly value: Value;
}

interface Broker {
  get(key: string, cacheTtl?: number): Promise<Answer<Found<Uint8Array | ReadableStream> | null>>;
  getMany(
    keys: readonly string[],
    cacheTtl?: number,
  ): Promise<
    Answer<{
      readonly entries: readonly ((Attributes & { readonly size: number }) | null)[];
      readonly values: Body;
    }>
  >;
  put(
    key: string,
    value: Uint8Array | ReadableStream,
    options: { expiration?: number; expirationTtl?: number; metadata?: string },
  ): Promise<Answer<void>>;
  delete(key: string): Promise<Answer<void>>;
  list(options: { prefix?: string; limit?: number; cursor?: string }): Promise<
    Answer<{
      readonly keys: readonly (Attributes & { readonly name: string })[];
      readonly cursor: string | null;
    }>
  >;
}

interface GetOptions {
  readonly type?: unknown;
  readonly cacheTtl?: unknown;
}
interface PutOptions {
  readonly expiration?: unknown;
  readonly expirationTtl?: unknown;
  readonly metadata?: unknown;
}
interface ListOptions {
  readonly limit?: unknown;
  readonly prefix?: unknown;
  readonly cursor?: unknown;
}

export const kvNamespace = (raw: RawBinding): unknown =>
  new KvNamespace(raw.stub as unknown as Broker);

let isNamespace: (value: unknown) => boolean;

/** `get` and `getWithMetadata` throw at once what is wrong with a call, the other methods later: as the runtime does. */
class KvNamespace {
  static {
    isNamespace = (value) => isObject(value) && #broker in value;
  }

  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get [Symbol.toStringTag](): string {
    return "KvNamespace";
  }

  get(...args: [name: unknown, options?: string | GetOptions]): Promise<unknown> {
    check(this, "get", args, ["string or Array"]);
    const [name, options] = args;
    if (Array.isArray(name)) return this.#getMany(name, options, false);
    return this.#get(text(name), options).then(({ value }) => value);
  }

  getWithMetadata(...args: [name: unknown, options?: string | GetOptions]): Promise<unknown> {
    check(this, "getWithMetadata", args, ["Array or string"]);
    const [name, options] = args;
    if (Array.isArray(name)) return this.#getMany(name, options, true);
    return this.#get(text(name), options);
  }

  put(...args: [name: unknown, value: unknown, options?: PutOptions | null]): Promise<void> {
    if (!isNamespace(this)) throw illegalInvocation();
    return this.#put(args);
  }

  async #put(args: [name: unknown, value: unknown, options?: PutOptions | null]): Promise<void> {
    check(this, "put", args, ["string", "string or Object"]);
    const [name, value, options] = args;
    if (options !== undefined && options !== null && typeof options !== "object") {
      throw wrongArgument("put", KIND, 2, "PutOptions");
    }
    const key = keyName(name);
    const { expiration, expirationTtl, metadata } = options ?? {};
    const attributes = {
      ...(expiration === undefined ? {} : { expiration: integer(expiration) }),
      ...(expirationTtl === undefined ? {} : { expirationTtl: integer(expirationTtl) }),
      ...(metadata === undefined || metadata === null
        ? {}
        : { metadata: JSON.stringify(metadata) }),
    };
    if (value instanceof ReadableStream) {
      const { sent, failure } = relay(value);
      const answer = await this.#broker.put(key, sent, attributes).catch((error: unknown) => {
        throw failure() ?? error;
      });
      return valueOf(answer, "PUT");
    }
    valueOf(await this.#broker.put(key, toBody(value), attributes), "PUT");
  }

  delete(...args: [name: unknown]): Promise<void> {
    if (!isNamespace(this)) throw illegalInvocation();
    return this.#delete(args);
  }

  async #delete(args: [name: unknown]): Promise<void> {
    check(this, "delete", args, ["string"]);
    valueOf(await this.#broker.delete(keyName(args[0])), "DELETE");
  }

  list(options?: ListOptions | null): Promise<unknown> {
    if (!isNamespace(this)) throw illegalInvocation();
    return this.#list(options);
  }

  async #list(options: ListOptions | null | undefined): Promise<unknown> {
    const { limit, prefix, cursor } = options ?? {};
    const keyLimit = limit === undefined ? 0 : integer(limit);
    const answer = await this.#broker.list({
      ...(keyLimit > 0 ? { limit: keyLimit } : {}),
      ...(prefix === undefined || prefix === null ? {} : { prefix: text(prefix) }),
      ...(cursor === undefined || cursor === null ? {} : { cursor: text(cursor) }),
    });
    const page = valueOf(answer, "GET");
    const keys = page.keys.map(({ name, expiresOn, metadata }) => ({
      name,
      ...(expiresOn === null ? {} : { expiration: expiresOn }),
      ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as unknown }),
    }));
    return page.cursor === null
      ? { keys, list_complete: true, cacheStatus: null }
      : { keys, list_complete: false, cursor: page.cursor, cacheStatus: null };
  }

  async #get(name: unknown, options: string | GetOptions | undefined) {
    const key = keyName(name);
    const { type = "text", cacheTtl } = getOptions(options);
    const found = valueOf(await this.#broker.get(key, cacheTtl), "GET");
    if (found === null) return { value: null, metadata: null, cacheStatus: null };
    const read = READERS[type];
    if (read === undefined) throw new TypeError(READ_TYPES);
    return { value: await read(found.value), metadata: parsed(found.metadata), cacheStatus: null };
  }

  async #getMany(
    names: readonly unknown[],
    options: string | GetOptions | undefined,
    withMetadata: boolean,
  ): Promise<Map<string, unknown>> {
    const { type = "text", cacheTtl } = getOptions(options);
    if (type !== "text" && type !== "json") {
      refuse("GET_BULK", 400, `"${type}" is not a valid type. Use "json" or "text"`);
    }
    const keys = names.map(text);
    const found = valueOf(await this.#broker.getMany(keys, cacheTtl), "GET_BULK");
    const bytes = await bytesOf(found.values);
    let at = 0;
    return new Map(
      keys.map((key, index) => {
        const entry = found.entries[index] ?? null;
        if (entry === null) return [key, null];
        const own = bytes.subarray(at, (at += entry.size));
        const value = type === "text" ? decode(own) : parseBulk(own);
        return [key, withMetadata ? { value, metadata: parsed(entry.metadata) } : value];
      }),
    );
  }
}

const KIND = "KvNamespace";

/** Throws unless the namespace is one and there is an argument for each of the types. */
function check(
  namespace: unknown,
  action: string,
  args: readonly unknown[],
  types: readonly string[],
): void {
  if (!isNamespace(namespace)) throw illegalInvocation();
  const missing = types[args.length];
  if (missing !== undefined) throw wrongArgument(action, KIND, args.length, missing);
}

type Body = Uint8Array | ReadableStream;

const READERS: Readonly<Record<string, (body: Body) => unknown>> = {
  text: async (body) => decode(await bytesOf(body)),
  json: async (body) => JSON.parse(decode(await bytesOf(body))) as unknown,
  arrayBuffer: async (body) => (await bytesOf(body)).buffer,
  stream: (body) => (body instanceof ReadableStream ? body : streamOf(body)),
};

const bytesOf = async (body: Body): Promise<Uint8Array> =>
  body instanceof ReadableStream ? new Uint8Array(await new Response(body).arrayBuffer()) : body;

const streamOf = (bytes: Uint8Array): ReadableStream =>
  new Response(bytes as Uint8Array<ArrayBuffer>).body ?? new Response("").body!;

const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);

function parseBulk(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decode(bytes)) as unknown;
  } catch {
    const message = "At least one of the requested keys corresponds to a non-json value";
    return refuse("GET_BULK", 400, message);
  }
}

const parsed = (metadata: string | null): unknown =>
  metadata === null ? null : (JSON.parse(metadata) as unknown);

/** As the runtime turns arguments into texts: a symbol is none. */
const text = (value: unknown): string => `${value as string}`;

/** As the runtime turns arguments into integers: what is no number is 0. */
const integer = (value: unknown): number => Number(value) | 0;

function keyName(name: unknown): string {
  const key = text(name);
  if (key === "") throw new TypeError("Key name cannot be empty.");
  if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
  return key;
}

function getOptions(options: string | GetOptions | null | undefined): {
  readonly type?: string;
  readonly cacheTtl?: number;
} {
  // Whatever is no options is a type, known or not.
  if (options !== undefined && options !== null && typeof options !== "object") {
    return { type: text(options) };
  }
  const { type, cacheTtl } = options ?? {};
  return {
    ...(type === undefined ? {} : { type: text(type) }),
    ...(cacheTtl === undefined ? {} : { cacheTtl: integer(cacheTtl) }),
  };
}

/** The other side of a stream hears that it failed, but not why: that is kept here. */
function relay(stream: ReadableStream): {
  readonly sent: ReadableStream;
  readonly failure: () => unknown;
} {
  // Sending a locked one fails with the right error.
  if (stream.locked) return { sent: stream, failure: () => undefined };
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let reason: unknown;
  const sink = new WritableStream({
    write: (chunk) => writer.write(chunk),
    close: () => writer.close(),
    abort(error) {
      reason = error;
      return writer.abort(error);
    },
  });
  // Whoever reads the other side is told as well.
  stream.pipeTo(sink).catch(() => undefined);
  return { sent: readable, failure: () => reason };
}

function toBody(value: unknown): Body {
  const bytes = toBytes(value);
  if (bytes.byteLength > VALUE_BYTES_MAX) {
    const message = `Value length of ${bytes.byteLength} exceeds limit of ${VALUE_BYTES_MAX}.`;
    refuse("PUT", 413, message);
  }
  return bytes.byteLength > INLINE_BYTES_MAX ? streamOf(bytes) : bytes;
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    // Only what it shows: the whole of a larger buffer would travel with it.
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  }
  if (typeof value === "object" && value !== null) throw new TypeError(VALUE_TYPES);
  if (typeof value === "function") throw new TypeError(VALUE_TYPES);
  return new TextEncoder().encode(text(value));
}

function valueOf<T>(answer: Answer<T>, operation: Operation): T {
  // A stream in it goes on; what the other side keeps for the answer goes.
  (answer as Partial<Disposable>)[Symbol.dispose]?.();
  if (answer.ok) return answer.value;
  return refuse(operation, answer.error.status, answer.error.message);
}

function refuse(operation: Operation, status: number, message: string): never {
  throw new Error(`KV ${operation} failed: ${status} ${message}`);
}
