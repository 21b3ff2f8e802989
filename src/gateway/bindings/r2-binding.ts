import { WorkerEntrypoint } from "cloudflare:workers";
import type { R2Answer } from "../../data/r2/answer.ts";
import { answerResponse, callOf, callRequest } from "../../data/r2/calls.ts";
import type { ListOptions, ListPage } from "../../data/r2/list-page.ts";
import type { MultipartOptions } from "../../data/r2/options.ts";
import type { StoredObject } from "../../data/r2/stored-object.ts";
import { storeOf } from "../../data/stores.ts";
import { R2_RESENT_BYTES_MAX } from "../../domain/limits-r2.ts";
import { reach } from "./reach.ts";

/** The bucket of a binding; see `bucketIdOf`. Empty: it is gone. */
export interface R2BindingProps {
  readonly bucket: string;
}

/**
 * The broker of R2 bindings: exactly what a bucket can do, for the bucket in its props and no other. Arguments are
 * whatever deployed code sends; the door checks them.
 */
export function defineR2Binding<Env>() {
  return class R2Binding extends WorkerEntrypoint<Env, R2BindingProps> {
    head(key: string): Promise<R2Answer<StoredObject | null>> {
      return this.#reach(true, (store, bucket) => store.head(bucket, key));
    }

    delete(keys: string | readonly string[]): Promise<R2Answer<void>> {
      return this.#reach(true, (store, bucket) => store.delete(bucket, keys));
    }

    list(options?: ListOptions): Promise<R2Answer<ListPage>> {
      return this.#reach(true, (store, bucket) => store.list(bucket, options));
    }

    createMultipartUpload(key: string, options?: MultipartOptions): Promise<R2Answer<string>> {
      return this.#reach(true, (store, bucket) =>
        store.createMultipartUpload(bucket, key, options),
      );
    }

    completeMultipartUpload(
      key: string,
      uploadId: string,
      parts: R2UploadedPart[],
    ): Promise<R2Answer<StoredObject>> {
      return this.#reach(false, (store, bucket) =>
        store.completeMultipartUpload(bucket, key, uploadId, parts),
      );
    }

    abortMultipartUpload(key: string, uploadId: string): Promise<R2Answer<void>> {
      return this.#reach(true, (store, bucket) =>
        store.abortMultipartUpload(bucket, key, uploadId),
      );
    }

    /** The calls that carry bytes; see `data/r2/calls`. */
    override async fetch(request: Request): Promise<Response> {
      const call = callOf(request);
      if (call === null) return new Response(null, { status: 400 });
      const kept = request.body === null ? null : await keptBody(request);
      const body = kept ?? request.body;
      // A stream is read once, and a condition may hold no longer once the object has been written.
      const isConditional = call.action === "put" && call.options?.onlyIf !== undefined;
      const idempotent = body === kept && !isConditional;
      return this.#reach(idempotent, async (store, bucket) => {
        const sent = callRequest(bucket, call, body);
        if (sent !== null) return (store as unknown as Fetcher).fetch(sent);
        const message = `${call.action}: The key and the options are too large.`;
        return answerResponse({ ok: false, error: { name: "Error", message } });
      });
    }

    #reach<T>(
      idempotent: boolean,
      call: (store: ReturnType<typeof storeOf<"R2Store">>, bucket: string) => Promise<T>,
    ): Promise<T> {
      const store = storeOf(this.env, this.ctx, "R2Store");
      const door = { name: "R2Store", ping: () => store.ping() };
      return reach("R2", { idempotent, door }, () => call(store, this.ctx.props.bucket));
    }
  };
}

/** The header by which the injected code says that there are so few bytes that they can be kept. */
const SIZE_HEADER = "x-switchback-r2-size";

/** Bytes that can be sent again; null when there are too many to keep, or nobody knows. */
async function keptBody(request: Request): Promise<ArrayBuffer | null> {
  const size = Number(request.headers.get(SIZE_HEADER) ?? Number.NaN);
  if (!(size >= 0 && size <= R2_RESENT_BYTES_MAX)) return null;
  // Whoever lies about the size is cut off here, since the body has a known length.
  const kept = new Uint8Array(size);
  let at = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    if (at + chunk.byteLength > size) throw new TypeError("More bytes came than were announced.");
    kept.set(chunk, at);
    at += chunk.byteLength;
  }
  return kept.slice(0, at).buffer;
}
