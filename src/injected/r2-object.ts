/** Objects of R2 as code sees them: properties of their own in the runtime's order, so that they print alike. */

/** What the gateway sends; `data/r2/stored-object`. */
export interface StoredObject {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly uploaded: number;
  readonly httpMetadata?: Omit<R2HTTPMetadata, "cacheExpiry"> & { readonly cacheExpiry?: number };
  readonly customMetadata?: Record<string, string>;
  readonly range?: object;
  readonly storageClass: string;
  /** In hex. */
  readonly checksums: R2StringChecksums;
}

type Algorithm = "md5" | "sha1" | "sha256" | "sha384" | "sha512";
/** As the runtime shows them. */
const ALGORITHMS: readonly Algorithm[] = ["sha512", "sha384", "sha256", "sha1", "md5"];

/** Which header each field of the HTTP metadata is. */
const HEADERS = [
  ["contentType", "content-type"],
  ["contentLanguage", "content-language"],
  ["contentDisposition", "content-disposition"],
  ["contentEncoding", "content-encoding"],
  ["cacheControl", "cache-control"],
] as const;

// Kept as the runtime has them: code may put others in their place.
const RealBlob = Blob;
const RealHeaders = Headers;
const RealResponse = Response;
const { defineProperty } = Object;

/** Known to this module alone: nobody else can make such objects. */
const OURS = Symbol("r2");

class Checksums {
  readonly #texts: R2StringChecksums;

  constructor(ours: symbol, texts: R2StringChecksums) {
    checkOurs(ours);
    this.#texts = texts;
    for (const algorithm of ALGORITHMS) {
      const text = texts[algorithm];
      show(this, algorithm, text === undefined ? undefined : bytesOf(text));
    }
  }

  toJSON(): R2StringChecksums {
    return { ...this.#texts };
  }
}

/** The runtime shows each field, whether it has a value or not. */
function everyField({
  contentType,
  contentLanguage,
  contentDisposition,
  contentEncoding,
  cacheControl,
  cacheExpiry,
}: NonNullable<StoredObject["httpMetadata"]>): R2HTTPMetadata {
  return {
    contentType,
    contentLanguage,
    contentDisposition,
    contentEncoding,
    cacheControl,
    cacheExpiry: cacheExpiry === undefined ? undefined : new Date(cacheExpiry),
  } as R2HTTPMetadata;
}

class HeadResult {
  readonly #key: string;
  readonly #httpMetadata: R2HTTPMetadata | undefined;

  constructor(ours: symbol, stored: StoredObject) {
    checkOurs(ours);
    this.#key = stored.key;
    if (stored.httpMetadata !== undefined) this.#httpMetadata = everyField(stored.httpMetadata);
    show(this, "ssecKeyMd5", undefined);
    show(this, "storageClass", stored.storageClass);
    show(this, "range", stored.range && { ...stored.range, suffix: undefined });
    show(this, "customMetadata", stored.customMetadata);
    show(this, "httpMetadata", this.#httpMetadata && { ...this.#httpMetadata });
    show(this, "uploaded", new Date(stored.uploaded));
    show(this, "checksums", new Checksums(OURS, stored.checksums));
    show(this, "httpEtag", `"${stored.etag}"`);
    show(this, "etag", stored.etag);
    show(this, "size", stored.size);
    show(this, "version", stored.version);
    show(this, "key", stored.key);
  }

  writeHttpMetadata(headers: Headers): void {
    if (!(headers instanceof RealHeaders)) {
      throw new TypeError(
        "Failed to execute 'writeHttpMetadata' on 'HeadResult': parameter 1 is not of type 'Headers'.",
      );
    }
    const metadata = this.#httpMetadata;
    if (metadata === undefined) {
      throw new TypeError(
        `HTTP metadata unknown for key \`${this.#key}\`. Did you forget to add 'httpMetadata' to \`include\` when listing?`,
      );
    }
    for (const [field, header] of HEADERS) {
      const value = metadata[field];
      if (value !== undefined) headers.set(header, value);
    }
    const { cacheExpiry } = metadata;
    if (cacheExpiry !== undefined) headers.set("expires", cacheExpiry.toUTCString());
  }
}

class GetResult extends HeadResult {
  /** Reads a body as these methods do, and fails in the same words. */
  readonly #response: Response;
  readonly #type: string;

  constructor(ours: symbol, stored: StoredObject, body: ReadableStream) {
    super(ours, stored);
    this.#response = new RealResponse(body);
    this.#type = stored.httpMetadata?.contentType ?? "";
  }

  get body(): ReadableStream {
    return this.#response.body!;
  }
  get bodyUsed(): boolean {
    return this.#response.bodyUsed;
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#response.arrayBuffer();
  }
  bytes(): Promise<Uint8Array> {
    return this.#response.bytes();
  }
  text(): Promise<string> {
    return this.#response.text();
  }
  json(): Promise<unknown> {
    return this.#response.json();
  }
  async blob(): Promise<Blob> {
    return new RealBlob([await this.#response.arrayBuffer()], { type: this.#type });
  }
}

for (const kind of [Checksums, HeadResult, GetResult]) {
  defineProperty(kind.prototype, Symbol.toStringTag, { value: kind.name, configurable: true });
}

export const headResult = (stored: StoredObject) => new HeadResult(OURS, stored);

export const getResult = (stored: StoredObject, body: ReadableStream) =>
  new GetResult(OURS, stored, body);

function checkOurs(ours: symbol): void {
  if (ours !== OURS) throw new TypeError("Illegal constructor");
}

function show(object: object, name: string, value: unknown): void {
  defineProperty(object, name, { value, enumerable: true, configurable: true });
}

const bytesOf = (hex: string): ArrayBuffer =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).buffer;
