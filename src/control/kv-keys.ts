/** What the API does with keys of a namespace: the store's refusals become refusals of the API. */
import type { KvFound, KvKeyPage, KvPair, KvValue } from "../data/kv/kv-namespace-object.ts";
import type { DomainError } from "../domain/errors.ts";
import {
  decidePut,
  type KvAttributes,
  type KvListOptions,
  type KvPutOptions,
  type KvRefusal,
} from "../domain/kv.ts";
import { KV_BATCH_BYTES_MAX, KV_BATCH_KEYS_MAX } from "../domain/limits-kv.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { askStore } from "./ask-store.ts";
import type { ControlContext } from "./context.ts";

type Context = Pick<ControlContext, "stores" | "now">;
type Store = Context["stores"]["KvStore"];

async function ask<T>(
  context: Context,
  idempotent: boolean,
  call: (store: Store) => Promise<Result<T, KvRefusal>>,
): Promise<Result<T, DomainError>> {
  const answer = await askStore("KV", { idempotent }, () => call(context.stores.KvStore));
  if (!answer.ok) return answer;
  const result = answer.value;
  return result.ok ? result : err({ kind: "kv_refused", ...result.error });
}

/** `kv_key_not_found` when it is not there. */
export async function readKvKey(
  context: Context,
  namespaceId: string,
  key: string,
): Promise<Result<KvFound, DomainError>> {
  const found = await ask(context, true, (store) => store.get(namespaceId, key));
  if (!found.ok) return found;
  return found.value === null ? err({ kind: "kv_key_not_found" }) : ok(found.value);
}

/** At most KV_BULK_GET_KEYS_MAX, in their order; null for what is not there. */
export async function readKvKeys(
  context: Context,
  namespaceId: string,
  keys: readonly string[],
): Promise<
  Result<readonly ((KvAttributes & { readonly value: Uint8Array }) | null)[], DomainError>
> {
  const found = await ask(context, true, (store) => store.getMany(namespaceId, keys));
  if (!found.ok) return found;
  const { entries, values } = found.value;
  const bytes =
    values instanceof ReadableStream
      ? new Uint8Array(await new Response(values).arrayBuffer())
      : values;
  let at = 0;
  return ok(
    entries.map((entry) => entry && { ...entry, value: bytes.subarray(at, (at += entry.size)) }),
  );
}

export const listKvKeys = (
  context: Context,
  namespaceId: string,
  options: KvListOptions,
): Promise<Result<KvKeyPage, DomainError>> =>
  ask(context, true, (store) => store.list(namespaceId, options));

export const writeKvKey = (
  context: Context,
  namespaceId: string,
  key: string,
  value: KvValue,
  options: KvPutOptions,
): Promise<Result<void, DomainError>> =>
  ask(context, !(value instanceof ReadableStream), (store) =>
    store.put(namespaceId, key, value, options),
  );

/** Nothing is written when one is refused. What is large goes in several steps, which others may see. */
export async function writeKvKeys(
  context: Context,
  namespaceId: string,
  pairs: readonly KvPair[],
): Promise<Result<void, DomainError>> {
  const now = Math.floor(context.now() / 1000);
  for (const { key, value: _, ...options } of pairs) {
    const decided = decidePut(key, options, now);
    if (decided.ok) continue;
    const { status, message } = decided.error;
    const named = `The key ${JSON.stringify(key.slice(0, 80))}: ${message}`;
    return err({ kind: "kv_refused", status, message: named });
  }
  for (const batch of batchesOf(pairs, ({ value }) => value.byteLength)) {
    const done = await ask(context, true, (store) => store.putMany(namespaceId, batch));
    if (!done.ok) return done;
  }
  return ok(undefined);
}

export async function deleteKvKeys(
  context: Context,
  namespaceId: string,
  keys: readonly string[],
): Promise<Result<void, DomainError>> {
  for (const batch of batchesOf(keys, () => 0)) {
    const done = await ask(context, true, (store) => store.deleteMany(namespaceId, batch));
    if (!done.ok) return done;
  }
  return ok(undefined);
}

function batchesOf<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOf(item);
    if (batch.length === KV_BATCH_KEYS_MAX || (batch.length > 0 && bytes > KV_BATCH_BYTES_MAX)) {
      batches.push(batch);
      batch = [];
      bytes = bytesOf(item);
    }
    batch.push(item);
  }
  return batch.length === 0 ? batches : [...batches, batch];
}
