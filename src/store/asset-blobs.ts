/** Bytes of static assets by their SHA-256, apart from modules: these are read in parts, and as streams. */

export interface AssetPart {
  /** Bytes, both. */
  readonly offset: number;
  readonly length: number;
}

export interface AssetBlobs {
  /** Stores bytes under their own hash. Storing again is harmless. */
  put(sha256: string, bytes: Uint8Array): Promise<void>;
  /** All of the bytes, or a part that lies within them; null when there are none. */
  get(sha256: string, part?: AssetPart): Promise<ReadableStream<Uint8Array> | null>;
}

export class R2AssetBlobs implements AssetBlobs {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;

  constructor(bucket: R2Bucket, accountId: string) {
    this.#bucket = bucket;
    this.#prefix = `assets/${accountId}/`;
  }

  async put(sha256: string, bytes: Uint8Array): Promise<void> {
    await this.#bucket.put(this.#prefix + sha256, bytes, { sha256 });
  }

  async get(sha256: string, part?: AssetPart): Promise<ReadableStream<Uint8Array> | null> {
    const options = part === undefined ? {} : { range: { ...part } };
    const object = await this.#bucket.get(this.#prefix + sha256, options);
    return object === null ? null : object.body;
  }
}
