import type { Syntax } from "../domain/version.ts";

/**
 * The source text that is put in front of a version's own code. It runs in the version's isolate, before any of
 * its code, and is the version's to tamper with: nothing it says is trusted.
 *
 * Upload refuses module, binding and entrypoint names that begin with this prefix.
 */
export const RESERVED_PREFIX = "__switchback";
export const MAIN_MODULE = `${RESERVED_PREFIX}_main.js`;
export const PRELUDE_MODULE = `${RESERVED_PREFIX}_prelude.js`;
/** The entrypoint, in every version, through which the gateway asks what there is and unloads it. */
export const CONTROL_ENTRYPOINT = RESERVED_PREFIX;
/** The `env` entry that carries `EnvInfo` to the prelude, which takes it away. */
export const ENV_INFO = RESERVED_PREFIX;

export interface EnvInfo {
  /** Bindings that are stored but cannot run: using one throws an error that names it. */
  readonly unavailable: readonly { readonly name: string; readonly type: string }[];
}

/** What `describe()` of the control entrypoint answers. */
export interface Description {
  readonly handlers: readonly string[];
  readonly namedHandlers: readonly {
    readonly name: string;
    readonly handlers: readonly string[];
  }[];
}

/** A proxy of a function, so that calling the binding itself is told apart from calling a non-function. */
export const PRELUDE_SOURCE = `import { env } from "cloudflare:workers";
const info = env.${ENV_INFO};
delete env.${ENV_INFO};
function unavailable(name, type) {
  const fail = () => {
    throw new Error(\`Binding "\${name}" (\${type}) cannot be used yet: this Switchback stores it but does not run it.\`);
  };
  // What awaiting, printing and serialising look at must not throw: it is no use of the binding.
  const quiet = new Set(["then", "toJSON", "constructor", "prototype", "name", "length"]);
  return new Proxy(function () {}, {
    get: (target, key) => (typeof key === "symbol" || quiet.has(key) ? undefined : fail()),
    set: fail,
    apply: fail,
    construct: fail,
  });
}
for (const { name, type } of info.unavailable) {
  Object.defineProperty(env, name, {
    value: unavailable(name, type), enumerable: true, configurable: true, writable: true,
  });
}
`;

/** The main module that stands in for the version's own. */
export function mainModuleSource(syntax: Syntax, userModule: string): string {
  const specifier = JSON.stringify(`./${userModule}`);
  return syntax === "modules" ? modulesMain(specifier) : serviceWorkerMain(specifier);
}

const control = (describe: string): string => `
export class ${CONTROL_ENTRYPOINT} extends runtime.WorkerEntrypoint {
  describe() { return ${describe}; }
  evict() { runtime.abortIsolate?.("unloaded by the gateway"); }
}
`;

// A module without a default export gets an empty one: the runtime refuses undefined.
const modulesMain = (specifier: string): string =>
  `import "./${PRELUDE_MODULE}";
import * as runtime from "cloudflare:workers";
import * as user from ${specifier};
export * from ${specifier};
export default "default" in user ? user.default : {};
const events = ["fetch", "scheduled", "queue", "email", "tail", "trace", "tailStream", "test", "connect"];
function methodsOf(constructor) {
  const names = new Set();
  for (let p = constructor.prototype; p && p !== Object.prototype && p !== runtime.WorkerEntrypoint.prototype; p = Object.getPrototypeOf(p)) {
    for (const name of Object.getOwnPropertyNames(p)) {
      const { value } = Object.getOwnPropertyDescriptor(p, name);
      if (name !== "constructor" && typeof value === "function") names.add(name);
    }
  }
  return [...names];
}
function handlersOf(value) {
  if (typeof value === "function") return methodsOf(value);
  return value ? events.filter((name) => typeof value[name] === "function") : [];
}
const describe = () => ({
  handlers: handlersOf(user.default),
  namedHandlers: Object.keys(user).filter((name) => name !== "default")
    .map((name) => ({ name, handlers: typeof user[name] === "function" ? ["class"] : handlersOf(user[name]) })),
});
${control("describe()")}`;

// The script is loaded as CommonJS: sloppy mode and no import, as a service worker expects.
const serviceWorkerMain = (specifier: string): string =>
  `import "./${PRELUDE_MODULE}";
import * as runtime from "cloudflare:workers";
const define = (name, value) =>
  Object.defineProperty(globalThis, name, { value, enumerable: true, configurable: true, writable: true });
for (const [name, value] of Object.entries(runtime.env)) define(name, value);
const events = new Set();
const add = globalThis.addEventListener;
globalThis.addEventListener = function (type, ...rest) {
  events.add(String(type));
  return add.call(globalThis, type, ...rest);
};
await import(${specifier});
${control("({ handlers: [...events], namedHandlers: [] })")}`;
