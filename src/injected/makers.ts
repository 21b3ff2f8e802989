/** What makes a binding of what the gateway hands in, by the binding's type. */
import { d1Database } from "./d1.ts";
import { analyticsDataset } from "./analytics.ts";
import { kvNamespace } from "./kv.ts";
import { rateLimit } from "./rate-limit.ts";
import { r2Bucket } from "./r2.ts";
import { workerQueue } from "./queue.ts";
import { durableObjectNamespace } from "./durable-object.ts";
import type { RawBinding } from "./raw-binding.ts";

export const makers: Readonly<Record<string, (raw: RawBinding) => unknown>> = {
  durable_object_namespace: durableObjectNamespace,
  queue: workerQueue,
  kv_namespace: kvNamespace,
  ratelimit: rateLimit,
  analytics_engine: analyticsDataset,
  d1: d1Database,
  r2_bucket: r2Bucket,
};
