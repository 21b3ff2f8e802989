/** What a version finds in its `env`. */
import type { Binding } from "../../domain/binding.ts";
import { readDurableResource } from "../../domain/durable-resource.ts";
import type { LoadableVersion } from "../../domain/version.ts";
import { RESERVED_PREFIX } from "../injected-modules.ts";
import type { RequestScope } from "../request-scope.ts";
import type { RawBinding } from "./raw-binding.ts";

/** The `env` entry that carries {@link EnvInfo} to the prelude, which takes it away. */
const ENV_INFO = RESERVED_PREFIX;

export interface EnvInfo {
  /** Behind `caches`: the Worker's own. */
  readonly caches: Fetcher;
  /** In the order in which the version declares them; what nothing is known of throws when it is used. */
  readonly bindings: readonly RawBinding[];
}

type Scope = Pick<RequestScope, "serviceBinding" | "binding">;

/** A binding and whose it is. */
export interface Bound {
  readonly binding: Binding;
  readonly version: LoadableVersion;
  /** Where its resource is stored: what {@link LoadableVersion.resources} has for it; empty while there is none. */
  readonly resource: string;
}

/** What the injected code gets besides name and type; the broker is `scope.binding("XBinding", props)`. */
type Broker = (bound: Bound, scope: Scope) => Readonly<Record<string, unknown>>;

/** By type. Each broker's identity is in its props, which the version does not see. */
const BROKERS: Readonly<Record<string, Broker>> = {
  durable_object_namespace: ({ resource }, scope) => {
    const props = readDurableResource(resource);
    const stub = scope.binding("DurableObjectBinding", { ...props });
    return { stub, namespaceId: props.namespaceId };
  },
  queue: ({ resource, binding }, scope) => ({
    stub: scope.binding("QueueBinding", {
      queueId: resource,
      deliveryDelay:
        typeof binding["delivery_delay"] === "number" ? binding["delivery_delay"] : null,
    }),
  }),
  d1: ({ resource }, scope) => ({ stub: scope.binding("D1Binding", { databaseId: resource }) }),
  kv_namespace: ({ resource }, scope) => ({
    stub: scope.binding("KvBinding", { namespaceId: resource }),
  }),
  ratelimit: ({ binding }, scope) => ({
    stub: scope.binding("RateLimitBinding", {
      namespaceId: String(binding["namespace_id"]),
      simple: binding["simple"],
    }),
  }),
  analytics_engine: ({ binding }, scope) => ({
    stub: scope.binding("AnalyticsBinding", { dataset: String(binding["dataset"]) }),
  }),
  r2_bucket: ({ resource }, scope) => ({ stub: scope.binding("R2Binding", { bucket: resource }) }),
};

export function environment(version: LoadableVersion, scope: Scope): Record<string, unknown> {
  const secrets = new Map(version.secrets.map((secret) => [secret.name, secret.text]));
  const env: Record<string, unknown> = {};
  const bindings: RawBinding[] = [];
  for (const binding of version.bindings) {
    const plain = PLAIN[binding.type];
    if (plain !== undefined) env[binding.name] = plain(binding, version, secrets, scope);
    else bindings.push(rawBinding(binding, version, scope));
  }
  const caches = scope.binding("CacheBinding", { workerId: version.workerId });
  env[ENV_INFO] = { bindings, caches } satisfies EnvInfo;
  return env;
}

function rawBinding(binding: Binding, version: LoadableVersion, scope: Scope): RawBinding {
  const { name, type } = binding;
  const resource = version.resources[name] ?? "";
  return { ...BROKERS[type]?.({ binding, version, resource }, scope), name, type };
}

type Plain = (
  binding: Binding,
  version: LoadableVersion,
  secrets: ReadonlyMap<string, string>,
  scope: Scope,
) => unknown;

/** What the runtime takes as it is. */
const PLAIN: Readonly<Record<string, Plain>> = {
  plain_text: (binding) => binding["text"],
  json: (binding) => binding["json"],
  secret_text: (binding, _, secrets) => secrets.get(binding.name),
  version_metadata: (_, version) => ({
    id: version.id,
    tag: version.tag,
    timestamp: new Date(version.createdOn).toISOString(),
  }),
  assets: (_, { workerId, id }, __, scope) =>
    scope.binding("AssetsBinding", { workerId, versionId: id }),
  service: (binding, version, _, scope) => serviceOf(binding, version, scope),
};

function serviceOf(binding: Binding, version: LoadableVersion, scope: Scope): Fetcher {
  const { service, entrypoint, props } = binding;
  return scope.serviceBinding({
    callerWorkerId: version.workerId,
    binding: binding.name,
    workerName: String(service),
    ...(typeof entrypoint === "string" ? { entrypoint } : {}),
    ...(props === undefined ? {} : { props }),
  });
}
