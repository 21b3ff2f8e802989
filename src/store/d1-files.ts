/** Files of SQL on their way into a database or out of it. They are kept for a day at most. */
import { D1_EXPORT_PART_BYTES, D1_FILE_KEEP_MS, D1_FILES_SWEPT_MAX } from "../domain/limits-d1.ts";

export interface D1File {
  readonly body: ReadableStream<Uint8Array>;
  readonly bytes: number;
}

export class D1Files {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;

  constructor(bucket: R2Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  /** Stores a stream whose length is known. False when it has another MD5 than `md5`, in hex; nothing is stored then. */
  async upload(name: string, body: ReadableStream<Uint8Array>, md5: string): Promise<boolean> {
    try {
      await this.#bucket.put(this.#prefix + name, body, { md5 });
      return true;
    } catch (error) {
      if (error instanceof Error && /MD5|BadDigest|10037/i.test(error.message)) return false;
      throw error;
    }
  }

  /** Stores a stream of any length, or nothing of it: no more than two parts are in memory at a time. */
  async save(name: string, body: ReadableStream<Uint8Array>): Promise<void> {
    const upload = await this.#bucket.createMultipartUpload(this.#prefix + name);
    try {
      const parts: R2UploadedPart[] = [];
      for await (const part of inParts(body)) {
        parts.push(await upload.uploadPart(parts.length + 1, part));
      }
      await upload.complete(parts);
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  async open(name: string): Promise<D1File | null> {
    const object = await this.#bucket.get(this.#prefix + name);
    return object === null ? null : { body: object.body, bytes: object.size };
  }

  async has(name: string): Promise<boolean> {
    return (await this.#bucket.head(this.#prefix + name)) !== null;
  }

  async delete(name: string): Promise<void> {
    await this.#bucket.delete(this.#prefix + name);
  }

  /** Deletes some of those whose time is over. */
  async sweep(now: number): Promise<void> {
    const { objects } = await this.#bucket.list({
      prefix: this.#prefix,
      limit: D1_FILES_SWEPT_MAX,
    });
    const old = objects.filter(({ uploaded }) => uploaded.getTime() < now - D1_FILE_KEEP_MS);
    if (old.length > 0) await this.#bucket.delete(old.map(({ key }) => key));
  }
}

/** Of equal length, but for the last: R2 wants it so. At least one, which may be empty. */
async function* inParts(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(D1_EXPORT_PART_BYTES);
  let filled = 0;
  let count = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      const taken = chunk.subarray(at, at + part.byteLength - filled);
      part.set(taken, filled);
      filled += taken.byteLength;
      at += taken.byteLength;
      if (filled < part.byteLength) continue;
      yield part;
      count++;
      part = new Uint8Array(D1_EXPORT_PART_BYTES);
      filled = 0;
    }
  }
  if (filled > 0 || count === 0) yield part.subarray(0, filled);
}
