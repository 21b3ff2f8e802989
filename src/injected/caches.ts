/** `caches` as the Workers API has it: the runtime gives loaded code none. */
import { wrongArgument } from "./wrong-arguments.ts";

type Pairs = readonly (readonly [string, string])[];

interface Broker {
  match(cache: string | null, url: string, headers: Pairs): Promise<Response | null>;
  put(cache: string | null, url: string, headers: Pairs, response: Response): Promise<void>;
  delete(cache: string | null, url: string, headers: Pairs): Promise<boolean>;
}

interface QueryOptions {
  readonly ignoreMethod?: unknown;
}

const BODY_USED =
  "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.";
const { Cache: RuntimeCache, CacheStorage: RuntimeCacheStorage } =
  globalThis as unknown as Readonly<
    Record<"Cache" | "CacheStorage", { readonly prototype: object }>
  >;

/** Puts `caches` into the isolate. */
export function installCaches(stub: unknown): void {
  Object.defineProperty(globalThis, "caches", {
    value: new CacheStorage(stub as Broker),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

class CacheStorage {
  readonly #broker: Broker;
  readonly #default: Cache;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#default = new Cache(broker, null);
  }

  get default(): Cache {
    return this.#default;
  }

  async open(...[name]: [name?: unknown]): Promise<Cache> {
    if (name === undefined) throw wrongArgument("open", "CacheStorage", 0, "string");
    return new Cache(this.#broker, `${name as string}`);
  }

  get [Symbol.toStringTag](): string {
    return "CacheStorage";
  }
}

class Cache {
  readonly #broker: Broker;
  readonly #name: string | null;

  constructor(broker: Broker, name: string | null) {
    this.#broker = broker;
    this.#name = name;
  }

  async match(info: RequestInfo | URL, options?: QueryOptions): Promise<Response | undefined> {
    requireRequest(info, "match");
    const request = toRequest(info);
    if (!isLookedUp(request, options)) return undefined;
    const found = await this.#broker.match(this.#name, request.url, [...request.headers]);
    return found ?? undefined;
  }

  async put(info: RequestInfo | URL, response: Response): Promise<void> {
    requireRequest(info, "put");
    if (!(response instanceof Response)) throw wrongArgument("put", "Cache", 1, "Response");
    if (response.type === "error")
      throw new TypeError("Cache is unable to store an error response");
    const request = toRequest(info);
    if (request.method !== "GET") throw new TypeError("Cannot cache response to non-GET request.");
    if (response.status === 206) {
      throw new TypeError("Cannot cache response to a range request (206 Partial Content).");
    }
    if (response.headers.get("vary")?.includes("*") === true) {
      throw new TypeError("Cannot cache response with 'Vary: *' header.");
    }
    if (response.bodyUsed) throw new TypeError(BODY_USED);
    if (response.webSocket) throw new TypeError("Cannot cache WebSocket upgrade response.");
    // Of no use in a cache; the runtime drops it as silently.
    if (response.status === 304) return;
    const { url, headers } = request;
    await this.#broker.put(this.#name, url, [...headers], response);
  }

  async delete(info: RequestInfo | URL, options?: QueryOptions): Promise<boolean> {
    requireRequest(info, "delete");
    const request = toRequest(info);
    if (!isLookedUp(request, options)) return false;
    return this.#broker.delete(this.#name, request.url, [...request.headers]);
  }

  get [Symbol.toStringTag](): string {
    return "Cache";
  }
}

// So that `instanceof` says what it says of the runtime's own.
Object.setPrototypeOf(CacheStorage.prototype, RuntimeCacheStorage.prototype);
Object.setPrototypeOf(Cache.prototype, RuntimeCache.prototype);

const isLookedUp = (request: Request, options: QueryOptions | undefined): boolean =>
  request.method === "GET" || options?.ignoreMethod === true;

function requireRequest(info: unknown, action: string): void {
  if (info === undefined) throw wrongArgument(action, "Cache", 0, "Request or string");
}

/** A request is used as it is: making another of it would use up its body. */
const toRequest = (info: RequestInfo | URL): Request =>
  info instanceof Request ? info : new Request(info);
