/** What the runtime's own bindings throw when they are called wrongly, in its words. */

/** `index` counts from 0. */
export const wrongArgument = (action: string, kind: string, index: number, type: string) =>
  new TypeError(
    `Failed to execute '${action}' on '${kind}': parameter ${index + 1} is not of type '${type}'.`,
  );

/** A method that was taken off its binding. */
export const illegalInvocation = () =>
  new TypeError(
    "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.",
  );

export const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null;
