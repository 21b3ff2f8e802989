import { WorkerEntrypoint } from "cloudflare:workers";
import type {
  KvFound,
  KvFoundMany,
  KvKeyPage,
  KvValue,
} from "../../data/kv/kv-namespace-object.ts";
import { storeOf } from "../../data/stores.ts";
import type { KvListOptions, KvPutOptions, KvRefusal } from "../../domain/kv.ts";
import { KV_INLINE_BYTES_MAX } from "../../domain/limits-kv.ts";
import type { Result } from "../../domain/result.ts";
import { reach } from "./reach.ts";

interface KvBindingProps {
  /** Empty: the namespace was gone when the version was loaded. */
  readonly namespaceId: string;
}

type Answer<T> = Promise<Result<T, KvRefusal>>;

/** The broker of a KV binding. What it is given comes from a version's code, and may be anything. */
export function defineKvBinding<Env>() {
  return class KvBinding extends WorkerEntrypoint<Env, KvBindingProps> {
    get(key: string, cacheTtl?: number): Answer<KvFound | null> {
      return this.#reach(true, (store, id) => store.get(id, String(key), number(cacheTtl)));
    }

    getMany(keys: readonly string[], cacheTtl?: number): Answer<KvFoundMany> {
      const names = texts(keys);
      return this.#reach(true, (store, id) => store.getMany(id, names, number(cacheTtl)));
    }

    put(key: string, value: KvValue, options: KvPutOptions): Answer<void> {
      const isStream = value instanceof ReadableStream;
      const isSmall = value instanceof Uint8Array && value.byteLength <= KV_INLINE_BYTES_MAX;
      if (!isStream && !isSmall) throw new TypeError("not a value");
      const { expiration, expirationTtl, metadata } = options;
      const checked = {
        ...(expiration === undefined ? {} : { expiration: Number(expiration) }),
        ...(expirationTtl === undefined ? {} : { expirationTtl: Number(expirationTtl) }),
        ...(metadata === undefined ? {} : { metadata: String(metadata) }),
      };
      // A stream can be sent once.
      return this.#reach(!isStream, (store, id) => store.put(id, String(key), value, checked));
    }

    delete(key: string): Answer<void> {
      return this.#reach(true, (store, id) => store.delete(id, String(key)));
    }

    list(options: KvListOptions): Answer<KvKeyPage> {
      const { prefix, limit, cursor } = options;
      const checked = {
        ...(prefix === undefined ? {} : { prefix: String(prefix) }),
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(cursor === undefined ? {} : { cursor: String(cursor) }),
      };
      return this.#reach(true, (store, id) => store.list(id, checked));
    }

    #reach<T>(
      idempotent: boolean,
      call: (store: ReturnType<typeof storeOf<"KvStore">>, namespaceId: string) => Answer<T>,
    ): Answer<T> {
      const store = storeOf(this.env, this.ctx, "KvStore");
      const door = { name: "KvStore", ping: () => store.ping() };
      return reach("KV", { idempotent, door }, () => call(store, this.ctx.props.namespaceId));
    }
  };
}

const number = (value: unknown): number | undefined =>
  value === undefined ? undefined : Number(value);

function texts(values: unknown): readonly string[] {
  if (!Array.isArray(values)) throw new TypeError("not a list of keys");
  return values.map(String);
}
