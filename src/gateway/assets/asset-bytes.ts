import type { AssetFile } from "../../domain/assets/asset-files.ts";
import { ASSET_MEMORY_BYTES_MAX, ASSET_MEMORY_FILE_BYTES_MAX } from "../../domain/limits-assets.ts";
import { ask } from "../ask.ts";
import type { AssetPart, ControlPlane } from "../control-plane.ts";
import { schedulerWait } from "../holder-clock.ts";
import { SharedFetches } from "../shared-fetches.ts";

export interface AssetBody {
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Nobody had to be asked for it. */
  readonly isFromMemory: boolean;
}

interface AssetBytesOptions {
  readonly controlPlane: Pick<ControlPlane, "assetBytes">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is in files, by their SHA-256: versions and Workers share it. Small ones are kept, those asked for last. */
export class AssetBytes {
  readonly #options: AssetBytesOptions;
  readonly #kept = new Map<string, Uint8Array>();
  readonly #fetches: SharedFetches<string>;
  #bytes = 0;

  constructor(options: AssetBytesOptions) {
    this.#options = options;
    this.#fetches = new SharedFetches(options.now, schedulerWait);
  }

  /** A part lies within the file. Throws `ControlPlaneUnavailable` when nobody can be asked. */
  async read(file: AssetFile, part: AssetPart | null): Promise<AssetBody> {
    const kept = this.peek(file);
    if (kept !== null) return { body: slice(kept, part), isFromMemory: true };
    if (file.size > ASSET_MEMORY_FILE_BYTES_MAX)
      return {
        body: ofLength(await this.#ask(file, part), part?.length ?? file.size),
        isFromMemory: false,
      };
    const fetched = await this.#fetches.get(
      file.sha256,
      () => this.peek(file),
      async () => {
        const stream = await this.#ask(file, null);
        const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
        if ((await sha256Hex(bytes)) !== file.sha256)
          throw new Error(`asset ${file.sha256} does not hash to its key`);
        this.#keep(file.sha256, bytes);
        return bytes;
      },
    );
    return { body: slice(fetched, part), isFromMemory: false };
  }

  /** null: it is not kept. */
  peek({ sha256 }: AssetFile): Uint8Array | null {
    const bytes = this.#kept.get(sha256);
    if (bytes === undefined) return null;
    this.#kept.delete(sha256);
    this.#kept.set(sha256, bytes);
    return bytes;
  }

  /** Memory is short. */
  forget(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  async #ask(file: AssetFile, part: AssetPart | null): Promise<ReadableStream<Uint8Array>> {
    const { controlPlane } = this.#options;
    const stream = await ask("a static asset", () => controlPlane.assetBytes(file.sha256, part));
    if (stream === null) throw new Error(`asset ${file.sha256} is missing in storage`);
    return stream;
  }

  #keep(sha256: string, bytes: Uint8Array): void {
    if (this.#kept.has(sha256)) return;
    this.#kept.set(sha256, bytes);
    this.#bytes += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= ASSET_MEMORY_BYTES_MAX) break;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}

/** A stream that came by RPC has lost its length, and a response without one has no `Content-Length`. */
function ofLength(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(length);
  // Whoever reads finds out how it ends.
  stream.pipeTo(writable).catch(() => undefined);
  return readable;
}

async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const slice = (bytes: Uint8Array, part: AssetPart | null): Uint8Array =>
  part === null ? bytes : bytes.subarray(part.offset, part.offset + part.length);
