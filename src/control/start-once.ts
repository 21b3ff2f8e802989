/** Start a version once before it exists, and judge what came of it. */
import { ASSETS_ONLY_MODULE } from "../domain/assets/assets-draft.ts";
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { LoadableVersion, ProbeResult } from "../domain/version.ts";
import type { ControlContext } from "./context.ts";

export type Started = Extract<ProbeResult, { readonly ok: true }>;

/** Code that never stops starting is the prober's to survive: it may be starting versions in a process of its own. */
export async function startOnce(
  context: Pick<ControlContext, "probe">,
  version: LoadableVersion,
): Promise<Result<Started, DomainError>> {
  const probed = await context.probe(version);
  if (!probed.ok) return err({ kind: "start_failed", detail: probed.message });
  if (version.mainModule === ASSETS_ONLY_MODULE) return ok(probed);
  const isEmpty = probed.handlers.length === 0 && probed.namedHandlers.length === 0;
  return isEmpty ? err({ kind: "no_handlers" }) : ok(probed);
}
