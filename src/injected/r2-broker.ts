/** How the bucket is asked; the other side of `gateway/bindings/r2-binding` and `data/r2/calls`. */
import type { StoredObject } from "./r2-object.ts";
import { type SentOptions, viewOf } from "./r2-options.ts";

type Options = SentOptions | undefined;
/** What comes of a call; `data/r2/answer`. */
type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly name: string; readonly message: string } };

interface Page {
  readonly objects: readonly StoredObject[];
  readonly delimitedPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly cursor?: string;
}

interface Broker {
  head(key: string): Promise<Answer<StoredObject | null>>;
  delete(keys: string | string[]): Promise<Answer<void>>;
  list(options: Options): Promise<Answer<Page>>;
  createMultipartUpload(key: string, options: Options): Promise<Answer<string>>;
  completeMultipartUpload(
    key: string,
    uploadId: string,
    parts: R2UploadedPart[],
  ): Promise<Answer<StoredObject>>;
  abortMultipartUpload(key: string, uploadId: string): Promise<Answer<void>>;
}

type BytesCall = { readonly key: string } & (
  | { readonly action: "get"; readonly options: Options }
  | { readonly action: "put"; readonly options: Options; readonly empty: boolean }
  | { readonly action: "uploadPart"; readonly uploadId: string; readonly partNumber: number }
);

// Kept as the runtime has them: code may put others in their place.
const RealBlob = Blob;
const RealReadableStream = ReadableStream;
const RealRequest = Request;
const RealResponse = Response;
const encoder = new TextEncoder();
const { parse, stringify } = JSON;
const HEADER = "x-switchback-r2";
const SIZE_HEADER = "x-switchback-r2-size";

export type R2Value = ReadableStream | Blob | Uint8Array<ArrayBuffer>;

/** What R2 takes as an object's bytes; undefined for anything else. */
export function valueOf(value: unknown): R2Value | undefined {
  if (typeof value === "string") return encoder.encode(value) as Uint8Array<ArrayBuffer>;
  if (value instanceof RealReadableStream || value instanceof RealBlob) return value;
  return viewOf(value);
}

export class R2Calls {
  readonly #stub: Fetcher;

  constructor(stub: Fetcher) {
    this.#stub = stub;
  }

  /** A call without an object's bytes. */
  async ask<T>(call: (broker: Broker) => Promise<Answer<T>>): Promise<T> {
    return told(await unmarked(() => call(this.#stub as unknown as Broker)));
  }

  async get(
    key: string,
    options: Options,
  ): Promise<{ object: StoredObject; body: ReadableStream | null } | null> {
    const response = await this.#send({ action: "get", key, options }, null);
    const found = told(answerOf<{ object: StoredObject; hasBody: boolean } | null>(response));
    if (found === null) return null;
    const body = found.hasBody ? (response.body ?? new RealResponse("").body) : null;
    return { object: found.object, body };
  }

  async put(key: string, value: R2Value | null, options: Options): Promise<StoredObject | null> {
    const call = { action: "put", key, options, empty: value === null } as const;
    return told(answerOf<StoredObject | null>(await this.#send(call, value)));
  }

  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    value: R2Value,
  ): Promise<R2UploadedPart> {
    const call = { action: "uploadPart", key, uploadId, partNumber } as const;
    return told(answerOf<R2UploadedPart>(await this.#send(call, value)));
  }

  #send(call: BytesCall, value: R2Value | null): Promise<Response> {
    const headers: Record<string, string> = { [HEADER]: asciiJson(call) };
    if (value === null)
      return unmarked(() => this.#stub.fetch(new RealRequest("http://r2/", { headers })));
    if (!(value instanceof RealReadableStream)) {
      headers[SIZE_HEADER] = String(value instanceof RealBlob ? value.size : value.byteLength);
    }
    const request = new RealRequest("http://r2/", { method: "PUT", headers, body: value });
    return unmarked(() => this.#stub.fetch(request));
  }
}

function answerOf<T>(response: Response): Answer<T> {
  const text = response.headers.get(HEADER);
  if (text === null) throw new Error(`R2 answered with status ${response.status}.`);
  return parse(text) as Answer<T>;
}

function told<T>(answer: Answer<T>): T {
  if (!answer.ok) throw errorOf(answer.error);
  return answer.value;
}

/** An error on the way comes without the marks of that way. */
async function unmarked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof Error ? errorOf(error) : error;
  }
}

const ERRORS: Readonly<Record<string, new (message: string) => Error>> = { TypeError, RangeError };

const errorOf = ({ name, message }: { name: string; message: string }): Error =>
  new (ERRORS[name] ?? Error)(message);

/** JSON that can be a header. */
const asciiJson = (value: unknown): string =>
  stringify(value).replaceAll(
    /[\u007F-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
