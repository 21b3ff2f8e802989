/** What a version is bound to that exists apart from it. */
import type { Binding } from "./binding.ts";
import type { WorkerName } from "./ids.ts";

export type ResourceKind =
  | "kv_namespace"
  | "r2_bucket"
  | "d1"
  | "queue"
  | "durable_object_namespace"
  | "service";

export interface VersionResource {
  /** Name of the binding. */
  readonly binding: string;
  readonly kind: ResourceKind;
  /** As a client names it: id of a namespace or database, name of a bucket, queue or Worker, `<Worker>/<class>`. */
  readonly resourceId: string;
}

/** One that is gone. */
export interface MissingResource extends VersionResource {
  /** What it was called, if that is known and not its id; null otherwise. */
  readonly title: string | null;
}

/** `own`: the Worker whose version it is; its own Durable Object classes are named without it. */
export function versionResources(
  bindings: readonly Binding[],
  own: WorkerName,
): readonly VersionResource[] {
  return bindings.flatMap((binding) => {
    const kind = binding.type as ResourceKind;
    const resourceId = NAMES[kind]?.(binding, own);
    return typeof resourceId === "string" ? [{ binding: binding.name, kind, resourceId }] : [];
  });
}

const NAMES: Readonly<Record<ResourceKind, (binding: Binding, own: WorkerName) => unknown>> = {
  kv_namespace: (binding) => binding["namespace_id"],
  r2_bucket: (binding) => binding["bucket_name"],
  d1: (binding) => binding["id"],
  queue: (binding) => binding["queue_name"],
  service: (binding) => binding["service"],
  durable_object_namespace: (binding, own) =>
    `${textOr(binding["script_name"], own)}/${textOr(binding["class_name"], "")}`,
};

const textOr = (value: unknown, other: string): string =>
  typeof value === "string" ? value : other;
