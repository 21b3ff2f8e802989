/**
 * Bytes by their SHA-256. Written before anything refers to them, verified when read: a version's code
 * is what was uploaded or it is nothing.
 */
export interface BlobStore {
  /** Store bytes under their own hash (hex SHA-256, made by the caller from these bytes). Storing again is harmless. */
  put(sha256: string, bytes: Uint8Array): Promise<void>;
  /** The bytes, or null when there are none. Throws when what is stored does not hash to its key. */
  get(sha256: string): Promise<Uint8Array | null>;
}

export async function sha256Hex(bytes: Uint8Array | string): Promise<string> {
  const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class R2BlobStore implements BlobStore {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;

  constructor(bucket: R2Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async put(sha256: string, bytes: Uint8Array): Promise<void> {
    const key = this.#prefix + sha256;
    if ((await this.#bucket.head(key)) !== null) return;
    await this.#bucket.put(key, bytes);
  }

  async get(sha256: string): Promise<Uint8Array | null> {
    const object = await this.#bucket.get(this.#prefix + sha256);
    if (object === null) return null;
    const bytes = new Uint8Array(await object.arrayBuffer());
    if ((await sha256Hex(bytes)) !== sha256) {
      throw new Error(`blob ${this.#prefix}${sha256} does not hash to its key: storage is damaged`);
    }
    return bytes;
  }
}
