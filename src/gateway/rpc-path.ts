/** What a path of property names leads to in another Worker, before it is known which version that is. */
export interface FarSide {
  /** Calls the method at the path. */
  call(path: readonly string[], args: readonly unknown[]): Promise<unknown>;
  /** The value at the path. */
  get(path: readonly string[]): Promise<unknown>;
}

/**
 * Stands for what is at a path: a function to whoever calls it, a promise to whoever awaits it, and an object with every
 * property to whoever goes on. The runtime's RPC asks for a property before it knows which of the three is meant.
 *
 * What every JavaScript object has is not passed on: it would be looked up on the gateway's own stub instead of on the
 * object, and so lead a caller to `Object.prototype` of the gateway, which all its versions share.
 */
export function farProperty(far: FarSide, path: readonly string[]): unknown {
  const call = (...args: unknown[]) => far.call(path, args);
  const then = (done: (value: unknown) => unknown, fail: (error: unknown) => unknown) =>
    far.get(path).then(done, fail);
  const at = (name: string) => (name === "then" ? then : farProperty(far, [...path, name]));
  return new Proxy(call, {
    get: (target, name) => (isPassedOn(name) ? at(name) : Reflect.get(target, name)),
    // What is not a property of its own is not looked up.
    getOwnPropertyDescriptor: (target, name) =>
      isPassedOn(name) && !Object.hasOwn(target, name)
        ? { value: at(name), writable: true, enumerable: true, configurable: true }
        : Reflect.getOwnPropertyDescriptor(target, name),
  });
}

/** Not `constructor`, `__proto__` and the like: of an object in another isolate none of them is ever meant. */
export const isPassedOn = (name: string | symbol): name is string =>
  typeof name === "string" && !(name in Object.prototype);
