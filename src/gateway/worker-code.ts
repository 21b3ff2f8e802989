import { type Binding, RUNNABLE_BINDING_TYPES } from "../domain/binding.ts";
import type { LoadableModule, LoadableVersion } from "../domain/version.ts";
import {
  ENV_INFO,
  type EnvInfo,
  MAIN_MODULE,
  mainModuleSource,
  PRELUDE_MODULE,
  PRELUDE_SOURCE,
} from "./injected-modules.ts";
import type { RequestScope } from "./request-scope.ts";

/** With it the prelude could not replace bindings; without it the version can only see more of its own env. */
const REMOVED_FLAG = "disallow_importable_env";

/**
 * A version as the runtime takes it. `globalOutbound` is always given: left out, the version would have the
 * gateway's own network.
 */
export function workerCode(
  version: LoadableVersion,
  scope: Pick<RequestScope, "serviceBinding">,
  globalOutbound: Fetcher | null,
): WorkerLoaderWorkerCode {
  if (version.modules.find((module) => module.name === version.mainModule)?.type === "python") {
    throw new Error("A Python main module cannot be run by this Switchback.");
  }
  const modules = Object.fromEntries(
    version.modules.map((module) => [module.name, runtimeModule(module, version)]),
  );
  modules[PRELUDE_MODULE] = { js: PRELUDE_SOURCE };
  modules[MAIN_MODULE] = { js: mainModuleSource(version.syntax, version.mainModule) };
  return {
    compatibilityDate: version.compatibilityDate,
    compatibilityFlags: version.compatibilityFlags.filter((flag) => flag !== REMOVED_FLAG),
    mainModule: MAIN_MODULE,
    modules,
    env: environment(version, scope),
    globalOutbound,
  };
}

function runtimeModule(module: LoadableModule, version: LoadableVersion): WorkerLoaderModule {
  switch (module.type) {
    case "esm":
      return version.syntax === "service-worker" && module.name === version.mainModule
        ? { cjs: textOf(module) }
        : { js: textOf(module) };
    case "cjs":
      return { cjs: textOf(module) };
    case "text":
      return { text: textOf(module) };
    case "python":
      return { py: textOf(module) };
    case "data":
      return { data: bufferOf(module) };
    case "wasm":
      return { wasm: bufferOf(module) };
    case "json":
      return { json: jsonOf(module) };
  }
}

const textOf = (module: LoadableModule): string => new TextDecoder().decode(module.bytes);

const bufferOf = ({ bytes }: LoadableModule): ArrayBuffer => new Uint8Array(bytes).buffer;

function jsonOf(module: LoadableModule): unknown {
  try {
    return JSON.parse(textOf(module));
  } catch (error) {
    throw new Error(`Module "${module.name}" is not JSON: ${String(error)}`, { cause: error });
  }
}

function environment(
  version: LoadableVersion,
  scope: Pick<RequestScope, "serviceBinding">,
): Record<string, unknown> {
  const secrets = new Map(version.secrets.map((secret) => [secret.name, secret.text]));
  const env = Object.fromEntries(
    version.bindings
      .filter((binding) => RUNNABLE_BINDING_TYPES.has(binding.type))
      .map((binding) => [binding.name, bindingValue(binding, version, secrets, scope)]),
  );
  const unavailable = version.bindings
    .filter((binding) => !RUNNABLE_BINDING_TYPES.has(binding.type))
    .map(({ name, type }) => ({ name, type }));
  env[ENV_INFO] = { unavailable } satisfies EnvInfo;
  return env;
}

function bindingValue(
  binding: Binding,
  version: LoadableVersion,
  secrets: ReadonlyMap<string, string>,
  scope: Pick<RequestScope, "serviceBinding">,
): unknown {
  switch (binding.type) {
    case "plain_text":
      return binding["text"];
    case "json":
      return binding["json"];
    case "secret_text":
      return secrets.get(binding.name);
    case "version_metadata":
      return {
        id: version.id,
        tag: version.tag,
        timestamp: new Date(version.createdOn).toISOString(),
      };
    case "service":
      return serviceOf(binding, version, scope);
    default:
      throw new Error(`Binding type ${binding.type} is called runnable but nothing runs it.`);
  }
}

function serviceOf(
  binding: Binding,
  version: LoadableVersion,
  scope: Pick<RequestScope, "serviceBinding">,
): Fetcher {
  const { service, entrypoint, props } = binding;
  return scope.serviceBinding({
    callerWorkerId: version.workerId,
    binding: binding.name,
    workerName: String(service),
    ...(typeof entrypoint === "string" ? { entrypoint } : {}),
    ...(props === undefined ? {} : { props }),
  });
}
