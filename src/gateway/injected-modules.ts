import type { DurableClass } from "../domain/durable-migration.ts";
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
/** What `describe()` of the control entrypoint answers. */
export interface Description {
  readonly handlers: readonly string[];
  readonly namedHandlers: readonly {
    readonly name: string;
    readonly handlers: readonly string[];
  }[];
}

/** `src/injected`, bundled by `npm run build:injected`. */
export { default as PRELUDE_SOURCE } from "./prelude.generated.txt";

/** The main module that stands in for the version's own. */
export function mainModuleSource(
  syntax: Syntax,
  userModule: string,
  durableClasses: readonly Pick<DurableClass, "className">[] = [],
): string {
  const specifier = JSON.stringify(`./${userModule}`);
  return syntax === "modules"
    ? modulesMain(specifier) + durableExports(durableClasses)
    : serviceWorkerMain(specifier);
}

/** In the place of the version's own exports of these names. */
const durableExports = (classes: readonly Pick<DurableClass, "className">[]): string =>
  classes
    .map(({ className }, at) => {
      const given = `user[${JSON.stringify(className)}]`;
      return `const durable${at} = injected.durableObjectClass(${given});
export { durable${at} as ${className} };
`;
    })
    .join("");

/** `code`: fields by which the injected code finds the version's handlers. */
const control = (describe: string, code: string): string => `
export class ${CONTROL_ENTRYPOINT} extends runtime.WorkerEntrypoint {
  describe() { return ${describe}; }
  scheduled(schedule) { return injected.runScheduled({ ${code}, ctx: this.ctx, env: this.env }, schedule); }
  queue(batch) { return injected.runQueue({ ${code}, ctx: this.ctx, env: this.env }, batch); }
  evict() { runtime.abortIsolate?.("unloaded by the gateway"); }
}
`;

// A module without a default export gets an empty one: the runtime refuses undefined.
const modulesMain = (specifier: string): string =>
  `import * as injected from "./${PRELUDE_MODULE}";
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
${control("describe()", "main: user.default")}`;

// The script is loaded as CommonJS: sloppy mode and no import, as a service worker expects.
const serviceWorkerMain = (specifier: string): string =>
  `import * as injected from "./${PRELUDE_MODULE}";
import * as runtime from "cloudflare:workers";
const define = (name, value) =>
  Object.defineProperty(globalThis, name, { value, enumerable: true, configurable: true, writable: true });
for (const [name, value] of Object.entries(runtime.env)) define(name, value);
const listeners = Object.create(null);
const add = globalThis.addEventListener;
globalThis.addEventListener = function (type, listener, ...rest) {
  (listeners[String(type)] ??= []).push(listener);
  return add.call(globalThis, type, listener, ...rest);
};
await import(${specifier});
${control("({ handlers: Object.keys(listeners), namedHandlers: [] })", "listeners")}`;
