import { toStopped, type Stopped } from "../domain/breaker.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { listOpenBreakers } from "../store/breakers.ts";
import type { Database } from "../store/database.ts";
import { findPreviewVersion } from "../store/versions.ts";

/** The version that a preview label names now, and whether it may be run; null when there is none. */
export async function previewVersion(
  db: Database,
  workerId: WorkerId,
  label: string,
): Promise<{ readonly versionId: VersionId; readonly stopped: Stopped | null } | null> {
  // One after the other: anybody can ask for labels that name nothing, and those should cost little.
  const versionId = await findPreviewVersion(db, workerId, label);
  if (versionId === null) return null;
  const open = await listOpenBreakers(db, workerId);
  const breaker = open.find((candidate) => candidate.versionId === versionId);
  return { versionId, stopped: breaker === undefined ? null : toStopped(breaker) };
}
