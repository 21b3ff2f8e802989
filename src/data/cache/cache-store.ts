import { WorkerEntrypoint } from "cloudflare:workers";
import {
  CACHE_NAME_CHARS_MAX,
  CACHE_RESPONSE_BYTES_MAX,
  CACHE_SMALL_BYTES_MAX,
  CACHE_URL_CHARS_MAX,
} from "../../domain/limits-cache.ts";
import { CacheLedger, type Eviction } from "./cache-ledger.ts";

/** What a Worker names a response by. */
export interface CacheKey {
  readonly workerId: string;
  /** Null: `caches.default`. */
  readonly cache: string | null;
  /** Absolute. */
  readonly url: string;
  /** Of the request: conditions and ranges are answered. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** One for the process: it is gone with it, as what it tells of should be. */
const ledger = new CacheLedger();

/** The door to the caches of all Workers, which share nothing: each has a named cache of this process to itself. */
export class CacheStore extends WorkerEntrypoint<Env> {
  /** Null when nothing is there that could be used. */
  async match(key: CacheKey): Promise<Response | null> {
    const request = requestOf(key);
    if (request === null) return null;
    const response = await (await cacheOf(key.workerId)).match(request);
    ledger.looked(key.workerId, request.url, response !== undefined);
    return response ?? null;
  }

  /** What may not be stored, or is too large, is not stored, silently, as on Cloudflare. */
  async put(key: CacheKey, response: Response): Promise<void> {
    const request = requestOf(key);
    if (request === null) return response.body?.cancel();
    const cache = await cacheOf(key.workerId);
    const body: Body = { bytes: 0, failure: null };
    try {
      await cache.put(request, await counted(response, body));
    } catch (error) {
      body.failure ??= { error };
    }
    if (body.failure !== null) {
      // What came before the end may have been stored.
      await cache.delete(request);
      if (body.bytes > CACHE_RESPONSE_BYTES_MAX) return;
      throw body.failure.error;
    }
    // On Cloudflare the platform evicts what is too much.
    if (this.env.ROLE === undefined) return;
    await evict(ledger.stored(key.workerId, request.url, body.bytes));
  }

  /** Whether it was there. */
  async delete(key: CacheKey): Promise<boolean> {
    const request = requestOf(key);
    if (request === null) return false;
    ledger.looked(key.workerId, request.url, false);
    return (await cacheOf(key.workerId)).delete(request);
  }
}

const cacheOf = (workerId: string): Promise<Cache> => {
  if (!/^[0-9a-f]{32}$/.test(workerId)) throw new Error("not the id of a Worker");
  return caches.open(`worker-${workerId}`);
};

async function evict(evictions: readonly Eviction[]): Promise<void> {
  for (const { workerId, key } of evictions) await (await cacheOf(workerId)).delete(key);
}

/** All caches of a Worker are one here, in which the cache's name is part of the key. */
function requestOf({ cache, url, headers }: CacheKey): Request | null {
  const isUsable =
    url.length <= CACHE_URL_CHARS_MAX && (cache === null || cache.length <= CACHE_NAME_CHARS_MAX);
  if (!isUsable) return null;
  const place = cache === null ? "default" : `named/${encodeURIComponent(cache.toWellFormed())}`;
  // As in the runtime's cache, what follows # does not matter.
  const name = encodeURIComponent(url.replace(/#.*$/s, "").toWellFormed());
  return new Request(`https://cache.invalid/${place}?${name}`, {
    headers: new Headers(headers as [string, string][]),
  });
}

/** What is known of a response's body while it is stored. */
interface Body {
  bytes: number;
  failure: { readonly error: unknown } | null;
}

/**
 * The response, its body counted. One that ends soon is sent with its length, so that whoever gets it from the cache
 * knows the length too.
 */
async function counted(response: Response, body: Body): Promise<Response> {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const head: Uint8Array[] = [];
  while (body.bytes <= CACHE_SMALL_BYTES_MAX) {
    const { done, value } = await reader.read();
    if (done) return new Response(new Blob(head as Uint8Array<ArrayBuffer>[]).stream(), response);
    head.push(value);
    body.bytes += value.byteLength;
  }
  const declared = Number(response.headers.get("content-length") ?? Number.NaN);
  const { readable, writable } = Number.isSafeInteger(declared)
    ? new FixedLengthStream(declared)
    : new IdentityTransformStream();
  void pump(head, reader, writable.getWriter(), body);
  return new Response(readable, response);
}

async function pump(
  head: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  body: Body,
): Promise<void> {
  try {
    for (const chunk of head) await writer.write(chunk);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return await writer.close();
      body.bytes += value.byteLength;
      if (body.bytes > CACHE_RESPONSE_BYTES_MAX) throw new Error("too large to be cached");
      await writer.write(value);
    }
  } catch (error) {
    body.failure = { error };
    await reader.cancel(error).catch(() => undefined);
    await writer.abort(error).catch(() => undefined);
  }
}
