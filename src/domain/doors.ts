/**
 * The doors to what versions keep, by their entrypoints' names, and what each is called in the environment of a process
 * that has it outside.
 */
export const DOOR_BINDINGS = {
  KvStore: "KV_STORE",
  R2Store: "R2_STORE",
  D1Store: "D1_STORE",
  QueueStore: "QUEUE_STORE",
  CacheStore: "CACHE_STORE",
  AnalyticsStore: "ANALYTICS_STORE",
  RateLimitStore: "RATE_LIMIT_STORE",
} as const;

export type DoorName = keyof typeof DOOR_BINDINGS;
