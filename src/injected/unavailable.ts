import type { RawBinding } from "./raw-binding.ts";

/** Looked at by awaiting, printing and serialising: that is no use of the binding. */
const QUIET = new Set(["then", "toJSON", "constructor", "prototype", "name", "length"]);

/** A binding that is stored but cannot run: every use throws an error that names it. */
export function unavailable({ name, type }: RawBinding): unknown {
  const fail = (): never => {
    throw new Error(
      `Binding "${name}" (${type}) cannot be used: this Switchback stores it but does not run it.`,
    );
  };
  // A proxy of a function, so that calling the binding itself is told apart from calling a non-function.
  return new Proxy(function () {}, {
    get: (_, key) => (typeof key === "symbol" || QUIET.has(key) ? undefined : fail()),
    set: fail,
    apply: fail,
    construct: fail,
  });
}
