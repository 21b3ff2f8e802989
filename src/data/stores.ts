/**
 * The doors to everything that versions keep: one entrypoint for each kind of resource. On one machine they are in
 * processes of their own, reached over sockets; where all is one Worker, it calls itself.
 */
import type { WorkerEntrypoint } from "cloudflare:workers";
import { DOOR_BINDINGS, type DoorName } from "../domain/doors.ts";
import type { AnalyticsStore } from "./analytics/analytics-store.ts";
import type { CacheStore } from "./cache/cache-store.ts";
import type { D1Store } from "./d1/d1-store.ts";
import type { KvStore } from "./kv/kv-store.ts";
import type { QueueStore } from "./queues/queue-store.ts";
import type { R2Store } from "./r2/r2-store.ts";
import type { RateLimitStore } from "./rate-limits/rate-limit-store.ts";

interface Doors extends Record<DoorName, unknown> {
  readonly KvStore: KvStore;
  readonly R2Store: R2Store;
  readonly D1Store: D1Store;
  readonly QueueStore: QueueStore;
  readonly CacheStore: CacheStore;
  readonly AnalyticsStore: AnalyticsStore;
  readonly RateLimitStore: RateLimitStore;
}

/** A door's methods as its callers have them: each answer comes later. */
type Calls<Door> = {
  readonly [Name in Exclude<keyof Door, keyof WorkerEntrypoint>]: Door[Name] extends (
    ...args: infer Args
  ) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

export type Stores = { readonly [Name in DoorName]: Calls<Doors[Name]> };

export function storeOf<Name extends DoorName>(
  env: unknown,
  ctx: unknown,
  name: Name,
): Stores[Name] {
  const outside = (env as Readonly<Record<string, unknown>>)[DOOR_BINDINGS[name]];
  const own = () => (ctx as { readonly exports: Readonly<Record<string, unknown>> }).exports[name];
  return (outside ?? own()) as Stores[Name];
}

/** All of them; each is looked up when it is used. */
export const storesOf = (env: unknown, ctx: unknown): Stores =>
  new Proxy({} as Stores, {
    get: (_, name) => storeOf(env, ctx, name as DoorName),
  });
