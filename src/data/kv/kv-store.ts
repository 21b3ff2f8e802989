import { type DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import {
  KV_NAMESPACE_GONE,
  type KvListOptions,
  type KvPutOptions,
  type KvRefusal,
} from "../../domain/kv.ts";
import { err, type Result } from "../../domain/result.ts";
import type {
  KvFound,
  KvFoundMany,
  KvKeyPage,
  KvNamespaceObject,
  KvPair,
  KvValue,
} from "./kv-namespace-object.ts";

type ObjectCalls = {
  readonly [
    Name in Exclude<keyof KvNamespaceObject, keyof DurableObject>
  ]: KvNamespaceObject[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

type Answer<T> = Promise<Result<T, KvRefusal>>;

/** The door to all namespaces, by their ids; a namespace that was deleted refuses everything. See KvNamespaceObject. */
export class KvStore extends WorkerEntrypoint<Env> {
  /** See `AttemptDoor`. */
  ping(): void {}

  get(namespaceId: string, key: string, cacheTtl?: number): Answer<KvFound | null> {
    return this.#in(namespaceId, (object) => object.get(key, cacheTtl));
  }

  getMany(namespaceId: string, keys: readonly string[], cacheTtl?: number): Answer<KvFoundMany> {
    return this.#in(namespaceId, (object) => object.getMany(keys, cacheTtl));
  }

  put(namespaceId: string, key: string, value: KvValue, options: KvPutOptions): Answer<void> {
    return this.#in(namespaceId, (object) => object.put(key, value, options));
  }

  /** At most KV_BATCH_KEYS_MAX pairs, of KV_BATCH_BYTES_MAX. */
  putMany(namespaceId: string, pairs: readonly KvPair[]): Answer<void> {
    return this.#in(namespaceId, (object) => object.putMany(pairs));
  }

  delete(namespaceId: string, key: string): Answer<void> {
    return this.#in(namespaceId, (object) => object.delete(key));
  }

  /** At most KV_BATCH_KEYS_MAX keys. */
  deleteMany(namespaceId: string, keys: readonly string[]): Answer<void> {
    return this.#in(namespaceId, (object) => object.deleteMany(keys));
  }

  list(namespaceId: string, options: KvListOptions): Answer<KvKeyPage> {
    return this.#in(namespaceId, (object) => object.list(options));
  }

  async destroy(namespaceId: string): Promise<void> {
    await this.#object(namespaceId).destroy();
  }

  async #in<T>(namespaceId: string, call: (object: ObjectCalls) => Answer<T>): Answer<T> {
    // A version that was loaded when its namespace was gone has no id for it.
    return namespaceId === "" ? err(KV_NAMESPACE_GONE) : call(this.#object(namespaceId));
  }

  #object(namespaceId: string): ObjectCalls {
    if (!/^[0-9a-f]{32}$/.test(namespaceId)) throw new Error("not the id of a KV namespace");
    return this.env.KV_NAMESPACES.getByName(namespaceId) as unknown as ObjectCalls;
  }
}
