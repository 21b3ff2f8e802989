import { messageOf } from "./gateway-errors.ts";

/**
 * What an error of a call into a loaded version says about the load. Errors of the version's own code carry
 * `remote`; a load that fails does not, and neither does a call cut off by unloading.
 */
export type LoadFailure =
  /** The version's own code, or the call itself: the load is fine. */
  | "none"
  /** The same code will fail the same way. */
  | "lasting"
  /** Another id may work. */
  | "passing";

/** Left-over stubs of a gateway that was deployed anew: the platform's isolates outlive it. */
const STALE_STUB = /invalid or unsupported version/;
const NO_ENTRYPOINT = /^Worker has no such entrypoint/;
const START_FAILURE =
  /^(Failed to start Worker|No such compatibility flag|The compatibility flag|This Worker requires compatibility date|Invalid compatibility date|Dynamic Worker (code|env) size|No such module)/;

export function classifyLoadFailure(error: unknown): LoadFailure {
  const message = messageOf(error);
  if (STALE_STUB.test(message)) return "passing";
  const { remote } = (error ?? {}) as { remote?: unknown };
  if (remote === true || NO_ENTRYPOINT.test(message)) return "none";
  return START_FAILURE.test(message) ? "lasting" : "passing";
}

/** What the runtime said, without its own first line: the error and where in the version's code it was. */
export const startFailureText = (error: unknown): string =>
  messageOf(error).replace(/^Failed to start Worker:\n/, "");
