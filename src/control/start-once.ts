/**
 * Start a version once before it exists. Code that never stops starting takes the whole runtime with it where there
 * is but one, and clients send it again: so what is being started is written down, and what the runtime did not
 * survive is not started again for a while.
 */
import type { DomainError } from "../domain/errors.ts";
import { START_CHECK_KEEP_MS } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { LoadableVersion } from "../domain/version.ts";
import { forgetStart, noteStart } from "../store/start-checks.ts";
import type { ControlContext } from "./context.ts";
import type { ProbeResult } from "../domain/version.ts";

export type Started = Extract<ProbeResult, { readonly ok: true }>;

export async function startOnce(
  context: ControlContext,
  version: LoadableVersion,
): Promise<Result<Started, DomainError>> {
  const { db, runtimeInstance: instanceId } = context;
  if (instanceId === null) return judge(await context.probe(version));
  const now = context.now();
  const note = { id: version.id, contentHash: version.contentHash, instanceId, startedOn: now };
  const lost = await noteStart(db, note, now - START_CHECK_KEEP_MS);
  if (lost !== null) return err({ kind: "start_failed", detail: lostSentence(now - lost.lostOn) });
  try {
    return judge(await context.probe(version));
  } finally {
    await forgetStart(db, version.id);
  }
}

function judge(probed: ProbeResult): Result<Started, DomainError> {
  if (!probed.ok) return err({ kind: "start_failed", detail: probed.message });
  const isEmpty = probed.handlers.length === 0 && probed.namedHandlers.length === 0;
  return isEmpty ? err({ kind: "no_handlers" }) : ok(probed);
}

function lostSentence(agoMs: number): string {
  const seconds = Math.max(1, Math.round(agoMs / 1_000));
  const minutes = Math.max(1, Math.ceil((START_CHECK_KEEP_MS - agoMs) / 60_000));
  return `The runtime stopped answering while it started this code ${seconds} s ago, and had to be restarted: does it loop at the top level? Correct it and upload again. If something else stopped the runtime, the same code can be uploaded again in ${minutes} min.`;
}
