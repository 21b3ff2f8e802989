import { VERSION_START_MS_MAX } from "../domain/limits.ts";
import type { LoadableVersion, NamedHandlers, ProbeResult } from "../domain/version.ts";
import { CONTROL_ENTRYPOINT, type Description } from "./injected-modules.ts";
import { startFailureText } from "./load-failure.ts";
import type { RequestScope } from "./request-scope.ts";
import { evict } from "./version-runner.ts";
import { workerCode } from "./worker-code.ts";

const HANDLERS_MAX = 1_000;
const NAME_CHARS_MAX = 255;

/**
 * Starts a version once, with no network, to learn whether it starts and what it exports; then unloads it.
 * Code that awaits too long is given up after `VERSION_START_MS_MAX`; an endless loop cannot be stopped from
 * inside the process.
 */
export async function probeVersion(
  loader: WorkerLoader,
  version: LoadableVersion,
  scope: Pick<RequestScope, "serviceBinding" | "binding" | "waitUntil">,
): Promise<ProbeResult> {
  const started = Date.now();
  const stub = loader.get(`probe:${crypto.randomUUID()}`, () => workerCode(version, scope, null));
  try {
    const control = stub.getEntrypoint(CONTROL_ENTRYPOINT) as unknown as {
      describe(): Promise<Description>;
    };
    const timeout = new AbortController();
    const description = await Promise.race([
      control.describe(),
      scheduler.wait(VERSION_START_MS_MAX, { signal: timeout.signal }).then(() => null),
    ]).finally(() => timeout.abort());
    if (!description) {
      return { ok: false, message: `It did not start within ${VERSION_START_MS_MAX} ms.` };
    }
    return { ok: true, startupTimeMs: Date.now() - started, ...readDescription(description) };
  } catch (error) {
    return { ok: false, message: startFailureText(error) };
  } finally {
    scope.waitUntil(evict(stub));
  }
}

/** The version's own isolate made this; only its plain, short texts are taken. */
function readDescription(given: Description): {
  readonly handlers: readonly string[];
  readonly namedHandlers: readonly NamedHandlers[];
} {
  const named = Array.isArray(given.namedHandlers) ? given.namedHandlers : [];
  return {
    handlers: names(given.handlers),
    namedHandlers: named
      .slice(0, HANDLERS_MAX)
      .filter((entry) => isName(entry?.name))
      .map((entry) => ({ name: entry.name, handlers: names(entry.handlers) })),
  };
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length <= NAME_CHARS_MAX;

const names = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.slice(0, HANDLERS_MAX).filter(isName) : [];
