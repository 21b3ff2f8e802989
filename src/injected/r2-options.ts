/**
 * Options on their way out of the isolate, as JSON; `data/r2/options`. Each known field is read once, wherever it comes
 * from. What it says is checked where the bucket is, in R2's own words, except for what JSON cannot say.
 */
type Fields = Readonly<Record<string, unknown>>;
type Copy = (value: unknown, name: string) => unknown;

/** Kept as the runtime has it: code may put another in its place. */
const RealHeaders = Headers;
const { entries, fromEntries } = Object;

const asIs: Copy = (value) => value;
const time: Copy = (value) => (value instanceof Date ? value.getTime() : value);
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** Headers stand for the fields: of them those are sent that say something here. */
const fieldsOf =
  (fields: Readonly<Record<string, Copy>>, headers: readonly string[]): Copy =>
  (value) => {
    if (!isObject(value)) return value;
    if (!(value instanceof RealHeaders)) return picked(value, fields);
    const given = headers.map((name) => [name, value.get(name)] as const);
    return { headers: given.filter(([, text]) => text !== null) };
  };

const onlyIf = fieldsOf(
  {
    etagMatches: asIs,
    etagDoesNotMatch: asIs,
    uploadedBefore: time,
    uploadedAfter: time,
    secondsGranularity: asIs,
  },
  ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"],
);

const httpMetadata = fieldsOf(
  {
    contentType: asIs,
    contentLanguage: asIs,
    contentDisposition: asIs,
    contentEncoding: asIs,
    cacheControl: asIs,
    cacheExpiry: time,
  },
  [
    "content-type",
    "content-language",
    "content-disposition",
    "content-encoding",
    "cache-control",
    "expires",
  ],
);

const METADATA = {
  httpMetadata,
  customMetadata: (value: unknown) => (isObject(value) ? { ...value } : value),
  storageClass: asIs,
  ssecKey: asIs,
};

/** Name and bytes of each algorithm's digests. */
const DIGESTS: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  md5: ["MD5", 16],
  sha1: ["SHA-1", 20],
  sha256: ["SHA-256", 32],
  sha384: ["SHA-384", 48],
  sha512: ["SHA-512", 64],
};

const digest: Copy = (value, algorithm) => {
  const bytes = viewOf(value);
  if (bytes === undefined) return value;
  const [name, length] = DIGESTS[algorithm]!;
  if (bytes.byteLength !== length) {
    throw new TypeError(`${name} is ${length} bytes, not ${bytes.byteLength}`);
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** By the name that the runtime has for each kind. */
const KINDS = {
  GetOptions: {
    onlyIf,
    range: fieldsOf({ offset: asIs, length: asIs, suffix: asIs }, ["range"]),
    ssecKey: asIs,
  },
  PutOptions: {
    ...METADATA,
    onlyIf,
    md5: digest,
    sha1: digest,
    sha256: digest,
    sha384: digest,
    sha512: digest,
  },
  MultipartOptions: METADATA,
  UploadPartOptions: { ssecKey: asIs },
  ListOptions: {
    limit: asIs,
    prefix: asIs,
    cursor: asIs,
    delimiter: asIs,
    startAfter: asIs,
    include: asIs,
  },
};

export type OptionsKind = keyof typeof KINDS;
export type SentOptions = Record<string, unknown>;

export const sentOptions = (given: object, kind: OptionsKind): SentOptions =>
  picked(given as Fields, KINDS[kind]);

function picked(given: Fields, copies: Readonly<Record<string, Copy>>): SentOptions {
  const options: [string, unknown][] = [];
  for (const [name, copy] of entries(copies)) {
    const value = given[name];
    if (value !== undefined) options.push([name, copy(value, name)]);
  }
  return fromEntries(options);
}

/** The bytes of a buffer or of a view of one; undefined for anything else. */
export function viewOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
}
