import type { LoadableModule, LoadableVersion } from "../domain/version.ts";
import { environment } from "./bindings/environment.ts";
import {
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
  scope: Pick<RequestScope, "serviceBinding" | "binding">,
  globalOutbound: Fetcher | null,
): WorkerLoaderWorkerCode {
  if (version.modules.find((module) => module.name === version.mainModule)?.type === "python") {
    throw new Error("A Python main module cannot be run by this Switchback.");
  }
  const modules = Object.fromEntries(
    version.modules.map((module) => [module.name, runtimeModule(module, version)]),
  );
  modules[PRELUDE_MODULE] = { js: PRELUDE_SOURCE };
  modules[MAIN_MODULE] = {
    js: mainModuleSource(version.syntax, version.mainModule, version.durableClasses),
  };
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
